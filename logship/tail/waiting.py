"""How long a feed waits for the rest of an open record, for each stream by itself.

A record that gets another line waits anew; one on the other stream does not wait longer for it.
"""

from logship.rows.cut import Cutter, OpenRecord
from logship.world import Clock

JOIN_TIMEOUT_SECS = 5.0
"""How long a line may lack its rest: conmon cuts at every slow write. Traces say it themselves."""


class Waiting:
    def __init__(self, cutter: Cutter, clock: Clock) -> None:
        self._cutter, self._clock = cutter, clock
        self._since: dict[str, tuple[OpenRecord, float]] = {}

    def note(self) -> None:
        """The cutter got bytes."""
        before, opened = self._since, self._cutter.opened
        if not (before or opened):  # as nearly always
            return
        now = self._clock.now()
        self._since = {
            stream: before[stream]
            if stream in before and before[stream][0] == record
            else (record, now)
            for stream, record in opened.items()
        }

    def late(self) -> list[str]:
        """Streams whose open record has waited long enough."""
        if not self._cutter.opened:
            return []
        now, joins = self._clock.now(), self._cutter.cutting.joins
        of_rows = joins.wait_secs if joins else JOIN_TIMEOUT_SECS
        return [
            stream
            for stream, (record, since) in self._since.items()
            if now - since >= (JOIN_TIMEOUT_SECS if record.partial else of_rows)
        ]
