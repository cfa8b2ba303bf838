"""What stands in an entry between its time and its payload: severity, fields, labels.

Most rows of a batch share one of a few middles, so they are made once and found in a dict.
"""

from dataclasses import dataclass

import orjson

from logship_gcp.cloud_logging.frames import Frame

TEXT, JSON = b'"textPayload":', b'"jsonPayload":'
QUOTED_TEXT = TEXT + b'"'


@dataclass(slots=True)
class Middles:
    """Of the rows of one batch. Each ends with the payload's name, one of the three above."""

    frame: Frame
    alone: bool
    """Whether the frame stands in the request; otherwise each entry has it."""

    def plain(self, payload: bytes, stream: str, severity: str | None = None) -> bytes:
        """Of a row that has nothing of its own but perhaps its severity."""
        key = (self.alone, payload, stream, severity)
        if (known := self.frame.middles.get(key)) is None:
            known = self.frame.middles[key] = self.special(payload, stream, severity, {}, {})
        return known

    def special(
        self,
        payload: bytes,
        stream: str,
        severity: str | None,
        members: dict[str, object],
        labels: dict[str, str],
    ) -> bytes:
        """Of a row with fields and labels of its own."""
        shared = self.frame.entry_members(stream, self.alone)
        if known := severity or self.frame.severities.get(stream):
            shared["severity"] = known
        if not self.alone:
            labels = {**self.frame.labels, **labels}
        if labels:
            shared["labels"] = labels
        shared |= members
        return b'",' + (orjson.dumps(shared)[1:-1] + b"," if shared else b"") + payload
