"""What joiners of rows find: runs of rows of one stream that are one record.

A `Joiner` sees the texts of one stream in order, and nothing else. What it finds depends on the
rows of a record and the few that follow, never on what came before: so it finds the same in every
block that has these rows, wherever the block begins and ends.
"""

from collections.abc import Collection, Container, Iterable, Sequence
from typing import NamedTuple, Protocol


class Run(NamedTuple):
    """Rows [start, stop) of a stream are one record."""

    start: int
    stop: int
    torn: bool
    """Its beginning or its end is missing."""


class Scan(NamedTuple):
    runs: list[Run]
    """Records of several rows, and torn ones of one."""
    open_at: int
    """The first row that may belong to a record which goes on; as many as there are rows: none."""


class Limits(NamedTuple):
    max_bytes: int
    """Of a record's text in UTF-8."""
    max_rows: int


class Joiner(Protocol):
    reach: int
    """How many of a stream's last rows say whether a record is open after them."""

    def none_in(self, firsts: Collection[str], texts: Sequence[str]) -> bool:
        """Whether these rows are surely all records; `firsts`: their first characters."""
        ...

    def may_be_open(self, last: Iterable[str]) -> bool:
        """Whether a record may be open after a stream's last `reach` rows; never wrongly False.

        The last one comes first, so that as few as need be are looked for.
        """
        ...

    def scan(self, texts: Sequence[str], ends: Container[int], *, closing: bool) -> Scan:
        """The records. `ends`: rows after which nothing goes on. `closing`: nor after the last."""
        ...


def text_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="replace"))
