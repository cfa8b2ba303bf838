"""`logship positions export`: the other agent finds its file as it writes it itself."""

import os
import re
import sqlite3
from pathlib import Path

import pytest

from logship.journal import HEADER, Key, Saved, line
from logship.rows.address import Generation, Position, line_digest
from logship.testing import cri_line, world
from tests.logship.positions.node import BEGIN_NS, SECOND_NS, Node, inode, lines

# fluentd: in_tail/position_file.rb, POSITION_FILE_ENTRY_REGEX.
ENTRY = re.compile(r"^([^\t]+)\t([0-9a-fA-F]+)\t([0-9a-fA-F]+)")
COUNT = "INTEGER DEFAULT 0"
FIRST_LINE = cri_line("row 0", time_ns=BEGIN_NS)
GENERATION = Generation(BEGIN_NS, line_digest(FIRST_LINE))


def save(node: Node, **offsets: int) -> None:
    """Where routes stand in the log of the pod `web`, as an agent saved it."""
    (node.home / "state").mkdir()
    saved = {
        Key(route, "prod/uid-web/app/0"): Saved(Position(GENERATION, offset), BEGIN_NS)
        for route, offset in offsets.items()
    }
    content = HEADER + b"".join(line(key, one) for key, one in saved.items())
    (node.home / "state" / "positions.journal").write_bytes(content)


def export(node: Node, option: str, path: Path, *words: str) -> tuple[str, str]:
    links = str(node.home / "containers")
    said = node.run("export", option, str(path), "--links", links, "--yes", *words)
    assert said.code == 0, said.err
    return said.out, said.err


def read_by_fluentd(path: Path) -> dict[str, tuple[int, int]]:
    found = [ENTRY.match(text) for text in path.read_text().splitlines()]
    return {one[1]: (int(one[2], 16), int(one[3], 16)) for one in found if one}


def read_by_fluent_bit(path: Path, number: int) -> tuple[str, int] | None:
    """SQL_GET_FILE of plugins/in_tail/tail_sql.h; the first row counts."""
    database = sqlite3.connect(path)
    try:
        rows = database.execute(
            "SELECT * from in_tail_files WHERE inode=? order by id desc;", (number,)
        ).fetchall()
    finally:
        database.close()
    return (rows[0][1], rows[0][2]) if rows else None


def test_fluentd_finds_where_the_slowest_route_stands(node: Node) -> None:
    log, path = node.log("web", lines(25)), node.home / "containers.pos"
    save(node, first=len(lines(20)), second=len(lines(10)))
    out, err = export(node, "--fluentd", path)
    assert (out.splitlines()[-1], err) == (f"Wrote 1 log to {path}.", "")
    assert read_by_fluentd(path) == {str(node.link("web")): (len(lines(10)), inode(log))}


def test_fluentds_file_is_what_fluentd_writes(node: Node) -> None:
    log, path = node.log("web", lines(25)), node.home / "containers.pos"
    save(node, first=400)
    export(node, "--fluentd", path)
    assert path.read_text() == f"{node.link('web')}\t0000000000000190\t{inode(log):016x}\n"
    assert path.stat().st_mode & 0o777 == 0o644


def test_entries_of_other_files_stay_and_the_file_keeps_owner_and_mode(node: Node) -> None:
    node.log("web", lines(25))
    path = node.home / "containers.pos"
    link = node.link("web")
    path.write_text(
        f"/var/log/other.log\t0000000000000007\t0000000000000008\n"
        f"{link}\t0000000000000001\t0000000000000002\n"
        "/gone.log\tffffffffffffffff\t0000000000000009\n"
        + "/long/".ljust(400, "x") + "\t0000000000000005\t0000000000000006\n"
    )  # fmt: skip
    path.chmod(0o640)
    number = inode(path)
    save(node, first=len(lines(10)))
    export(node, "--fluentd", path)
    found = read_by_fluentd(path)
    assert found["/var/log/other.log"] == (7, 8)
    assert found[str(link)][0] == len(lines(10))
    assert "/gone.log" not in found
    assert len(found) == 3
    assert (inode(path), path.stat().st_mode & 0o777) == (number, 0o640)


def test_fluent_bit_finds_its_row_by_the_inode(node: Node) -> None:
    log, path = node.log("web", lines(25)), node.home / "flb.db"
    save(node, first=len(lines(10)))
    export(node, "--fluent-bit", path)
    assert read_by_fluent_bit(path, inode(log)) == (str(node.link("web")), len(lines(10)))


@pytest.mark.parametrize("more", ["", f", offset_marker {COUNT}, offset_marker_size {COUNT}"])
def test_rows_of_a_database_that_is_there_are_replaced_or_stay(node: Node, more: str) -> None:
    """Version 5 adds columns; a marker of what was read before must not stay."""
    log, path = node.log("web", lines(25)), node.home / "flb.db"
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute(
        "CREATE TABLE in_tail_files (id INTEGER PRIMARY KEY, name TEXT NOT NULL, offset INTEGER,"
        f" inode INTEGER, created INTEGER, rotated INTEGER DEFAULT 0{more})"
    )
    rows = [("/old", 5, inode(log)), ("/other", 6, 77)]
    database.executemany("INSERT INTO in_tail_files (name, offset, inode) VALUES (?, ?, ?)", rows)
    if more:
        database.execute("UPDATE in_tail_files SET offset_marker = 123, offset_marker_size = 64")
    database.commit()
    database.close()
    save(node, first=len(lines(10)))
    export(node, "--fluent-bit", path)
    assert read_by_fluent_bit(path, inode(log)) == (str(node.link("web")), len(lines(10)))
    assert read_by_fluent_bit(path, 77) == ("/other", 6)
    database = sqlite3.connect(path)
    row = database.execute("SELECT * FROM in_tail_files WHERE inode = ?", (inode(log),)).fetchone()
    database.close()
    assert row[5:] == (0,) * len(row[5:])


def test_what_is_left_in_rotated_files_is_said(node: Node) -> None:
    node.log("web", lines(25))
    node.rotate("web", lines(5, first=25))
    save(node, first=len(lines(10)))
    path = node.home / "containers.pos"
    _, err = export(node, "--fluentd", path)
    left = len(lines(25)) - len(lines(10))
    assert f"{left} bytes of rotated files are left to nobody: logship has not delivered" in err
    live = node.link("web").resolve()
    assert read_by_fluentd(path) == {str(node.link("web")): (0, inode(live))}


def test_a_settled_rotated_file_needs_no_word(node: Node) -> None:
    node.log("web", lines(25))
    node.rotate("web", lines(5, first=25))
    save(node, first=len(lines(25)))
    _, err = export(node, "--fluentd", node.home / "containers.pos")
    assert err == ""


def test_fluent_bit_is_said_to_begin_at_the_end_where_the_offset_is_zero(node: Node) -> None:
    node.log("web", lines(25))
    save(node, first=0)
    _, err = export(node, "--fluent-bit", node.home / "flb.db")
    assert "1 at offset 0: there Fluent Bit begins at the END of the file" in err
    assert "Read_from_Head On" in err


def test_without_yes_nothing_is_written(node: Node) -> None:
    node.log("web", lines(25))
    save(node, first=len(lines(10)))
    for option in ("--fluentd", "--fluent-bit"):
        path = node.home / "theirs"
        said = node.run("export", option, str(path))
        assert f"Would write 1 log to {path}. Nothing was changed; add --yes" in said.out
        assert not path.exists()


def test_if_newer_hands_over_once_and_never_back(node: Node) -> None:
    """As an init container of fluentd runs it at each start of a pod."""
    log, path = node.log("web", lines(25)), node.home / "containers.pos"
    said = node.run("export", "--fluentd", str(path), "--yes", "--if-newer")
    checkpoint = node.home / "state" / "positions.journal"
    expected = f"{checkpoint}: there is no such file: nothing was exported\n"
    assert said == (0, expected, "")
    save(node, first=len(lines(10)))
    out, _ = export(node, "--fluentd", path, "--if-newer")
    assert out.endswith(f"Wrote 1 log to {path}.\n")
    path.write_text(f"{node.link('web')}\t{len(lines(20)):016x}\t{inode(log):016x}\n")
    out, _ = export(node, "--fluentd", path, "--if-newer")
    assert out == f"{path} was written since logship saved: nothing was exported\n"
    assert read_by_fluentd(path)[str(node.link("web"))] == (len(lines(20)), inode(log))


def test_a_log_that_has_appeared_since_logship_ended_is_read_from_its_first_byte(
    node: Node,
) -> None:
    """fluentd would begin at the end of a file that it has no entry of."""
    node.log("web", lines(25))
    log = node.log("later", lines(5, first=60))
    node.log("not-read-by-logship", lines(25))
    save(node, first=len(lines(10)))
    ended = (BEGIN_NS + 50 * SECOND_NS) / 1e9
    os.utime(node.home / "state" / "positions.journal", (ended, ended))
    path = node.home / "containers.pos"
    export(node, "--fluentd", path)
    found = read_by_fluentd(path)
    assert found[str(node.link("later"))] == (0, inode(log))
    assert found.keys() == {str(node.link("web")), str(node.link("later"))}


def test_a_log_without_a_link_has_its_own_path(node: Node) -> None:
    log, path = node.log("web", lines(25)), node.home / "containers.pos"
    node.link("web").unlink()
    save(node, first=len(lines(10)))
    export(node, "--fluentd", path)
    assert list(read_by_fluentd(path)) == [str(log)]


def test_it_refuses_while_an_agent_runs(node: Node) -> None:
    node.log("web", lines(25))
    save(node, first=len(lines(10)))
    here = world()
    try:
        lock = here.disk.lock(str(node.home / "state" / "lock"))
        said = node.run("export", "--fluentd", str(node.home / "theirs"), "--yes")
        here.disk.close(lock)
    finally:
        here.offload.close()
    assert said.code == 1
    assert said.err.endswith("stop it first; nothing was exported\n")
    assert not (node.home / "theirs").exists()


def test_a_file_that_cannot_be_written_is_explained(node: Node) -> None:
    node.log("web", lines(25))
    save(node, first=len(lines(10)))
    for option, said in (("--fluentd", "cannot be written"), ("--fluent-bit", "not usable now")):
        path = node.home / "no" / "such" / "directory"
        done = node.run("export", option, str(path), "--yes")
        assert (done.code, str(path) in done.err, said in done.err) == (1, True, True)
