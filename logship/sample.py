"""A log that somebody describes, as a source would have found it: for `logship test`."""

from dataclasses import dataclass

from logship.origin import NO_WISH, Labels, Origin, Wish
from logship.rows.index import Cutting


class NotRead(Exception):
    """The source would not read such a log; the message says why."""


@dataclass(frozen=True, slots=True)
class Sample:
    origin: Origin
    """Its labels decide about routes."""
    cutting: Cutting
    labels: Labels
    """Of its rows: those of the origin, but for what comes from a broker."""
    wish: Wish = NO_WISH
    """What its metadata asks for; its cutting holds already."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a sink would send for a row. A row that is sent in parts has several."""

    row: int
    """Index into the rows of the batch."""
    sent: dict[str, object]
    """JSON-ready, as the destination knows it."""
    severity: str = ""
    """As it is stored there; empty: it is not."""
    labels: dict[str, str] | None = None
    """That the row has there; None: those that its origin and transforms gave it."""
