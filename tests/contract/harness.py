"""What the contract suite needs of a sink: a destination that can be looked into and troubled.

One harness per sink. It starts the sink against a real destination (a file, a pipe, the sandbox),
says what is stored there (every copy, not a set), and makes trouble on request. What a destination
cannot do is missing from `able`, and the tests that need it are skipped with that reason.

A new sink: subclass `Harness` in `harnesses/<sink>.py` and name it in `registry.py`.
"""

from enum import Enum
from typing import ClassVar, NamedTuple

from logship.api import Sink


class Able(Enum):
    STORE = "its destination keeps rows that can be read again"
    REFUSE = "its destination refuses single rows for good"
    DEFER = "its destination can fail for some rows of a write"
    FAIL = "its destination can fail without storing anything"
    FLAKE = "its destination can fail or lose its answer now and then"
    LOSE = "its destination can store the rows and then fail to say so"
    STALL = "its destination can leave a write waiting"


class Stored(NamedTuple):
    """One copy of a row at the destination."""

    id: str
    time_ns: int
    text: str


class Harness:
    """A started sink and its destination; an async context manager closes both."""

    able: ClassVar[frozenset[Able]] = frozenset()
    max_text_bytes: ClassVar[int] = 250_000
    """The longest text that the destination takes whole."""

    sink: Sink

    async def __aenter__(self) -> "Harness":
        """Start the destination, build the sink, start it."""
        raise NotImplementedError

    async def __aexit__(self, *_: object) -> None:
        raise NotImplementedError

    async def stored(self) -> list[Stored]:
        """Every copy at the destination, in any order."""
        raise NotImplementedError

    def refused_row(self) -> tuple[str, int]:
        """A row that the destination never takes: its text, and how many ns from now its time."""
        raise NotImplementedError

    def defer(self) -> None:
        """From now on some rows of a write fail for now, by their ids, and others are stored."""
        raise NotImplementedError

    def fail(self) -> None:
        """From now on every write fails, and nothing of it is stored."""
        raise NotImplementedError

    def flake(self) -> None:
        """From now on writes, or parts of them, fail or lose their answer, about every second."""
        raise NotImplementedError

    def lose(self) -> None:
        """From now on every write is stored, but the sink is told that it failed."""
        raise NotImplementedError

    def stall(self) -> None:
        """From now on every write waits until `heal`."""
        raise NotImplementedError

    async def stalled(self) -> None:
        """Until a write has reached the stalled destination."""
        raise NotImplementedError

    def heal(self) -> None:
        """No trouble any more."""
        raise NotImplementedError

    def held_open(self) -> list[str]:
        """What of the destination this process has open for the sink: connections, descriptors."""
        return []
