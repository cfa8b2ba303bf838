"""How far behind routes are: values, and how they add up. Pure.

Of an origin and a route, all bytes on the disk are settled, in flight or unread, so both numbers
here are exact. *Unread* is what is in no batch (also what was released and has to be read again,
and parts of records that have not ended); *in flight* what is in batches that are not settled. Both
are uncompressed bytes of log.

The sum of several: bytes are added, the oldest row is the oldest of all, the risk is the nearest.
"""

from collections.abc import Iterable
from dataclasses import dataclass

WORST = 20
"""So many namespaces are shown by name: the number of all has no bound."""


@dataclass(frozen=True, slots=True)
class Lag:
    """Of one origin, or of many."""

    origins: int = 0
    """Those with unread bytes."""
    unread_bytes: int = 0
    in_flight_bytes: int = 0
    oldest_ns: int | None = None
    """The time of the oldest unread row; None: nothing is unread, or it cannot be told."""
    risk_secs: float | None = None
    """See `rotation`."""

    def as_dict(self, now_ns: int) -> dict[str, object]:
        """JSON-ready."""
        age = None if self.oldest_ns is None else max(0.0, (now_ns - self.oldest_ns) / 1e9)
        return {
            "origins_behind": self.origins,
            "unread_bytes": self.unread_bytes,
            "in_flight_bytes": self.in_flight_bytes,
            "oldest_unread_age_secs": age,
            "rotation_risk_secs": self.risk_secs,
        }


def total(lags: Iterable[Lag]) -> Lag:
    every = list(lags)
    return Lag(
        sum(lag.origins for lag in every),
        sum(lag.unread_bytes for lag in every),
        sum(lag.in_flight_bytes for lag in every),
        min((lag.oldest_ns for lag in every if lag.oldest_ns is not None), default=None),
        min((lag.risk_secs for lag in every if lag.risk_secs is not None), default=None),
    )


@dataclass(frozen=True, slots=True)
class RouteLag:
    """Of one route: by namespace."""

    namespaces: dict[str, Lag]

    @property
    def all(self) -> Lag:
        return total(self.namespaces.values())

    def as_dict(self, now_ns: int) -> dict[str, object]:
        """JSON-ready: the worst by name, the rest in one."""
        behind = {name: lag for name, lag in self.namespaces.items() if lag != Lag()}
        names = sorted(behind, key=lambda name: (-behind[name].unread_bytes, name))
        rest = names[WORST:]
        others = total(behind[name] for name in rest).as_dict(now_ns)
        return {
            **self.all.as_dict(now_ns),
            "namespaces": {name: behind[name].as_dict(now_ns) for name in names[:WORST]},
            "other_namespaces": {"count": len(rest), **others},
        }


def by_namespace(lags: Iterable[tuple[str, Lag]]) -> RouteLag:
    """The lags of a route's origins, each with its namespace, added up."""
    found: dict[str, list[Lag]] = {}
    for namespace, lag in lags:
        found.setdefault(namespace, []).append(lag)
    return RouteLag({name: total(every) for name, every in found.items()})
