"""When what happens: in ticks of the writer, so that a seed decides all that is written.

Everything is written tick by tick, however long a tick takes. What the kubelet unlinks, and when
the agent is killed, waits for facts as well (see `director`); it changes nothing that is written.
"""

from dataclasses import dataclass

TICK_SECS = 0.05
ROTATION_CHECK_SECS = 4.0
"""The kubelet's containerLogMonitorInterval is 10 s; a minute should show more rotations."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Ticks, from 0."""

    delete_early: int
    restarts: tuple[int, int]
    kill: int
    delete_late: int
    end: int

    @classmethod
    def over(cls, seconds: float) -> "Timeline":
        ticks = max(20, round(seconds / TICK_SECS))
        return cls(
            delete_early=round(ticks * 0.15),
            restarts=(round(ticks * 0.35), round(ticks * 0.65)),
            kill=round(ticks * 0.45),
            delete_late=round(ticks * 0.8),
            end=ticks,
        )

    @property
    def rotation_every(self) -> int:
        return round(ROTATION_CHECK_SECS / TICK_SECS)
