"""What happens in a run: a value, drawn from its seed and nothing else."""

import random
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args

from tests.simulation.storm import ShedPlan

FaultKind = Literal[
    "slow", "429", "503", "some again", "all again", "hangs", "hangs, written", "late error",
    "disconnects", "breaks", "quota",
]  # fmt: skip
FAULTS: tuple[FaultKind, ...] = tuple(kind for kind in get_args(FaultKind) if kind != "quota")
"""Those of any run; `quota` is of storms."""
DiskKind = Literal["full", "slow fsync", "cold", "unreadable"]
DISK_FAULTS: tuple[DiskKind, ...] = get_args(DiskKind)
Moment = Literal["", "write", "answer", "take", "settle", "release", "state"]
MOMENTS: tuple[Moment, ...] = get_args(Moment)
STORMS = 10
"""One seed in so many has a route that may shed."""
HANG_SECS = 25.0
"""When a client gives up."""


@dataclass(frozen=True)
class RoutePlan:
    name: str
    sink: str
    drops: bool
    """A transform drops rows with "drop" in them."""
    stream: str
    """It has a condition: rows of this stream. Empty: none."""
    goes_on: bool
    """Other routes have the rows too that it takes."""
    shed: ShedPlan | None = None


@dataclass(frozen=True)
class Burst:
    """Rows that a container writes at once."""

    at: float
    container: int
    rows: int
    size: int
    partial: float
    """How likely a row is cut in parts."""
    cut: Literal["", "half a line", "open record"]
    """What its last row lacks until a moment later."""


@dataclass(frozen=True)
class Rotate:
    at: float
    container: int
    reopen_secs: float


@dataclass(frozen=True)
class Fault:
    """A sink behaves badly."""

    sink: str
    kind: FaultKind
    start: float
    secs: float
    share: float
    """Of the requests."""
    after: float | None
    """Retry-After."""

    @property
    def over(self) -> float:
        """When the last request that met it has ended, and its time to wait with it."""
        return self.start + self.secs + (self.after or 0) + HANG_SECS * ("hangs" in self.kind)


@dataclass(frozen=True)
class DiskFault:
    kind: DiskKind
    start: float
    secs: float


@dataclass(frozen=True)
class End:
    """The process ends, and another one starts after a while."""

    at: float
    how: Literal["kill", "stop"]
    moment: Moment
    """Of a kill: with the next of these..."""
    steps: int
    """...and so many steps later: a step runs to the next await."""
    away_secs: float
    power_cut: bool
    """The journal loses its end, as far back as chance will have it."""


@dataclass(frozen=True)
class Scenario:
    seed: int
    routes: tuple[RoutePlan, ...]
    memory_bytes: int
    request_bytes: int
    watched: bool
    """inotify works."""
    reuse: bool
    """Inodes are used again."""
    poison: float
    """How likely a row is one that a sink refuses."""
    begins: tuple[float, ...]
    """When each container starts."""
    removals: tuple[tuple[float, int], ...]
    """Containers whose pods are deleted."""
    bursts: tuple[Burst, ...]
    rotations: tuple[Rotate, ...]
    faults: tuple[Fault, ...]
    disk_faults: tuple[DiskFault, ...]
    ends: tuple[End, ...]
    quiet_at: float
    """Nothing happens any more: everything has to arrive."""

    def text(self) -> str:
        lines = []
        for field in fields(self):
            value = getattr(self, field.name)
            lines += [f"  {field.name}:"] if isinstance(value, tuple) else [
                f"  {field.name}: {value!r}"
            ]  # fmt: skip
            lines += [f"    {part}" for part in value] if isinstance(value, tuple) else []
        return "\n".join(lines)


def scenario(seed: int) -> Scenario:
    from tests.simulation.stormy import stormy  # which changes what is drawn here

    found = _Drawing(seed).scenario()
    return stormy(found, random.Random(f"storm {seed}")) if seed % STORMS == 4 else found


class _Drawing:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = random.Random(f"scenario {seed}")
        self._quiet_at = self._random.uniform(12, 40)
        self._containers = self._random.choice((1, 1, 2, 2, 3))

    def scenario(self) -> Scenario:
        draw, quiet_at = self._random, self._quiet_at
        routes = self._routes()
        begins = [0.0] + [
            draw.choice((0.0, draw.uniform(0, 10))) for _ in range(1, self._containers)
        ]
        faults = tuple(self._fault(sink) for sink in self._faulty(routes))
        return Scenario(
            seed=self._seed,
            routes=routes,
            memory_bytes=draw.choice((1 << 20, 2 << 20, 8 << 20)),
            request_bytes=draw.choice((32 << 10, 256 << 10, 1 << 20)),
            watched=draw.random() < 0.8,
            reuse=draw.random() < 0.5,
            poison=draw.choice((0.0, 0.0, 0.01, 0.1)),
            begins=tuple(begins),
            removals=self._removals(),
            bursts=self._bursts(faults),
            rotations=self._rotations(),
            faults=faults,
            disk_faults=tuple(self._disk_fault() for _ in range(draw.choice((0, 0, 1, 2)))),
            ends=self._ends(),
            quiet_at=quiet_at,
        )

    def _routes(self) -> tuple[RoutePlan, ...]:
        draw = self._random
        sinks = draw.choice((("a", "b"), ("a", "b"), ("a", "b", "c"), ("a", "b", "b")))
        names = ("first", "second", "third")
        found = [
            RoutePlan(name, sink, draw.random() < 0.3, "", True)
            for name, sink in zip(names, sinks, strict=False)
        ]
        if draw.random() < 0.3:
            found[0] = replace(found[0], stream="stderr", goes_on=draw.random() < 0.5)
        return tuple(found)

    def _faulty(self, routes: tuple[RoutePlan, ...]) -> list[str]:
        """Half of the runs leave one sink in peace, and the others must not be felt there."""
        sinks = sorted({route.sink for route in routes})
        if self._random.random() < 0.6:
            sinks.remove(self._random.choice(sinks))
        return [self._random.choice(sinks) for _ in range(self._random.choice((0, 1, 2, 3, 5)))]

    def _fault(self, sink: str) -> Fault:
        draw = self._random
        start = draw.uniform(0, self._quiet_at * 0.7)
        secs = draw.uniform(0.5, self._quiet_at - start)
        after = draw.choice((None, None, draw.uniform(0, 3), draw.uniform(5, 20)))
        return Fault(
            sink, draw.choice(FAULTS), start, secs, draw.choice((0.3, 1.0, 1.0)), after
        )  # fmt: skip

    def _disk_fault(self) -> DiskFault:
        draw = self._random
        start = draw.uniform(0, self._quiet_at * 0.8)
        secs = draw.uniform(0.5, self._quiet_at - start)
        return DiskFault(draw.choice(DISK_FAULTS), start, secs)

    def _bursts(self, faults: tuple[Fault, ...]) -> tuple[Burst, ...]:
        draw = self._random
        found = [self._burst(draw.uniform(0, self._quiet_at)) for _ in range(draw.randint(8, 40))]
        if draw.random() < 0.4:  # more than the memory holds, best while a sink is ill
            middle = [fault.start + fault.secs / 3 for fault in faults]
            at = draw.choice(middle or [self._quiet_at / 2])
            found += [
                self._burst(at + n * 0.3, rows=40, size=8000) for n in range(draw.randint(2, 8))
            ]
        return tuple(sorted(found, key=lambda burst: burst.at))

    def _burst(self, at: float, rows: int = 0, size: int = 0) -> Burst:
        draw = self._random
        return Burst(
            at,
            draw.randrange(self._containers),
            rows or draw.choice((1, 3, 10, 30)),
            size or draw.choice((10, 100, 1000)),
            draw.choice((0.0, 0.0, 0.1, 0.5)),
            draw.choice(("", "", "", "half a line", "open record")),
        )

    def _rotations(self) -> tuple[Rotate, ...]:
        draw = self._random
        count = draw.choice((0, 1, 2, 4, 8))
        return tuple(
            Rotate(at, draw.randrange(self._containers), draw.choice((0.0, 0.001, 0.5, 1.5)))
            for at in sorted(draw.uniform(0, self._quiet_at) for _ in range(count))
        )

    def _removals(self) -> tuple[tuple[float, int], ...]:
        if self._containers == 1 or self._random.random() < 0.7:
            return ()
        return ((self._random.uniform(5, self._quiet_at), self._containers - 1),)

    def _ends(self) -> tuple[End, ...]:
        draw = self._random
        count = draw.choice((0, 1, 1, 2, 3, 6))
        return tuple(self._end(draw.uniform(0, self._quiet_at)) for _ in range(count))

    def _end(self, at: float) -> End:
        draw = self._random
        return End(
            at,
            draw.choice(("kill", "kill", "kill", "stop")),
            draw.choice(MOMENTS),
            draw.choice((0, 1, 2, 5, draw.randint(0, 60))),
            draw.choice((0.0, 0.1, draw.uniform(0, 8))),
            draw.random() < 0.2,
        )
