"""A rollout of the DaemonSet on a node whose pods write all the time, with one sink dead.

In order: an agent ships; Cloud Logging dies; the next agent comes up beside the first (maxSurge 1)
and is ready; Pub/Sub stalls, so that the first has something to wait for when it is told to end;
while it drains one pod is deleted, another's log is rotated, and a third begins; Pub/Sub goes on
and the first agent is gone; the pods end; Cloud Logging comes back. Nothing here judges what came
of it; it fails only where the course of things was another one.
"""

import threading
import time
from dataclasses import dataclass, field

from tests.e2e.containerd.rollout import kernel_view
from tests.e2e.containerd.rollout.agent_pod import AgentPod, Ended
from tests.e2e.containerd.rollout.kernel_view import Confinement, Memory
from tests.e2e.containerd.rollout.node import Node
from tests.e2e.containerd.rollout.writers import Writer
from tests.e2e.containerd.rotating import Rotation
from tests.e2e.waiting import wait_for

ALIVE, DEAD = ("app-by-annotation", "app-by-field"), "rest"
"""The manifest's routes, by what becomes of their sink."""
UNLINK_SECS, DELETED_SECS = 1.0, 4.0
"""From the last line of a deleted pod until the kubelet unlinks its log, and from then until the
API server has deleted the pod: as on a real one."""
_SECS = 20.0
_CATCH_UP_SECS = 40.0


@dataclass
class Seen:
    """Of agents: the old one's, then the new one's."""

    writers: dict[str, Writer]
    confined: list[Confinement] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    """Just before each ended."""
    ended: list[Ended] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    without_metadata: int = 0
    """Logs of which the API server did not tell in time."""
    logs: list[str] = field(default_factory=list)


class Rollout:
    def __init__(self, node: Node, image: str) -> None:
        self._node, self._image = node, image
        self.seen = Seen({})

    def write(self, name: str, *, namespace: str = "e2e", route: str = "", every: int = 0) -> None:
        writer = self._node.write(name, namespace=namespace, route=route, app_every=every)
        self.seen.writers[name] = writer

    def start(self, name: str) -> AgentPod:
        agent = self._node.agent(name, self._image)
        agent.start()
        agent.wait_ready()
        assert agent.probe(agent.request.liveness)
        self.seen.confined.append(kernel_view.confinement(agent.pid))
        return agent

    def begin(self) -> AgentPod:
        """One agent on all routes; then one of its sinks dies."""
        self.write("web")
        self.write("job")
        self.write("orders", route="app")
        self.write("mixed", every=3)
        self.write("dns", namespace="kube-system")
        agent = self.start("logship-old")
        wait_for("rows on all routes", _SECS, lambda: all_deliver(agent, *ALIVE, DEAD))
        self._node.logging.shut()
        wait_for("failure of the sink", _SECS, lambda: agent.route(DEAD).retries > 0)
        return agent

    def surge(self) -> AgentPod:
        """The next one, which has to wait."""
        agent = self.start("logship-new")
        assert "another agent holds" in agent.log(), agent.log()
        return agent

    def hand_over(self, old: AgentPod) -> None:
        """The old one drains, and meanwhile things happen."""
        seen, held = self.seen, self._node.pubsub
        held.hold()
        wait_for("writes that wait", _SECS, lambda: all_write(old, *ALIVE))
        self.look(old)
        stopping = Stopping(old)
        wait_for("its drain", _SECS, lambda: "stopping" in old.log())
        self.delete(seen.writers["job"])
        assert Rotation(seen.writers["web"].container).rotate()
        self.write("late", every=2)
        assert old.ended() is None, f"it did not wait for what it had sent:\n{old.log()}"
        held.let_go()
        stopping.wait()
        self.take_away(old)

    def finish(self, new: AgentPod) -> None:
        """The new one goes on alone; the dead sink comes back after the last line was written."""
        wait_for("rows of the new one", _SECS, lambda: all_deliver(new, *ALIVE))
        for name, writer in self.seen.writers.items():
            if name != "job":
                writer.end()
        wait_for("delivery to the other sink", _SECS, lambda: all_drained(new, *ALIVE))
        route = new.route(DEAD)
        assert (route.delivered_rows, route.retries > 0) == (0, True), f"its sink lives: {route}"
        self._node.logging.open()
        new.wait_shipped(self._node.followed(), _CATCH_UP_SECS)
        self.look(new)
        Stopping(new).wait()
        self.take_away(new)

    def delete(self, writer: Writer) -> None:
        """As when a person deletes the pod."""
        writer.end()
        time.sleep(UNLINK_SECS)
        writer.unlink_log()
        self._node.forget(writer, DELETED_SECS)

    def look(self, agent: AgentPod) -> None:
        status = agent.status()
        self.seen.trouble += status.trouble
        self.seen.without_metadata += status.origins_decided_without_metadata
        if kernel_view.memory_controller() is None:
            self.seen.memory.append(kernel_view.memory(agent.pid))

    def take_away(self, agent: AgentPod) -> None:
        ended = agent.ended()
        assert ended is not None
        self.seen.ended.append(ended)
        self.seen.logs.append(agent.log())
        self._node.remove(agent)


def roll_out(node: Node, image: str) -> Seen:
    rollout = Rollout(node, image)
    old = rollout.begin()
    new = rollout.surge()
    rollout.hand_over(old)
    rollout.finish(new)
    return rollout.seen


def all_deliver(agent: AgentPod, *routes: str) -> bool:
    found = agent.status().routes
    return all(found[route].delivered_rows for route in routes)


def all_drained(agent: AgentPod, *routes: str) -> bool:
    found = agent.status().routes
    return all(found[route].drained for route in routes)


def all_write(agent: AgentPod, *routes: str) -> bool:
    found = agent.status().routes
    return all(found[route].writes_in_flight for route in routes)


class Stopping:
    """The agent is told to end, as the kubelet tells it, while the test goes on."""

    def __init__(self, agent: AgentPod) -> None:
        self._limit = agent.request.grace_secs + _SECS
        self._thread = threading.Thread(target=agent.stop)
        self._thread.start()

    def wait(self) -> None:
        self._thread.join(self._limit)
        assert not self._thread.is_alive(), "the runtime does not end the container"
