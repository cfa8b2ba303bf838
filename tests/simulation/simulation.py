"""One run: the world and the agent take turns, one step at a time, on one clock.

The world does what its scenario says, at its times; the agent does one step (up to its next await)
whenever it can; when neither can, time jumps. Nothing else decides anything: a seed is a run. What
happens goes into a trace, and the trace of a run is the same whenever and wherever it is repeated.
"""

import random
from dataclasses import dataclass

from tests.simulation.checks import Checks
from tests.simulation.lives import Lives
from tests.simulation.loop import Time
from tests.simulation.scenario import Scenario
from tests.simulation.schedule import Schedule, Trace
from tests.simulation.watching import watched
from tests.simulation.world import Surroundings

TICK_SECS = 0.5
RESUME_SECS = 150.0
"""When faults have ended, everything arrives within this."""
STOP_SECS = 30.0
MAX_STEPS = 100_000
"""Of a whole run, which takes some thousand."""


@dataclass(frozen=True)
class Result:
    seed: int
    problems: tuple[str, ...]
    digest: str = ""
    """Of everything that happened."""
    trace: tuple[str, ...] = ()
    """The last of it."""
    counted: tuple[tuple[str, int], ...] = ()
    """How often what happened."""


class Simulation:
    def __init__(self, plan: Scenario, *, keep: int) -> None:
        random.seed(f"engine {plan.seed}")  # jitter
        self._plan = plan
        self._time = Time()
        self._schedule, self._trace = Schedule(self._time), Trace(self._time, keep)
        self._world = Surroundings(plan, self._time, self._schedule, self._trace)
        self._truth = self._world.truth
        self._lives = Lives(self._world)
        self._checks = Checks(self._world, self._lives)
        self._steps = 0

    def run(self) -> Result:
        self._world.begin()
        self._lives.begin()
        self._schedule.later(TICK_SECS, self._tick)
        with watched():
            while not self._lives.over and not self._truth.problems:
                self._turn()
            self._lives.bury()
        counted = self._trace.counted
        announced = [route.announced for route in self._truth.routes.values()]
        counted.update(
            steps=self._steps, rows=len(self._truth.records), copies=self._truth.copies,
            shed=sum(one.count for one in announced),
            summaries=sum(one.summaries for one in announced),
        )  # fmt: skip
        return Result(
            self._plan.seed, tuple(self._truth.problems), self._trace.digest,
            tuple(self._trace.lines), tuple(counted.items()),
        )  # fmt: skip

    def _turn(self) -> None:
        if self._schedule.next_at <= self._time.now:
            self._lives.happen(self._schedule.pop())
            return
        if self._lives.step():
            self._steps += 1
            if self._steps > MAX_STEPS:
                self._truth.problem("a hot loop: too many steps")
            return
        until, process = self._schedule.next_at, self._lives.process
        timer = process.loop.next_timer() if process is not None else None
        self._time.now = max(self._time.now, until if timer is None else min(timer, until))

    def _tick(self) -> None:
        self._schedule.later(TICK_SECS, self._tick)
        lives, now = self._lives, self._time.now
        if lives.stopping_at is not None and now - lives.stopping_at > STOP_SECS:
            self._truth.problem("it does not stop")
        if lives.process is None or lives.stopping_at is not None:
            return
        self._checks.moment(lives.process)
        self._checks.delays(lives.process)
        if now < self._plan.quiet_at or lives.ending is not None:
            return
        waits = self._checks.waits(lives.process)
        if waits is None:
            self._checks.end(lives.process)
            lives.stop()
        elif now > self._plan.quiet_at + RESUME_SECS:
            self._truth.problem(f"no progress: {waits}")


def run(plan: Scenario, *, keep: int = 60) -> Result:
    return Simulation(plan, keep=keep).run()
