"""What came: ids of rows, numbers of lines, bytes. Several threads tell it.

To look into a body costs more than to send it, so what came is kept, and looked into when somebody
asks for the counts: the measured agent is done by then, and nobody has taken its core or cache.
"""

import threading
from collections.abc import Callable, Iterable
from operator import itemgetter

from bench.lines import TOKEN

_ID_BEFORE = b'"insertId":"'
_ID = itemgetter(slice(0, 48))
_NUMBER = itemgetter(slice(0, 12))
KEPT_BYTES = 6 << 30
"""What is more is looked into at once."""


class Counts:
    """Rows and different ids; of peers, which give no ids, numbered lines."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: set[bytes] = set()
        self._numbers: set[bytes] = set()
        self.rows = self.tokens = self.requests = self.wire_bytes = self.body_bytes = 0
        self._kept: list[tuple[bytes, Callable[[bytes], None]]] = []
        self._kept_bytes = 0

    def later(self, raw: bytes, read: Callable[[bytes], None]) -> None:
        """Look into it when the counts are asked for."""
        with self._lock:
            if room := self._kept_bytes + len(raw) <= KEPT_BYTES:
                self._kept.append((raw, read))
                self._kept_bytes += len(raw)
        if not room:
            read(raw)

    def _read_kept(self) -> None:
        while self._kept:
            raw, read = self._kept.pop()
            read(raw)
        self._kept_bytes = 0

    def entries(self, body: bytes, wire_bytes: int) -> None:
        """The body of an entries:write. No text can hold what is looked for: quotes are escaped."""
        _, *found = body.split(_ID_BEFORE)
        tokens = body.count(TOKEN)
        self.ids(list(map(_ID, found)), len(body), wire_bytes, tokens)

    def lines(self, body: bytes) -> None:
        """Lines in whatever form: their numbers are looked for."""
        _, *found = body.split(TOKEN)
        with self._lock:
            self._numbers.update(map(_NUMBER, found))
            self.tokens += len(found)
            self._count(len(body), len(body))

    def ids(
        self, found: Iterable[bytes], body_bytes: int, wire_bytes: int, tokens: int = 0
    ) -> None:
        ids = list(found)
        with self._lock:
            self._ids.update(ids)
            self.rows += len(ids)
            self.tokens += tokens
            self._count(body_bytes, wire_bytes)

    def _count(self, body_bytes: int, wire_bytes: int) -> None:
        self.requests += 1
        self.body_bytes += body_bytes
        self.wire_bytes += wire_bytes

    def as_dict(self) -> dict[str, int]:
        self._read_kept()
        with self._lock:
            return {
                "rows": self.rows,
                "distinct_ids": len(self._ids),
                "tokens": self.tokens,
                "distinct_tokens": len(self._numbers),
                "requests": self.requests,
                "body_bytes": self.body_bytes,
                "wire_bytes": self.wire_bytes,
            }
