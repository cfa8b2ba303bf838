"""How many files of logs may be open.

Some descriptors stay free for everything else: connections, positions, dead letters, directories.
Where the limit is reached anyway, files wait unopened: that is said once, and what is open goes on.
"""

import errno
import logging

from logship.world import Clock

RESERVED = 128
"""Descriptors for everything that is no log file."""
_SAY_SECS = 60.0


class Descriptors:
    def __init__(
        self, limit: int = 1 << 20, clock: Clock | None = None, log: logging.Logger | None = None
    ) -> None:
        """`limit`: what the process may open in all."""
        self.limit = limit
        self.most = max(1, limit - min(RESERVED, limit // 4))
        """Log files that may be open at once."""
        self.open = 0
        self._clock, self._log = clock or Clock(), log or logging.getLogger(__name__)
        self._failed_at: float | None = None
        self._checked = False

    @property
    def room(self) -> bool:
        return self.open < self.most

    def failed(self, error: OSError) -> bool:
        """Whether the error means that there are none left, which is said once."""
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            return False
        now = self._clock.now()
        if self._failed_at is None:
            self._log.error(
                "no more files can be opened (%d logs are open, the limit is %d): new ones wait,"
                " and are lost if they are deleted before; raise the hard limit of open files"
                " (ulimit -Hn), or lower held.max_files", self.open, self.limit,
            )  # fmt: skip
        self._failed_at = now
        return True

    def check(self, most_held: int, followed: int) -> None:
        """Say it, once, when the limit may not be enough."""
        needed = most_held + followed + RESERVED
        if needed <= self.limit or self._checked:
            return
        self._checked = True
        self._log.warning(
            "%d open files may be needed (held.max_files %d, %d logs that are followed, %d for all"
            " else), but the limit is %d: raise the hard limit of open files (ulimit -Hn), or"
            " lower held.max_files", needed, most_held, followed, RESERVED, self.limit,
        )  # fmt: skip

    def opened(self) -> None:
        self.open += 1
        if self._failed_at is not None and self._clock.now() - self._failed_at > _SAY_SECS:
            self._failed_at = None
            self._log.info("files can be opened again: %d logs are open", self.open)

    def closed(self) -> None:
        self.open -= 1
