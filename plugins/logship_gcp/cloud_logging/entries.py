"""A batch becomes entries: text rows by columns, JSON rows one by one.

A row whose text is a JSON object is parsed, its special fields are lifted out, and what remains is
its jsonPayload. It is written by orjson rather than copied from the text: that costs 0.15 us and
settles what a copy would have to check (keys that occur twice). If only a message remains, it is
the textPayload. An object that is nested too deeply or too large for an entry is shipped as the
text it is; a text too large for an entry is sent in parts, or cut and labelled (`oversize`). The
parts of a row stand in its place in the body, as if they were one entry.
"""

from collections.abc import Iterable, Sequence

import orjson

from logship.api import (
    Batch,
    JsonObject,
    Mark,
    entries,
    escaped,
    id_prefix,
    id_tails,
    parse_object,
)
from logship_gcp.cloud_logging.frames import Frame
from logship_gcp.cloud_logging.middles import JSON, QUOTED_TEXT, TEXT, Middles
from logship_gcp.cloud_logging.oversize import (
    PART_BYTES,
    Encoded,
    Oversize,
    cut,
    in_parts,
    log_split,
    parts,
    row_of_each_entry,
)
from logship_gcp.cloud_logging.payloads import (
    first_chars,
    glog_severities,
    only_message,
    written,
)
from logship_gcp.cloud_logging.row_times import row_times
from logship_gcp.cloud_logging.special import Lifted, Reader
from logship_gcp.cloud_logging.tabled import by_table, plain_texts

MAX_ENTRY_BYTES = 240 * 1024
"""Google allows 256 KiB by an inner measure that it calls approximate."""
_MIN_ROOM = 1024


def encode(
    batch: Batch,
    frame: Frame,
    reader: Reader,
    *,
    now_ns: int,
    alone: bool,
    oversize: Oversize = "split",
) -> Encoded:
    """The entries of a batch.

    `alone`: they go into a request of this origin alone, which has the frame.
    """
    rows = range(len(batch.rows))
    room = room_of(frame)
    if (made := plain_texts(batch, Middles(frame, alone), reader, room, now_ns)) is not None:
        return Encoded(made, rows)
    encoder = Encoder(batch, frame, reader, now_ns, alone, oversize)
    body = encoder.run()
    return Encoded(body, row_of_each_entry(rows, encoder.parts), encoder.altered)


def room_of(frame: Frame) -> int:
    """Bytes that an entry has for what is a row's own."""
    return max(MAX_ENTRY_BYTES - frame.size, _MIN_ROOM)


class Encoder:
    def __init__(
        self,
        batch: Batch,
        frame: Frame,
        reader: Reader,
        now_ns: int,
        alone: bool,
        oversize: Oversize,
    ) -> None:
        self.batch, self.rows, self.oversize = batch, batch.rows, oversize
        self.parts: dict[int, int] = {}
        """Of rows that are sent in parts: how many."""
        self.altered: dict[int, Oversize] = {}
        self.digest, self.reader = batch.origin.digest, reader
        self.middles = Middles(frame, alone)
        self.room = room_of(frame)
        times, clamped = row_times(batch, now_ns)
        self.times = times
        self.labels = {row: _mark_labels(mark) for row, mark in self.rows.marks.items()}
        for row in clamped:
            self.labels.setdefault(row, {})["logship/clamped"] = "true"
        if self.rows.given_ids is None:
            self.streams = self.rows.streams
        else:  # of a broker: nobody has checked them
            self.streams = [s if s == "stderr" else "stdout" for s in self.rows.streams]

    def run(self) -> bytes:
        rows = self.rows
        if not len(rows):
            return b""
        if (made := by_table(self)) is not None:
            return made
        firsts = first_chars(rows.texts)
        severities = glog_severities(rows.texts, firsts)
        # One at a time: kept objects hold thirty times their text, and cost the garbage collector.
        if rows.fields is not None:
            return self._encode_mixed(map(rows.fields.__getitem__, range(len(rows))), severities)
        if self.reader.json and "{" in firsts:
            return self._encode_mixed(map(parse_object, rows.texts), severities)
        return self._encode_texts(severities)

    def _encode_texts(self, severities: dict[int, str]) -> bytes:
        payloads = escaped(self.rows.texts)
        kinds = {s: self.middles.plain(QUOTED_TEXT, s) for s in set(self.streams)}
        middles = list(map(kinds.__getitem__, self.streams))
        for row, severity in severities.items():
            middles[row] = self.middles.plain(QUOTED_TEXT, self.streams[row], severity)
        special = set(self.labels)
        if max(map(len, payloads)) > self.room:
            special.update(row for row, text in enumerate(payloads) if len(text) > self.room)
        for row in special:
            middles[row], quoted = self.text_row(row, severities.get(row), QUOTED_TEXT)
            payloads[row] = quoted[1:-1]
        prefix, ids = self._ids({})
        return entries(prefix, ids, self.times, middles, payloads, b'"}')

    def text_row(self, row: int, severity: str | None, kind: bytes) -> tuple[bytes, bytes]:
        """(middle, payload) of a text row."""
        text = self.rows.texts[row]
        if len(text) * 4 <= self.room and row not in self.labels:
            return self.middles.plain(kind, self.streams[row], severity), orjson.dumps(text)
        return self._fitting(row, text, kind, Lifted({}, severity))

    def _fitting(self, row: int, text: str, kind: bytes, lifted: Lifted) -> tuple[bytes, bytes]:
        """(middle, payload) of a text that may be too large."""
        size = lifted.own_bytes if lifted.members or lifted.labels else 0
        room = max(self.room - size, _MIN_ROOM)
        labels = self.labels.get(row)
        if len(text) * 4 > room and len(text.encode()) > room:
            self.altered[row] = self.oversize
            if self.oversize == "split":
                return self._split(row, list(parts(text, min(room, PART_BYTES))), kind, lifted)
            text, labels = cut(text, room), {**(labels or {}), "logship/cut": "true"}
        return self.middle(kind, row, lifted, labels), orjson.dumps(text)

    def _split(
        self, row: int, texts: Sequence[str], kind: bytes, lifted: Lifted
    ) -> tuple[bytes, bytes]:
        """(middle, payload) of the first part, with all other entries behind it."""
        row_id = self.batch.ids()[row]
        count = self.parts[row] = len(texts)

        def middle(index: int) -> bytes:
            lifted.members["split"] = log_split(row_id, index, count)
            return self.middle(TEXT if index else kind, row, lifted, self.labels.get(row))

        return middle(0), in_parts(texts, row_id, lifted.time or self.times[row], middle)

    def _encode_mixed(
        self, parsed: Iterable[JsonObject | None], severities: dict[int, str]
    ) -> bytes:
        middles, payloads, times = [], [], list(self.times)
        given: dict[int, str] = {}
        for row, fields in enumerate(parsed):
            if fields is None:
                middle, payload = self.text_row(row, severities.get(row), TEXT)
            else:
                middle, payload, time, insert_id = self.object_row(row, fields)
                if time is not None:
                    times[row] = time
                if insert_id is not None:
                    given[row] = insert_id
            middles.append(middle)
            payloads.append(payload)
        prefix, ids = self._ids(given)
        return entries(prefix, ids, times, middles, payloads, b"}")

    def object_row(
        self, row: int, fields: JsonObject
    ) -> tuple[bytes, bytes, str | None, str | None]:
        """(middle, payload, its own time, its own id) of any object."""
        found = self.reader.special_keys(fields)
        if (simple := self._simple(row, fields, found)) is not None:
            return *simple, None, None
        lifted = self.reader.lift(fields, found, self.times[row])
        try:
            return *self._object(row, lifted), lifted.time, lifted.insert_id
        except TypeError:  # a transform has put in what JSON has no form for
            return *self.text_row(row, None, TEXT), None, None

    def _simple(
        self, row: int, fields: JsonObject, found: frozenset[str]
    ) -> tuple[bytes, bytes] | None:
        """(middle, payload) of an object that stays as it is, but perhaps for its severity."""
        if row in self.labels or len(fields) < 3:
            return None
        told = self.reader.only_severity(fields, found)
        payload = written(told[1]) if told is not None else None
        if told is None or payload is None or len(payload) > self.room:
            return None
        return self.middles.plain(JSON, self.streams[row], told[0]), payload

    def _object(self, row: int, lifted: Lifted) -> tuple[bytes, bytes]:
        """(middle, payload) of a row that was a JSON object."""
        rest = lifted.rest
        message = only_message(rest) if len(rest) == 1 else None
        payload = written(rest) if message is None else None
        size = lifted.own_bytes if lifted.members or lifted.labels else 0
        if payload is not None and len(payload) + size <= self.room:
            return self.middle(JSON, row, lifted, self.labels.get(row)), payload
        if size > self.room // 2:
            lifted.members.clear()
        text = self.rows.texts[row] if message is None else message
        return self._fitting(row, text, TEXT, lifted)

    def middle(
        self, payload: bytes, row: int, lifted: Lifted, labels: dict[str, str] | None
    ) -> bytes:
        stream = self.streams[row]
        if not (labels or lifted.labels or lifted.members or lifted.clamped):
            return self.middles.plain(payload, stream, lifted.severity)
        labels = {**lifted.labels, **(labels or {})}
        if lifted.clamped:
            labels["logship/clamped"] = "true"
        return self.middles.special(payload, stream, lifted.severity, lifted.members, labels)

    def _ids(self, given: dict[int, str]) -> tuple[bytes, Sequence[bytes]]:
        """(what all ids begin with, what each goes on with), as JSON text."""
        rows = self.rows
        prefix = id_prefix(self.digest, rows.generation)
        if rows.given_ids is None and not rows.elsewhere and not given:
            return prefix.encode(), id_tails(rows.generation, rows.offsets)
        ids = rows.ids(self.digest)
        for row, own in given.items():
            ids[row] = own
        return b"", escaped(ids)


def _mark_labels(mark: Mark) -> dict[str, str]:
    named = {"malformed": mark.malformed, "unfinished": mark.unfinished, "cut": mark.cut}
    return {f"logship/{name}": "true" for name, is_set in named.items() if is_set}
