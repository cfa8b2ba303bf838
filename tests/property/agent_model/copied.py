"""A log that logrotate copies and truncates (`copytruncate`), while its application writes on.

The agent runs all the time: one that was away cannot tell all copies of files without times
(`logship.tail.naming`). Nothing may be missing but what was written between copying and truncating.
"""

import asyncio
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property.agent_model.files import Files
from tests.property.agent_model.written import WrittenFile

PAUSES = st.sampled_from([0, 0, 0.02, 0.2, 1.0, 3.0])
"""Seconds between two steps of logrotate."""

NAMED_SECS = 2.5
"""Nobody knows of a file that was copied and truncated before the agent saw its first line."""


class CopiedFiles(Files):
    truncates = True
    ordered = False

    def crash(self, turns: int, torn: bool) -> None:
        """Not here."""

    def stop(self) -> None:
        """Only at the end."""
        super().stop()

    def truncate(self) -> None:
        """Never without a copy."""

    @rule(
        halfway=PAUSES, copied=PAUSES, between=st.sampled_from([0, 0, 0, 1, 3]), late=PAUSES,
        more=st.integers(0, 5),
    )  # fmt: skip
    def copy_and_truncate(
        self, halfway: float, copied: float, between: int, late: float, more: int
    ) -> None:
        """`between`: rows that the copy lacks; `more`: rows after the truncation, at once."""
        file = self.log.current
        if not file.content:
            return
        if self.now() - file.parts[0].at < NAMED_SECS:
            self.pass_time(NAMED_SECS)
            self.write("unread", 2)
        self.shift()
        file.path, half = self.path(1), file.content.index(b"\n", len(file.content) // 3) + 1
        self.tree.create(file.path, bytes(file.content[:half]))
        self.pause(halfway)
        self.tree.append(file.path, bytes(file.content[half:]))
        self.pause(copied)
        if between:
            file.at_risk = True
            self.write("between", between)
            self.pause(late)
        self.tree.truncate(self.log.live)
        self.begin_file()
        if more:
            self.write("more", more)

    def shift(self) -> None:
        """`.1` -> `.2` and so on, the oldest first."""
        for number, file in enumerate(self.copies(), 2):
            file.path = self.path(number)
        for number in range(len(self.copies()), 0, -1):
            self.tree.rename(self.path(number), self.path(number + 1))

    def copies(self) -> list[WrittenFile]:
        """The newest first."""
        return [file for file in reversed(self.log.files) if file is not self.log.current]

    def path(self, number: int) -> Path:
        return self.root / f"app.log.{number}"

    def pause(self, secs: float) -> None:
        if secs:
            self.pass_time(secs)
        else:
            self.do(asyncio.sleep(0))
