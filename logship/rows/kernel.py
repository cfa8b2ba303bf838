"""The compiled twin, where it was built: this is the one place that asks for it.

`scan`, `same_rows` and the rest give None where only the pure code can tell, so a caller always has
both ways. `choose("pure")` turns the compiled one off, for tests and benchmarks.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from logship.rows._kernel import Fields, Keys, Objects, Table

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


def id_tails(offsets: Sequence[int], low: int) -> bytes | None:
    """16 digits a row, one after the other."""
    return _kernel.id_tails(offsets, low) if _compiled else None


def row_ids(offsets: Sequence[int], prefix: str, low: int) -> list[str] | None:
    """Per row its id."""
    return _kernel.row_ids(offsets, prefix.encode(), low) if _compiled else None


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
    values: Sequence[tuple[bytes, bytes, bool]] = (),
    found: "Objects | None" = None,
) -> bytes:
    """The entries of a table's rows; middles are of stdout and stderr."""
    base = _kernel.base_of(offsets)
    return _kernel.entries(table, base, prefix, low, texts, objects, list(values), special, found)


def objects(table: "Table", names: tuple[str, ...], simple: int, room: int) -> "Objects":
    """Which texts are JSON objects; `names`: members that are special, the first `simple` alone."""
    return _kernel.Objects(table, _keys_of(names), simple, LEAST_MEMBERS, room)


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
    return _kernel.Fields(table, _keys_of(names), groups, prefix.encode(), start)


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


def _keys_of(names: tuple[str, ...]) -> "Keys":
    if (keys := _keys.get(names)) is None:
        keys = _keys[names] = _kernel.Keys(names)
    return keys


LEAST_MEMBERS = 3
"""An object of fewer may be nothing but its message."""
MAX_KEYS = 64
_keys: dict[tuple[str, ...], "Keys"] = {}
