"""What must hold of a run as a whole, beside what is checked at each event (`truth`, `watching`).

Delays: a row that is on the disk arrives within seconds, as long as the agent runs and its own sink
works; whatever else is the matter must not be felt. Quiet: once nothing happens any more, every row
arrives, nothing is held, and the counters agree.
"""

from tests.simulation.lives import Lives
from tests.simulation.process import Process
from tests.simulation.scenario import DiskFault, RoutePlan
from tests.simulation.world import Surroundings

DELAY_SECS = 10.0
"""A route that is well delivers a row within this: looking, rotation, a new start, a burst."""
RECOVERY_SECS = 45.0
"""How long a sink's own fault may be felt when it is over: its longest backoff, and more."""
SUMMARY_SECS = 75.0
"""How much later what a route has dropped is announced and settled."""
SUMMARIES_BYTES = 50_000
"""What is on a shelf beside what fits: one batch always does, and summaries come on top."""


class Checks:
    def __init__(self, world: Surroundings, lives: Lives) -> None:
        self._world, self._lives = world, lives
        self._plan, self._truth, self._time = world.plan, world.truth, world.time

    def delays(self, process: Process) -> None:
        now = self._time.now
        for route in self._truth.routes.values():
            since = max(process.started_at, self._troubled_until(route.plan))
            if now - since <= DELAY_SECS:
                continue
            record = self._truth.missing(route)
            if record is not None and now - max(record.at, since) > DELAY_SECS:
                self._truth.problem(
                    f"route {route.plan.name} is well, but {record.id} waits since {record.at:.3f}"
                )

    def moment(self, process: Process) -> None:
        """At any: every row is somewhere, and what a route that sheds keeps is within its part."""
        for route in process.pipeline.routes:
            if lost := route.counters.unaccounted:
                self._truth.problem(f"route {route.name}: {lost} rows are unaccounted for")
            if route.shedding is None:
                continue
            kept = route.shedding.kept_bytes()
            largest = process.life.largest.get(route.name, 0)
            if kept > max(route.budget.own_bytes, largest) + SUMMARIES_BYTES:
                self._truth.problem(f"route {route.name} keeps {kept} bytes on its shelf")

    def _troubled_until(self, plan: RoutePlan) -> float:
        """When the last fault of its own ends, of those that began."""
        now = self._time.now
        ends = [
            fault.over + RECOVERY_SECS + SUMMARY_SECS * (plan.shed is not None)
            for fault in self._plan.faults
            if fault.sink == plan.sink and fault.start <= now
        ]
        ends += [
            fault.start + fault.secs + DELAY_SECS
            for fault in self._plan.disk_faults
            if fault.start <= now and self._concerns(fault)
        ]
        return max(ends, default=0.0)

    def _concerns(self, fault: DiskFault) -> bool:
        """Whether it may hold rows back: where dead letters cannot be written, or logs be read."""
        return fault.kind == "unreadable" or self._plan.poison > 0

    def waits(self, process: Process) -> str | None:
        """What is still waited for."""
        for route in self._truth.routes.values():
            record = self._truth.missing(route)
            if record is not None:
                return f"route {route.plan.name} lacks {record.id} {record.text[:40]!r}"
        for name, out in process.life.out.items():
            if out:
                return f"route {name} has {len(out)} batches out"
        for found in process.pipeline.routes:
            if found.budget.held:
                return f"route {found.name} holds {found.budget.held} bytes"
            if found.waiting_bytes():
                return f"route {found.name} says that {found.waiting_bytes()} bytes wait"
        return None

    def end(self, process: Process) -> None:
        """Everything arrived: what do the counters say?"""
        plan, problem = self._plan, self._truth.problem
        at_risk = any(file.at_risk for file in self._truth.files())
        if self._truth.copies and not (plan.faults or plan.disk_faults or plan.ends):
            problem(f"{self._truth.copies} rows arrived twice, though nothing went wrong")
        for route in process.pipeline.routes:
            if route.counters.lost_events and not at_risk:
                problem(f"route {route.name} counts losses, but nothing was lost")
            seen, counters = process.life.counted.get(route.name, 0), route.counters
            if counters.held_rows or (counters.read_rows != seen and not counters.lost_events):
                problem(
                    f"route {route.name}: {seen} rows were settled, {counters.read_rows} read,"
                    f" {counters.held_rows} held: {counters}"
                )
        for name, route_truth in self._truth.routes.items():
            if not (plan.ends or at_risk or self._taken_in_part(route_truth.plan)):
                for said in route_truth.announced.exact():
                    problem(f"route {name}: {said}")

    def _taken_in_part(self, route: RoutePlan) -> bool:
        """A row may be there, and come again, and be dropped then: announced in vain."""
        return any(f.sink == route.sink and f.kind != "quota" for f in self._plan.faults)
