"""Everything that may happen to a node and its agent, as rules."""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from logship.tail.pulse import BACKUP_SECS
from tests.property.agent_model.agent import KUBERNETES, Choices
from tests.property.agent_model.container import Container
from tests.property.agent_model.stage import SEEN_SECS, Stage
from tests.property.agent_model.written import Log

streams = st.sampled_from(["stdout", "stderr"])
texts = st.sampled_from(["", "hello", "x" * 90, "y" * 400])
pods = st.integers(0, 2)


class Node(Stage):
    """A node with containers, its kubelet, and the agent on it."""

    def __init__(self) -> None:
        super().__init__()
        self.containers: list[Container] = []
        self.pods_made = 0

    @initialize(
        watched=st.booleans(),
        memory=st.sampled_from([1 << 20, 64 << 20]),
        request_bytes=st.sampled_from([200, 1 << 20]),
    )
    def begin(self, watched: bool, memory: int, request_bytes: int) -> None:
        """The first start: it saves that it has run, so that all that comes later is new."""
        choices = Choices(watched, memory, request_bytes)
        self.first_start(choices, KUBERNETES)
        self.add_pod()

    # What applications, the runtime and the kubelet do

    def container(self, number: int) -> Container:
        return self.containers[number % len(self.containers)]

    @rule()
    def add_pod(self) -> None:
        if len(self.containers) == 3:
            return
        self.pods_made += 1
        directory = self.root / f"shop_web-{self.pods_made}_uid-{self.pods_made}" / "app"
        key = f"c/uid-{self.pods_made}/app"
        self.containers.append(Container(directory, key, self.tree, self.now, self.may_delete))
        self.know(self.containers[-1].log)

    def know(self, log: Log) -> None:
        self.ids.logs[log.key] = log

    @precondition(lambda self: self.containers)
    @rule(pod=pods, stream=streams, tag=st.sampled_from("FFP"), text=texts, count=st.integers(1, 4))
    def write(self, pod: int, stream: str, tag: str, text: str, count: int) -> None:
        for _ in range(count):
            self.container(pod).write(stream, tag, text)

    @precondition(lambda self: self.containers)
    @rule(pod=pods, stream=streams, text=texts, size=st.integers(1, 80))
    def write_half(self, pod: int, stream: str, text: str, size: int) -> None:
        self.container(pod).write_half(stream, text, size)

    @precondition(lambda self: self.containers)
    @rule(pod=pods)
    def write_late(self, pod: int) -> None:
        self.container(pod).write_late("late")

    @precondition(lambda self: self.containers)
    @rule(pod=pods, reopen=st.sampled_from([0.0, 1.5]), secs=st.sampled_from([0.1, 0.3, 0.7]))
    def flush_late(self, pod: int, reopen: float, secs: float) -> None:
        """The agent has seen the new file, and rows of it, before the old one gets its last."""
        container = self.container(pod)
        container.end_records()
        container.rename()
        self.pass_time(reopen)
        container.rotate()
        container.write("stdout", "F", "new")
        self.pass_time(secs)
        container.write_late("late")

    @precondition(lambda self: self.containers and self.up)
    @rule(pod=pods, age=st.integers(0, 2), count=st.integers(1, 3), compress=st.booleans())
    def write_long_after(self, pod: int, age: int, count: int, compress: bool) -> None:
        """A writer that has not reopened its log, while an agent is there that has seen its file
        before. One that starts afterwards cannot tell what its predecessor did not read.
        """
        self.pass_time(max(0.0, SEEN_SECS - self.now() + self.agents.since))
        container = self.container(pod)
        for _ in range(count):
            container.write_long_after("long after", age)
        if compress:
            container.rotate()
        self.pass_time(BACKUP_SECS + SEEN_SECS)

    @precondition(lambda self: self.containers)
    @rule(pod=pods, burst=st.sampled_from([(1100, 1), (3000, 2), (960, 290)]))
    def burst(self, pod: int, burst: tuple[int, int]) -> None:
        """Rows longer than a row may be, or more than one block of them."""
        size, count = burst
        container = self.container(pod)
        container.end_records()
        for _ in range(count):
            container.write("stdout", "F", "z" * size)

    @precondition(lambda self: self.containers)
    @rule(pod=pods, reuse=st.booleans(), times=st.integers(1, 7))
    def rotate(self, pod: int, reuse: bool, times: int) -> None:
        """While the agent is away, or between two of its steps: up to so many rotations."""
        container = self.container(pod)
        container.reuse = reuse
        for _ in range(times if not self.up else 1):
            container.rotate()
            if times > 1:
                container.write("stdout", "F", "rotated")

    @precondition(lambda self: self.containers)
    @rule(pod=pods, reuse=st.booleans(), steps=st.integers(1, 4))
    def kubelet_steps(self, pod: int, reuse: bool, steps: int) -> None:
        self.container(pod).reuse = reuse
        for _ in range(steps):
            self.container(pod).kubelet_step()

    @precondition(lambda self: self.containers and self.up)
    @rule(pod=pods, reuse=st.booleans(), steps=st.integers(1, 3), calls=st.integers(0, 12))
    def kubelet_steps_during(self, pod: int, reuse: bool, steps: int, calls: int) -> None:
        """The names move between two calls that the agent makes to the disk."""
        container = self.container(pod)
        if self.agents.disk is not None:
            self.agents.disk.during(calls, lambda: self.steps(container, reuse, steps))

    @precondition(lambda self: self.containers and not self.up)
    @rule(pod=pods, calls=st.integers(0, 15))
    def start_amid_rotation(self, pod: int, calls: int) -> None:
        """What is not held yet must not be overlooked either."""
        container = self.container(pod)
        container.end_records()
        container.write("stdout", "F", "unseen")
        self.start()
        if self.agents.disk is not None:
            self.agents.disk.during(calls, lambda: self.steps(container, False, None))

    def steps(self, container: Container, reuse: bool, steps: int | None) -> None:
        """Called by the agent, which would take an error of the model for one of the disk.

        None: a whole rotation, and a row after it.
        """
        container.reuse = reuse
        try:
            for _ in range(steps or 0):
                container.kubelet_step()
            if steps is None:
                container.rotate()
                container.write("stdout", "F", "amid")
        except Exception as error:
            self.ids.problems.append(f"the model is wrong: {error!r}")

    @precondition(lambda self: self.containers)
    @rule(pod=pods)
    def rename_back(self, pod: int) -> None:
        self.container(pod).rename_back()

    @precondition(lambda self: self.containers)
    @rule(pod=pods)
    def restart(self, pod: int) -> None:
        container = self.container(pod)
        if container.restart():
            self.know(container.log)
        self.note_deleted()

    @precondition(lambda self: len(self.containers) > 1)
    @rule(pod=pods)
    def remove_pod(self, pod: int) -> None:
        container = self.container(pod)
        if container.remove():
            self.containers.remove(container)
        self.note_deleted()

    def end_records(self) -> None:
        for container in self.containers:
            container.end_records()

    def write_more(self) -> None:
        for container in self.containers:
            container.write("stdout", "F", "more")
