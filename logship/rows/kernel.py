"""The compiled twin, where it was built: this is the one place that asks for it.

`scan`, `same_rows` and the rest give None where only the pure code can tell, so a caller always has
both ways. `choose("pure")` turns the compiled one off, for tests and benchmarks.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from logship.rows._kernel import Fields, Keys, Members, Objects, Table

try:
    from logship.rows import _kernel

    BUILT = True
except ImportError:  # no compiler when it was installed
    BUILT = False

_compiled = BUILT
Kind = Literal["compiled", "pure"]


def in_use() -> Kind:
    return "compiled" if _compiled else "pure"


def choose(kind: str) -> None:
    """Use `compiled` or `pure` from now on. Raises ValueError when there is none such."""
    global _compiled
    if kind not in ("compiled", "pure"):
        raise ValueError("the row kernels are `compiled` and `pure`")
    if kind == "compiled" and not BUILT:
        raise ValueError("the compiled row kernel was not built: see docs/operations.md")
    _compiled = kind == "compiled"


def scan(block: bytes) -> "Table | None":
    """The index of a block of CRI lines."""
    return _kernel.scan(block) if _compiled else None


def table_of(
    offsets: Sequence[int], times: Sequence[str], streams: Sequence[str], texts: Sequence[str]
) -> "Table | None":
    """The table that the columns show, if they are those of one."""
    return _kernel.same_rows(offsets, times, streams, texts) if _compiled else None


def base_of(offsets: Sequence[int]) -> int:
    """What is added to the place of a line in its block: of a column of a table."""
    return _kernel.base_of(offsets)


def id_tails(offsets: Sequence[int], low: int) -> bytes | None:
    """16 digits a row, one after the other."""
    return _kernel.id_tails(offsets, low) if _compiled else None


def row_ids(offsets: Sequence[int], prefix: str, low: int) -> list[str] | None:
    """Per row its id."""
    return _kernel.row_ids(offsets, prefix.encode(), low) if _compiled else None


PartKind = Literal["text", "flag", "int32", "int64", "seconds"]
"""Values that are certain: a string; true or false; a number of up to 9 or 18 digits, the longer
ones written as text; `1.5s`, written with nine decimals."""


class Form(NamedTuple):
    """A special member of an object, and the value with which the compiled kernel can lift it.

    choice   one of a few different values, of which the caller is asked what they mean
    time     RFC 3339 in UTC, on the runtime's day: the time of the entry
    id       a text without escapes
    record   an object of `parts`
    map      an object of up to `most` texts, no name of which begins with `prefix`
    message  stays, unless nothing else does: then a text is the entry's text
    caller   none: all rows that have it are looked at by the caller

    Of all but choices, null, an empty text and an empty object (of maps: not that) stay.
    """

    key: str
    kind: Literal["caller", "choice", "time", "id", "record", "map", "message"] | PartKind
    name: str = ""
    """Of the member of the entry. Two keys of one kind and name are never both lifted."""
    prefix: str = ""
    """Before an id of 32 hex digits, as JSON text; or of names."""
    parts: tuple[tuple[str, PartKind], ...] = ()
    most: int = 0


Choice = tuple[bytes, bytes, bytes, bytes, bool]
"""Middles of objects, then of texts, on stdout and stderr; and whether the member leaves."""


Special = tuple[bytes, bytes | None, bytes | None, bytes | None]
"""Of a row: middle, payload (None: its text), its own time and id (None: of its address)."""


def entries(
    table: "Table",
    offsets: Sequence[int],
    prefix: bytes,
    low: int,
    texts: tuple[bytes, bytes],
    special: dict[int, Special],
    objects: tuple[bytes, bytes] = (b"", b""),
    values: Sequence[Choice] = (),
    found: "Objects | None" = None,
) -> bytes:
    """The entries of a table's rows; middles are of stdout and stderr."""
    base = _kernel.base_of(offsets)
    return _kernel.entries(table, base, prefix, low, texts, objects, list(values), special, found)


def objects(table: "Table", forms: "tuple[Form, ...]", room: int) -> "Objects":
    """Which texts are JSON objects; `forms`: members that are special, and what becomes of them."""
    return _kernel.Objects(table, _keys_of(forms), room)


def fields(
    table: "Table",
    offsets: Sequence[int],
    names: tuple[str, ...],
    groups: tuple[int, ...],
    prefix: str,
    low: int,
) -> "Fields":
    """What the rows have in the columns of a caller; `names` in the order of their `groups`."""
    start = (low + _kernel.base_of(offsets)) % 2**64
    return _kernel.Fields(table, _keys_of(_only_named(names)), groups, prefix.encode(), start)


def members(table: "Table", names: tuple[str, ...]) -> "Members":
    """What rows have under these keys (ASCII, MAX_KEYS of them), as rows differ in few values."""
    return _kernel.Members(table, _keys_of(_only_named(names)))


def cells_of(found: "Fields", column: int) -> tuple[bytes | None, bytes, bytes, int]:
    """(validity bits, int32 offsets, UTF-8, how many are null): a column as Arrow has it."""
    return _kernel.cells_of(found, column)


def times_of(found: "Fields", column: int) -> tuple[bytes | None, bytes, bytes, int]:
    """(validity bits, int64 microseconds, int64 nanoseconds left over, how many are null)."""
    return _kernel.times_of(found, column)


Piece = tuple[bytes, Literal["constant", "string", "value", "micros", "nanos"], int]
"""Of a record: bytes before the value, what it is, its column; left out where it is null."""


def records(
    found: "Fields", pieces: Sequence[Piece], tags: tuple[bytes, bytes], tail: bytes
) -> tuple[bytes, list[int]]:
    """(the rows as JSON in frames of protobuf, one after the other; where each ends)."""
    return _kernel.records(found, list(pieces), tags, tail)


def _keys_of(forms: "tuple[Form, ...]") -> "Keys":
    if (keys := _keys.get(forms)) is None:
        keys = _keys[forms] = _kernel.Keys(forms)
    return keys


@cache
def _only_named(names: tuple[str, ...]) -> "tuple[Form, ...]":
    return tuple(Form(name, "caller") for name in names)


_keys: "dict[tuple[Form, ...], Keys]" = {}
MAX_KEYS = 64
