"""The database of Fluent Bit's tail (`DB`): SQLite, one table, a row a file that is read.

    in_tail_files (id, name, offset, inode, created, rotated)      plugins/in_tail/tail_sql.h

Version 5 adds columns (`offset_marker`...), which have defaults. A file is found by its inode
alone; of several rows with the same one the newest counts. Offsets of `.gz` files are compressed
bytes. sqlite3 is imported here only, and only when somebody asks for it: the agent never does.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from logship.cli.positions.foreign import Entry, Stand
from logship.cli.positions.saved import Unusable

if TYPE_CHECKING:
    import sqlite3

_MAX_ROWS = 1_000_000
_WAIT_SECS = 5.0
_TABLE = (
    "CREATE TABLE IF NOT EXISTS in_tail_files (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " offset INTEGER, inode INTEGER, created INTEGER, rotated INTEGER DEFAULT 0)"
)


def read(path: str) -> Stand:
    """Raises Unusable."""
    if not os.path.isfile(path):
        raise Unusable(f"{path}: there is no such file")
    write_ahead = f"{path}-wal"
    # Closed cleanly it has no log of its own; then it can be read where nothing can be written.
    mode = "mode=ro" if os.path.exists(write_ahead) else "mode=ro&immutable=1"
    with _connected(f"file:{quote(path)}?{mode}", path) as database:
        rows = database.execute(
            "SELECT name, offset, inode FROM in_tail_files ORDER BY id LIMIT ?", (_MAX_ROWS + 1,)
        ).fetchall()
    if len(rows) > _MAX_ROWS:
        raise Unusable(f"{path}: more than {_MAX_ROWS} rows: this is no database of a tail")
    entries, left_out = _entries(rows)
    times = [os.stat(name).st_mtime_ns for name in (path, write_ahead) if os.path.exists(name)]
    return Stand(entries, left_out, max(times))


def _entries(rows: Iterable[tuple[object, ...]]) -> tuple[list[Entry], list[str]]:
    entries: dict[int, Entry] = {}
    left_out: list[str] = []
    for name, offset, inode in rows:
        if not (isinstance(name, str) and isinstance(inode, int) and isinstance(offset, int)):
            left_out.append(f"a row without path, offset or inode: {name!r}")
        elif name.endswith(".gz"):
            left_out.append(f"{name}: Fluent Bit counts compressed bytes of it")
        else:
            inode %= 1 << 64  # SQLite has signed integers only
            entries[inode] = Entry(name, inode, offset)
    return list(entries.values()), left_out


def write(path: str, entries: Sequence[Entry], now_secs: int) -> None:
    """Make the file if there is none; rows of other files stay. Raises Unusable."""
    with _connected(f"file:{quote(path)}?mode=rwc", path) as database:
        database.execute("BEGIN IMMEDIATE")
        database.execute(_TABLE)
        inodes = [(_signed(entry.inode),) for entry in entries]
        database.executemany("DELETE FROM in_tail_files WHERE inode = ?", inodes)
        database.executemany(
            "INSERT INTO in_tail_files (name, offset, inode, created) VALUES (?, ?, ?, ?)",
            [(e.path, e.offset, _signed(e.inode), now_secs) for e in entries],
        )
        database.execute("COMMIT")


def writable(path: str) -> bool:
    """Whether a row can hold the path."""
    return "\0" not in path and not any("\ud800" <= char <= "\udfff" for char in path)


def _signed(inode: int) -> int:
    return inode - (1 << 64) if inode >= 1 << 63 else inode


@contextmanager
def _connected(uri: str, path: str) -> Iterator["sqlite3.Connection"]:
    try:
        import sqlite3
    except ImportError:
        raise Unusable(
            f"{path}: this Python was built without SQLite: run the command with another one"
        ) from None
    try:
        database = sqlite3.connect(uri, uri=True, timeout=_WAIT_SECS, isolation_level=None)
        database.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        try:
            yield database
        finally:
            database.close()
    except sqlite3.Error as error:
        raise Unusable(
            f"{path}: not a database of Fluent Bit's tail, or not usable now: {error} (stop Fluent "
            "Bit first; where it was killed, its directory has to be writable)"
        ) from None
