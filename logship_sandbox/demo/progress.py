"""One look at everything that runs: what was written, what has arrived, who holds how much."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True, slots=True)
class Status:
    """Of an agent or a loader, summed over its routes (`GET /status`)."""

    origins: int
    """Logs it has open."""
    waiting_bytes: int
    """On the disk and in no batch yet."""
    held_bytes: int
    in_flight: int
    """Writes that have not been answered."""
    delivered_rows: int
    bugs: int
    lost_events: int
    dead_rows: int
    last_error: str

    @classmethod
    def of(cls, answer: Mapping[str, object]) -> "Status":
        routes = cast("Mapping[str, Mapping[str, object]]", answer["routes"]).values()

        def total(name: str) -> int:
            return sum(cast(int, route[name] or 0) for route in routes)

        return cls(
            origins=cast(int, answer["origins"]) - cast(int, answer["origins_undecided"]),
            waiting_bytes=total("waiting_bytes"),
            held_bytes=total("held_bytes"),
            in_flight=total("writes_in_flight"),
            delivered_rows=total("delivered_rows"),
            bugs=total("bugs"),
            lost_events=total("lost_events"),
            dead_rows=total("dead_rows"),
            last_error=next((str(r["last_error"]) for r in routes if r["last_error"]), ""),
        )

    @property
    def idle(self) -> bool:
        """Whether everything there is has been delivered."""
        return not (self.waiting_bytes or self.held_bytes or self.in_flight)


@dataclass(frozen=True, slots=True)
class Worker:
    """A process on the screen."""

    name: str
    pid: int | None
    rss_bytes: int | None
    status: Status | None


@dataclass(frozen=True, slots=True)
class Sample:
    secs: float
    """Since the demo began."""
    written: Mapping[str, int]
    """Rows by destination."""
    arrived: Mapping[str, int]
    """Rows by destination, copies included."""
    workers: tuple[Worker, ...]


def arrival_rate(now: Sample, before: Sample | None, place: str) -> float:
    """Rows a second that arrived between two samples."""
    if before is None or now.secs <= before.secs:
        return 0.0
    return max(0, now.arrived[place] - before.arrived[place]) / (now.secs - before.secs)
