"""Bounded waits for what a process shows from outside."""

import time
from collections.abc import Callable
from typing import TypeVar

from logship.api import time_text

T = TypeVar("T")
LOOK_SECS = 0.05


def now() -> str:
    """As the agent's own log writes it."""
    return time_text(time.time_ns())


def wait_for(what: str, secs: float, look: Callable[[], T | None]) -> T:
    """What `look` gives as soon as it is neither None nor False; fails after `secs`."""
    end = time.monotonic() + secs
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"within {secs} s there was no {what}")
        time.sleep(LOOK_SECS)
