"""A row as one line, for `stdout` and `file`.

json: `{"id", "time", "namespace", "pod", "container", "stream", "text" | "fields"}`, with `path`
for logs that are not of a container, `labels` where a transform added some, and `marks` where
something is unusual about the row. `fields` stands in place of `text` once the row was parsed.
text: `time place stream text`, for eyes; a newline inside the text stays one.
"""

from collections.abc import Callable, Iterator, Sequence

import orjson

from logship.api import Batch, Mark, Preview, time_text

LineFormat = Callable[[Batch], Iterator[bytes]]

_PLACES = ("namespace", "pod", "container", "path")
_MARKS = ("malformed", "unfinished", "cut")


def json_lines(batch: Batch) -> Iterator[bytes]:
    """Per row one JSON object and a newline."""
    rows = batch.rows
    place = {key: value for key in _PLACES if (value := batch.labels.get(key))}
    fields: Sequence[object] = rows.fields or (None,) * len(rows)
    columns = zip(batch.ids(), _times(batch), rows.streams, rows.texts, fields, strict=True)
    for number, (row_id, time, stream, text, parsed) in enumerate(columns):
        line: dict[str, object] = {"id": row_id, "time": time, **place, "stream": stream}
        if parsed is None:
            line["text"] = text
        else:
            line["fields"] = parsed
        if batch.extra:
            line["labels"] = dict(batch.extra)
        if number in rows.marks:
            line["marks"] = _marks(rows.marks[number])
        yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def text_lines(batch: Batch) -> Iterator[bytes]:
    """Per row `time namespace/pod/container stream text` and a newline."""
    place = "/".join(value for key in _PLACES if (value := batch.labels.get(key))) or "-"
    rows = batch.rows
    for time, stream, text in zip(_times(batch), rows.streams, rows.texts, strict=True):
        yield f"{time or '-'} {place} {stream} {text}\n".encode(errors="replace")


FORMATS: dict[str, LineFormat] = {"json": json_lines, "text": text_lines}


def encode(batches: Sequence[Batch], line_format: str) -> bytes:
    """All rows of a write, in order."""
    lines = FORMATS[line_format]
    return b"".join(line for batch in batches for line in lines(batch))


def previews(batch: Batch, line_format: str) -> list[Preview]:
    """The lines of a batch, those of JSON as objects."""
    lines = enumerate(FORMATS[line_format](batch))
    if line_format == "json":
        return [Preview(row, orjson.loads(line)) for row, line in lines]
    return [Preview(row, {"line": line.decode().removesuffix("\n")}) for row, line in lines]


def _times(batch: Batch) -> Sequence[str]:
    """A row without a time of its own has that of the file's last change."""
    times = batch.rows.times
    if all(times) or not batch.mtime_ns:
        return times
    written = time_text(batch.mtime_ns)
    return [time or written for time in times]


def _marks(mark: Mark) -> list[str]:
    return [name for name in _MARKS if getattr(mark, name)]
