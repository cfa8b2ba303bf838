"""What became of changes of the configuration: for `/status` and `/metrics`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from logship.said import shown

Result = Literal["applied", "unchanged", "refused"]
RESULTS: tuple[Result, ...] = ("applied", "unchanged", "refused")
MAX_PROBLEMS = 20
"""So many are shown; the log has all of them."""


@dataclass(slots=True)
class Record:
    success_ns: int
    """When the one in force, or one that says the same, was read; wall clock."""
    results: Counter[Result] = field(default_factory=Counter)
    problems: Sequence[str] = ()
    """Of the last one, each with its place in the file; none: it is in force."""

    @property
    def successful(self) -> bool:
        return not self.problems

    def note(self, result: Result, now_ns: int, problems: Sequence[str] = ()) -> None:
        self.results[result] += 1
        self.problems = problems
        if not problems:
            self.success_ns = now_ns

    def as_dict(self, now_ns: int) -> dict[str, object]:
        """JSON-ready."""
        return {
            "last_reload_successful": self.successful,
            "last_reload_success_age_secs": max(0.0, (now_ns - self.success_ns) / 1e9),
            "reloads": {result: self.results[result] for result in RESULTS},
            "problems": [shown(problem) for problem in self.problems[:MAX_PROBLEMS]],
        }
