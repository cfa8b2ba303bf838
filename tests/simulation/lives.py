"""The agent's lives: each is started, and told to stop or killed when the scenario says so.

A kill comes at a step: an await of some task, of which nothing after it is done any more. To meet
the interesting ones it waits for a moment (a write is begun, answered, settled, ...), and then some
steps more.
"""

from collections.abc import Callable
from functools import partial

from tests.simulation.directories import Directories
from tests.simulation.files import Node
from tests.simulation.process import JOURNAL, Process
from tests.simulation.scenario import End
from tests.simulation.watching import Life
from tests.simulation.world import Surroundings

MOMENT_SECS = 4.0
"""How long a kill waits for its moment."""


class Lives:
    def __init__(self, world: Surroundings) -> None:
        self._world, self._trace, self._time = world, world.trace, world.time
        self._later = world.schedule.later
        self._chance = world.chance("disk")
        self.process: Process | None = None
        self.ending: End | None = None
        self.stopping_at: float | None = None
        self._steps_left: int | None = None
        self.over = False
        """The last one has stopped."""
        world.held = self._held
        world.files.on_touched, world.files.on_changed = self._touched, self._changed

    def begin(self) -> None:
        for end in self._world.plan.ends:
            self._later(end.at, partial(self._arm, end))
        self._later(0.0, self._start)

    def happen(self, event: Callable[[], object]) -> None:
        """In the world, which may wake a task."""
        if self.process is None:
            event()
            return
        with self.process.running():
            event()

    def step(self) -> bool:
        """Whether there was anything to do."""
        process = self.process
        if process is None:
            return False
        with process.running():
            stepped = process.loop.step()
        if stepped:
            self._after_step(process)
        return stepped

    def _after_step(self, process: Process) -> None:
        for problem in process.loop.problems[:1]:
            self._world.truth.problem(problem)
        if self._steps_left is not None:
            self._steps_left -= 1
            if self._steps_left < 0:
                self._kill(process)
                return
        if process.task.done():
            self._end(process.ended)

    def _held(self, node: Node) -> bool:
        return self.process is not None and self.process.disk.holds(node)

    def _touched(self, node: Node) -> None:
        if self.process is not None:
            self.process.touched(node)

    def _changed(self, directory: str) -> None:
        if self.process is not None:
            directories = self.process.life.directories
            there = self._world.origins_there()
            if directory in there:
                directories.origins[directory] = there[directory].origin
            directories.changes(directory)

    def _start(self) -> None:
        self._trace("start")
        world = self._world
        there = world.origins_there()
        directories = Directories(watched=world.plan.watched)
        directories.origins = {path: container.origin for path, container in there.items()}
        life = Life(
            world.truth, self._time, world.plan.memory_bytes, world.destinations, directories,
            self._trace, self._moment,
            shedding=frozenset(route.name for route in world.plan.routes if route.shed),
        )  # fmt: skip
        self.process = Process(world.plan, life, world.files, world.weather, self._chance)

    def _arm(self, end: End) -> None:
        if self.process is None or self.ending is not None or self.stopping_at is not None:
            return
        self.ending, self._steps_left = end, None
        if end.how == "stop":
            self.stop()
        elif not end.moment:
            self._count_down(end)
        else:
            self._later(MOMENT_SECS, partial(self._count_down, end))

    def _moment(self, moment: str) -> None:
        end = self.ending
        if end is not None and end.how == "kill" and end.moment == moment:
            self._count_down(end)

    def _count_down(self, end: End) -> None:
        if self.ending is end and self._steps_left is None:
            self._steps_left = end.steps

    def _kill(self, process: Process) -> None:
        end = self.ending
        assert end is not None
        self._trace("kill")
        self._end(process.kill)
        journal = self._world.files.find(JOURNAL)
        if end.power_cut and journal is not None:
            size = self._chance.randint(0, len(journal.content))
            self._world.files.truncate(journal, size)

    def stop(self) -> None:
        assert self.process is not None
        self._trace("stop")
        self.stopping_at = self._time.now
        self.process.stop.set()

    def bury(self) -> None:
        """The run is over, however."""
        if self.process is not None:
            self._end(self.process.kill)

    def _end(self, how: Callable[[], None]) -> None:
        how()
        self.process, self._steps_left, self.stopping_at = None, None, None
        for file in self._world.truth.files():
            file.at_risk = file.at_risk or not file.exists
        end, self.ending = self.ending, None
        self._trace("ended")
        if end is None:
            self.over = True
        else:
            self._later(end.away_secs, self._start)
