"""The node and its surroundings: they do what the scenario says, whatever the agent does."""

import random
from collections.abc import Callable, Iterator
from functools import partial

from tests.simulation.container import Container
from tests.simulation.destinations import Destination
from tests.simulation.disk import Weather
from tests.simulation.files import LOGS, Files, Node
from tests.simulation.loop import Time
from tests.simulation.scenario import Burst, DiskFault, RoutePlan, Scenario
from tests.simulation.schedule import Schedule, Trace
from tests.simulation.truth import Truth

SYNC_SECS = 6.0
"""An fsync on a slow disk, at most."""
FAST_SYNC_SECS = 0.001
COLD, UNREADABLE = 0.3, 0.3


class Surroundings:
    def __init__(self, plan: Scenario, time: Time, schedule: Schedule, trace: Trace) -> None:
        self.plan, self.time, self.schedule, self.trace = plan, time, schedule, trace
        self.truth = Truth(time, plan.routes, self._troubled)
        self.files = Files(time, reuse=plan.reuse)
        self.files.make_dir(LOGS)
        self.weather = Weather(sync_secs=FAST_SYNC_SECS)
        self.containers: list[Container] = []
        self.held: Callable[[Node], bool] = lambda node: False
        """Whether a process has the file open."""
        self.destinations = {
            sink: Destination(
                sink, tuple(f for f in plan.faults if f.sink == sink), self.chance(f"sink {sink}")
            )
            for sink in sorted({route.sink for route in plan.routes})
        }

    def _troubled(self, route: RoutePlan) -> bool:
        own = any(f.sink == route.sink and f.start <= self.time.now for f in self.plan.faults)
        return own or any(fault.start <= self.time.now for fault in self.plan.disk_faults)

    def chance(self, purpose: str) -> random.Random:
        return random.Random(f"{purpose} {self.plan.seed}")

    def begin(self) -> None:
        plan, later = self.plan, self.schedule.later
        for number, at in enumerate(plan.begins):
            later(at, partial(self._add_container, number))
        for burst in plan.bursts:
            self._on(burst.container, burst.at, partial(self._write, burst))
        for rotate in plan.rotations:
            self._on(rotate.container, rotate.at, partial(self._rotate, rotate.reopen_secs))
        for at, number in plan.removals:
            self._on(number, at, self._remove)
        for fault in plan.disk_faults:
            later(fault.start, partial(self._disk, fault, True))
            later(fault.start + fault.secs, partial(self._disk, fault, False))

    def _on(self, number: int, at: float, act: Callable[[Container], None]) -> None:
        """Do something to a container, if it is there then."""

        def event() -> None:
            for container in self.containers:
                if container.number == number and not container.removed:
                    act(container)

        self.schedule.later(at, event)

    def _add_container(self, number: int) -> None:
        self.trace("container", number)
        container = Container(
            number, self.truth, self.files, self.time, self.chance(f"container {number}"),
            lambda node: self.held(node),
        )  # fmt: skip
        container.poison = self.plan.poison, list(self.destinations)
        if any(route.shed for route in self.plan.routes):
            container.severities = self.chance(f"severities {number}")
        self.containers.append(container)
        self.files.on_changed(container.directory)

    def _write(self, burst: Burst, container: Container) -> None:
        container.write(burst)
        self.trace("wrote", container.number, container.current.size)
        if burst.cut:
            self.schedule.later(0.05 + container.hesitation(), container.finish)

    def _rotate(self, reopen_secs: float, container: Container) -> None:
        self._steps(container, container.rotation(reopen_secs))

    def _steps(self, container: Container, steps: Iterator[float]) -> None:
        if container.removed:
            return
        secs = next(steps, None)
        self.trace("kubelet", container.number, secs)
        if secs is not None:
            self.schedule.later(secs, partial(self._steps, container, steps))

    def _remove(self, container: Container) -> None:
        self.trace("removed", container.number)
        container.remove()

    def _disk(self, fault: DiskFault, begins: bool) -> None:
        self.trace("disk", fault.kind, begins)
        weather = self.weather
        if fault.kind == "full":
            weather.full = begins
        elif fault.kind == "slow fsync":
            weather.sync_secs = SYNC_SECS if begins else FAST_SYNC_SECS
        elif fault.kind == "cold":
            weather.cold = COLD * begins
        else:
            weather.fails = UNREADABLE * begins

    def origins_there(self) -> dict[str, Container]:
        """By the directory of their logs."""
        return {container.directory: container for container in self.containers}
