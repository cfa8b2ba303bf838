"""One dead letter: a row as its sink was given it, and all that it takes to send it again.

What is written is what transforms left (so what was redacted stays redacted): text, labels, and the
parsed object where a transform made one. The address goes along because a time that is no good is
replaced by that of the generation: a row that is sent again has the id and the time it had before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from logship.batch import Batch
from logship.origin import Labels, Origin
from logship.outcome import Refused
from logship.rows.address import PLAIN, Generation, Mark, Span
from logship.rows.index import Cutting
from logship.rows.rows import JsonObject, Rows

_NONE = b"null"


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a file of dead letters. Lines without the later fields are of older versions."""

    id: str
    time: str
    """Of the row; empty where its line had none."""
    route: str
    sink: str
    reason: str
    stream: str
    text: str
    labels: dict[str, str]
    """Of the origin."""
    added_labels: dict[str, str] = {}
    """Those that transforms added."""
    fields: msgspec.Raw = msgspec.Raw(_NONE)
    """The object that a transform made of the text; null: none did."""
    marks: tuple[str, ...] = ()
    origin: str = ""
    generation: str = ""
    offset: int = 0
    mtime_ns: int = 0
    """When its file was last written: the time of a row without one."""
    refused_at: str = ""

    @property
    def file(self) -> Generation:
        """The generation it stood in; of an old letter, one that nobody has."""
        return Generation.parse(self.generation) if self.generation else Generation(0, 0)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Letter)
_fields_decoder = msgspec.json.Decoder(dict[str, object] | None)


def encode(sink: str, batch: Batch, refused: Refused, refused_at: str) -> bytes:
    """The line of a refused row."""
    rows, row = batch.rows, refused.row
    parsed = None if rows.fields is None else rows.fields[row]
    letter = Letter(
        id=batch.ids()[row],
        time=rows.times[row],
        route=batch.route,
        sink=sink,
        reason=refused.reason,
        stream=rows.streams[row],
        text=rows.texts[row],
        labels=dict(batch.labels.values),
        added_labels=dict(batch.extra),
        fields=msgspec.Raw(_NONE if parsed is None else _written(parsed)),
        marks=tuple(_names(rows.mark(row))),
        origin=batch.origin.key,
        generation=rows.generation_of(row).text(),
        offset=int(rows.offsets[row]),
        mtime_ns=batch.mtime_ns,
        refused_at=refused_at,
    )
    try:
        return _encoder.encode(letter) + b"\n"
    except UnicodeEncodeError:
        return _encoder.encode(_without_surrogates(letter)) + b"\n"


def decode(line: bytes) -> Letter:
    """Raises ValueError for what `encode` cannot have written."""
    try:
        letter = _decoder.decode(line)
        _ = letter.file, _fields_decoder.decode(letter.fields)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return letter


def _written(parsed: JsonObject) -> bytes:
    """`null` where a transform made what JSON has no form for: the text says it too."""
    try:
        return _encoder.encode(parsed)
    except (TypeError, ValueError, RecursionError):
        return _NONE


def _without_surrogates(letter: Letter) -> Letter:
    """A transform may make a lone surrogate of an escape in JSON; UTF-8 cannot write one."""
    return msgspec.structs.replace(
        letter,
        text=_encodable(letter.text),
        reason=_encodable(letter.reason),
        labels={_encodable(k): _encodable(v) for k, v in letter.labels.items()},
        added_labels={_encodable(k): _encodable(v) for k, v in letter.added_labels.items()},
    )


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


def _names(mark: Mark) -> list[str]:
    return [name for name in Mark.__slots__ if getattr(mark, name)]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Letters that make one batch: row n of it is letter n."""

    batch: Batch
    letters: Sequence[Letter]


def bundles(letters: Iterable[Letter]) -> list[Bundle]:
    """Batches of the letters' rows, as their sinks were given them."""
    groups: dict[object, list[Letter]] = {}
    for letter in letters:
        shared = (letter.origin, letter.generation, letter.route, letter.mtime_ns)
        labels = (_items(letter.labels), _items(letter.added_labels))
        groups.setdefault((shared, labels), []).append(letter)
    return [Bundle(_batch(those), those) for those in groups.values()]


def _items(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(labels.items())


def _batch(letters: Sequence[Letter]) -> Batch:
    first = letters[0]
    labels = Labels(first.labels)
    parsed = [_fields_decoder.decode(letter.fields) for letter in letters]
    marks = {row: _mark(letter.marks) for row, letter in enumerate(letters)}
    rows = Rows(
        generation=first.file,
        offsets=[letter.offset for letter in letters],
        times=[letter.time for letter in letters],
        streams=[letter.stream for letter in letters],
        texts=[letter.text for letter in letters],
        fields=parsed if any(found is not None for found in parsed) else None,
        marks={row: mark for row, mark in marks.items() if mark != PLAIN},
        given_ids=[letter.id for letter in letters],
    )
    pieces = tuple(Span(first.file, letter.offset, letter.offset) for letter in letters)
    origin = Origin(first.origin, labels)
    empty = Batch(
        origin, labels, pieces, b"", Cutting(), first.mtime_ns, first.added_labels, first.route
    )
    return empty.with_rows(rows)


def _mark(names: Sequence[str]) -> Mark:
    return Mark(**{name: True for name in names if name in Mark.__slots__})
