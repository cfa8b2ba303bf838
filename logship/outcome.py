"""What a sink says about a write: the closed handful of outcomes.

Outcome      every row it does not name is durable there
Retry        the whole request, not now: the engine waits, with backoff and jitter
ConfigError  a person must act; raised before anything starts
anything else is a bug: counted, traced once a minute, nothing lost
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


class ConfigError(Exception):
    """Something in the configuration that a person must change."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


class Retry(Exception):
    """The whole request failed for now; `after` seconds if the destination named a time.

    `throttled`: it answers, and asks for less (a quota, overload: 429, 503, RESOURCE_EXHAUSTED).
    """

    def __init__(self, reason: str, after: float | None = None, *, throttled: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after
        self.throttled = throttled


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that the destination will never take."""

    batch: int
    """Index into the batches of the write."""
    row: int
    """Index into the rows of that batch."""
    reason: str


@dataclass(frozen=True, slots=True)
class Again:
    """Rows to send again later."""

    batch: int
    rows: Sequence[int] | None
    """Indices into the rows of that batch; None: all of them."""
    reason: str
    after: float | None = None
    throttled: bool = False
    """The destination asks for less; see `Retry`."""


@dataclass(frozen=True, slots=True)
class Altered:
    """Rows that are durable, but not as they were written: counted, and no fault of the write."""

    rows: int
    how: Literal["shortened", "split"]
    """A part of the text is missing; or it is several entries there, which are all of it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    refused: tuple[Refused, ...] = ()
    again: tuple[Again, ...] = ()
    altered: tuple[Altered, ...] = ()
    """Of the rows that this write made durable: none that is refused or comes again."""


DELIVERED = Outcome()
