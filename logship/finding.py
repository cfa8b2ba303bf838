"""What a check of a component found: one line of `logship check`."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    about: str
    """What was looked at: `the topic projects/p/topics/t`."""
    level: Level = "ok"
    reason: str = ""
    """What was found; of what is wrong, what and why."""
    advice: str = ""
    """What to do; a command of its own is a line of its own."""
