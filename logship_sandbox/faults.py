"""Trouble on request: what a service does to its next call, and the count of what it did.

A `Fault` is a value that says how often which trouble comes; `decide` turns it and two numbers
(a clock, a die) into a `Verdict`; the services act on verdicts. The die is seeded, so that a run
that failed can be run again. Nothing here does I/O or waits.
"""

import random
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum

SERVICES = ("logging", "pubsub", "bigquery")
REFUSALS = (401, 403, 404)


class Action(Enum):
    """What happens to one call."""

    SERVE = "serve"
    FAIL = "fail"  # answered with the verdict's HTTP code
    DROP = "drop"  # the connection breaks, nothing is done
    LOSE = "lose"  # done, but the connection breaks before the answer
    HANG = "hang"  # taken, and never answered


@dataclass(frozen=True)
class Verdict:
    """One call's fate: wait `delay_secs`, then do `action`."""

    action: Action = Action.SERVE
    delay_secs: float = 0.0
    code: int = 0
    retry_after_secs: float = 0.0  # said with a failure: Retry-After, or gRPC's RetryInfo


@dataclass(frozen=True)
class Fault:
    """How often which trouble comes. Shares are of calls, 0 to 1; all of them together <= 1."""

    latency_secs: float = 0.0
    share_429: float = 0.0
    share_503: float = 0.0
    share_dropped: float = 0.0
    share_lost: float = 0.0  # carried out, but the answer is lost: makes copies
    share_hung: float = 0.0
    refuse: int = 0  # 401, 403 or 404 for every call; 0 is off
    partial_every: int = 0  # one in so many entries gets PERMISSION_DENIED (Cloud Logging only)
    poison: str = ""  # requests with this text anywhere are INVALID_ARGUMENT; not said where
    denied: str = ""  # permissions that callers lack, separated by spaces
    retry_after_secs: float = 0.0  # 429 and 503 say how long to wait
    stop_secs: float = 0.0  # every connection breaks for so long, from the moment it is set
    seed: int = 0

    def __post_init__(self) -> None:
        failed = (self.share_429, self.share_503)
        shares = (*failed, self.share_dropped, self.share_lost, self.share_hung)
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError(f"the shares of a fault must be 0 to 1 and at most 1 in sum: {shares}")
        times = (self.latency_secs, self.stop_secs, self.retry_after_secs)
        if min(*times, self.partial_every) < 0:
            raise ValueError(f"seconds and counts of a fault must not be negative: {self}")
        if self.refuse and self.refuse not in REFUSALS:
            raise ValueError(f"refuse must be one of {REFUSALS} or 0, not {self.refuse}")

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> "Fault":
        """Build from an admin request; an unknown name or a wrong type is a ValueError."""
        known = {f.name: f.type for f in fields(cls)}
        for name, item in value.items():
            if name not in known:
                raise ValueError(f"unknown fault {name!r}: known are {', '.join(known)}")
            if known[name] is str:
                if not isinstance(item, str):
                    raise ValueError(f"fault {name} must be a text, not {item!r}")
                continue
            if isinstance(item, bool) or not isinstance(item, (int, float)):
                raise ValueError(f"fault {name} must be a number, not {item!r}")
            if known[name] is int and not isinstance(item, int):
                raise ValueError(f"fault {name} must be a whole number, not {item!r}")
        return cls(**value)  # type: ignore[arg-type]  # checked just above

    def refuses_entry(self, insert_id: str) -> bool:
        """Whether this entry is refused: by its id, so that a second try finds the same answer."""
        if not self.partial_every:
            return False
        return zlib.crc32(insert_id.encode(), self.seed & 0xFFFFFFFF) % self.partial_every == 0

    def denies(self, permission: str) -> bool:
        """Whether callers lack this permission of IAM."""
        return permission in self.denied.split()

    def poisons(self, content: bytes) -> bool:
        """Whether these bytes are refused, with everything that came with them."""
        return bool(self.poison) and self.poison.encode() in content


def decide(fault: Fault, since_set_secs: float, roll: float) -> Verdict:
    """The fate of one call, `since_set_secs` after the fault was set; `roll` is in [0, 1)."""
    if since_set_secs < fault.stop_secs:
        return Verdict(Action.DROP)
    if fault.refuse:
        return Verdict(Action.FAIL, fault.latency_secs, fault.refuse)
    for share, action, code in (
        (fault.share_429, Action.FAIL, 429),
        (fault.share_503, Action.FAIL, 503),
        (fault.share_dropped, Action.DROP, 0),
        (fault.share_lost, Action.LOSE, 0),
        (fault.share_hung, Action.HANG, 0),
    ):
        if roll < share:
            return Verdict(action, fault.latency_secs, code, fault.retry_after_secs)
        roll -= share
    return Verdict(Action.SERVE, fault.latency_secs)


class Faults:
    """The fault that each service has now."""

    def __init__(self) -> None:
        self.on_change: list[Callable[[], None]] = []  # for calls that are open and wait
        self._active: dict[str, tuple[Fault, float, random.Random]] = {}

    def set(self, service: str, fault: Fault) -> None:
        """Give `service` this fault instead of the one it had."""
        if service not in SERVICES:
            raise ValueError(f"unknown service {service!r}: known are {', '.join(SERVICES)}")
        self._active[service] = (fault, time.monotonic(), random.Random(fault.seed))
        self._tell()

    def clear(self) -> None:
        """Every service works again."""
        self._active.clear()
        self._tell()

    def _tell(self) -> None:
        for listener in self.on_change:
            listener()

    def current(self, service: str) -> Fault:
        """The fault in force; one without any trouble when none is."""
        active = self._active.get(service)
        return active[0] if active else Fault()

    def stopped(self, service: str) -> bool:
        """Whether a full stop is on: what is open ends too."""
        active = self._active.get(service)
        return active is not None and time.monotonic() - active[1] < active[0].stop_secs

    def next(self, service: str) -> Verdict:
        """Roll the die for one call."""
        active = self._active.get(service)
        if active is None:
            return Verdict()
        fault, set_at, die = active
        return decide(fault, time.monotonic() - set_at, die.random())


@dataclass
class Counts:
    """What one service did since it started."""

    requests: int = 0
    entries: int = 0  # accepted: log entries, or messages published
    refused: int = 0  # entries answered with an error of their own
    bytes: int = 0  # request bodies as they came over the wire
    errors: Counter[str] = field(default_factory=Counter)  # by HTTP or gRPC code, or action

    def as_json(self) -> dict[str, object]:
        """The shape of GET /sandbox/stats."""
        return {
            "requests": self.requests,
            "entries": self.entries,
            "refused": self.refused,
            "bytes": self.bytes,
            "errors": dict(self.errors),
        }
