"""Takes what parts of a benchmark find as they come, until all have or somebody stops it."""

import signal
from collections.abc import Callable, Iterable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


def gather(parts: Iterable[T], show: Callable[[T], None], found: list[T]) -> bool:
    """Adds each to `found` and shows it; whether all came. SIGTERM stops it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        for one in parts:
            found.append(one)
            show(one)
    except KeyboardInterrupt:
        print("interrupted")
        return False
    return True


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
