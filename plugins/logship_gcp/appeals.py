"""Says as errors what only a person can mend: a right to grant, something to create.

Rows wait for it as long as it takes. It is said at once and every ten minutes, beside the engine's
own lines about tries: those come at the first and the fifth failure, and are easily missed.
"""

from logship.api import Context

REPEAT_SECS = 600.0
LEAST_SECS = 60.0
"""Between any two lines: a server may word the same cause anew each time."""


class Appeals:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._reason = ""
        self._said_at = -REPEAT_SECS

    def make(self, reason: str) -> None:
        """`reason` says what to do; empty: there is nothing."""
        if not reason:
            return
        now = self._context.world.clock.now()
        pause = REPEAT_SECS if reason == self._reason else LEAST_SECS
        if now - self._said_at < pause:
            return
        self._reason, self._said_at = reason, now
        self._context.log.error("rows wait until a person acts: %s", reason)
