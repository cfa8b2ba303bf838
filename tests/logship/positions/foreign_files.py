"""Files of positions as other agents make them: a pos_file of fluentd, and Fluent Bit's database
by the statements of its own source."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.logship.positions.node import Node


def pos_file(node: Node, entries: Sequence[tuple[str, int, int]]) -> Path:
    """As fluentd writes it (`"%s\\t%016x\\t%016x\\n"`)."""
    path = node.home / "containers.pos"
    path.write_text("".join(f"{name}\t{at:016x}\t{number:016x}\n" for name, number, at in entries))
    return path


def database(node: Node, entries: Sequence[tuple[str, int, int]]) -> Path:
    """As Fluent Bit makes it: journal_mode=WAL, closed."""
    path = node.home / "flb.db"
    with_table = sqlite3.connect(path, isolation_level=None)
    with_table.execute("PRAGMA journal_mode=WAL")
    with_table.execute(
        "CREATE TABLE IF NOT EXISTS in_tail_files (  id      INTEGER PRIMARY KEY,"
        "  name    TEXT NOT NULL,  offset  INTEGER,  inode   INTEGER,  created INTEGER,"
        "  rotated INTEGER DEFAULT 0);"
    )
    with_table.executemany(
        "INSERT INTO in_tail_files (name, offset, inode, created)  VALUES (?, ?, ?, ?);",
        [(name, at, number, 1_795_409_191) for name, number, at in entries],
    )
    with_table.close()
    return path


OTHERS = {"--fluentd": pos_file, "--fluent-bit": database}
both = pytest.mark.parametrize(("option", "written"), OTHERS.items(), ids=OTHERS)
