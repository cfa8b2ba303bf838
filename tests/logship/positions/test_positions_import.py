"""`logship positions import`: each log goes on where the other agent stood, or says why not.

The files are made as the other agents make them: a pos_file of fluentd, and Fluent Bit's database
by the statements of its own source.
"""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from logship.journal import Key
from logship.testing import cri_line, world
from tests.logship.positions.node import BEGIN_NS, SECOND_NS, Node, Others, inode, lines


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


@both
def test_a_log_goes_on_where_the_other_agent_stood(
    node: Node, option: str, written: Others
) -> None:
    read, whole = lines(10), lines(25)
    log = node.log("web", whole)
    file = written(node, [(str(node.link("web")), inode(log), len(read))])
    said = node.run("import", option, str(file), "--yes")
    assert said.code == 0
    assert said.err == ""
    assert "2: goes on there\nImported 2 positions.\n" in said.out
    assert node.offsets("first") == node.offsets("second") == {"web": len(read)}
    position = node.saved()[Key("first", "prod/uid-web/app/0")].position
    assert position.generation.time_ns == BEGIN_NS


@both
def test_without_yes_it_only_says_what_it_would_do(
    node: Node, option: str, written: Others
) -> None:
    log = node.log("web", lines(25))
    file = written(node, [(str(node.link("web")), inode(log), len(lines(10)))])
    said = node.run("import", option, str(file))
    assert said.code == 0
    assert "Would import 2 positions. Nothing was changed; add --yes to do it." in said.out
    assert not (node.home / "state").exists()


@both
def test_a_rotated_file_is_found_by_its_inode(node: Node, option: str, written: Others) -> None:
    log = node.log("web", lines(25))
    file = written(node, [(str(node.link("web")), inode(log), len(lines(10)))])
    node.rotate("web", lines(5, first=25))
    said = node.run("import", option, str(file), "--yes")
    assert "2: goes on there, in a rotated file\n" in said.out
    position = node.saved()[Key("first", "prod/uid-web/app/0")].position
    assert (position.generation.time_ns, position.offset) == (BEGIN_NS, len(lines(10)))


@both
def test_a_compressed_file_cannot_be_told_and_everything_is_read(
    node: Node, option: str, written: Others
) -> None:
    log = node.log("web", lines(25))
    file = written(node, [(str(node.link("web")), inode(log), len(lines(10)))])
    node.rotate("web", lines(5, first=25), compress=True)
    said = node.run("import", option, str(file), "--yes")
    assert "2: from its first byte: the file that was read is compressed or gone\n" in said.out
    assert node.offsets() == {}
    assert Key("first", "") in node.saved()  # it counts as having run: new logs from byte 0


@both
def test_an_inode_that_is_used_again_is_not_believed(
    node: Node, option: str, written: Others
) -> None:
    """The next file of a log often has the inode of the one that was just compressed."""
    log = node.log("web", lines(25, first=100))
    file = written(node, [(str(node.link("web")), inode(log), len(lines(10, first=100)))])
    stopped = (BEGIN_NS + 50 * SECOND_NS) / 1e9  # before the first row that is there now
    os.utime(file, (stopped, stopped))
    said = node.run("import", option, str(file), "--yes")
    assert "from its first byte: the inode that was read is that of a later file" in said.out
    assert node.offsets() == {}


@both
def test_a_file_that_is_shorter_than_what_was_read_is_not_believed(
    node: Node, option: str, written: Others
) -> None:
    log = node.log("web", lines(5))
    file = written(node, [(str(node.link("web")), inode(log), len(lines(10)))])
    said = node.run("import", option, str(file), "--yes")
    assert "from its first byte: the file is shorter than what was read of it" in said.out
    assert node.offsets() == {}


@both
def test_a_place_inside_of_a_record_goes_back_to_its_first_part(
    node: Node, option: str, written: Others
) -> None:
    whole = lines(3)
    begin = cri_line("half a ", time_ns=BEGIN_NS + 5 * SECOND_NS, tag="P")
    between = cri_line("of stderr", time_ns=BEGIN_NS + 6 * SECOND_NS, stream="stderr")
    end = cri_line("row", time_ns=BEGIN_NS + 7 * SECOND_NS)
    log = node.log("web", whole + begin + between + end)
    stood = len(whole + begin + between) + 20  # killed in the middle of a line
    file = written(node, [(str(node.link("web")), inode(log), stood)])
    node.run("import", option, str(file), "--yes")
    assert node.offsets() == {"web": len(whole)}


@both
def test_a_log_that_was_never_read_begins_as_at_a_first_start(
    node: Node, option: str, written: Others
) -> None:
    """Its rows are older than the ten minutes of `start_from`, so it begins at its end."""
    log = node.log("web", lines(25))
    node.log("excluded", lines(25))
    file = written(node, [(str(node.link("web")), inode(log), len(lines(10)))])
    said = node.run("import", option, str(file), "--yes")
    assert "as at a first start: the other agent has not read it" in said.out
    assert node.offsets() == {"web": len(lines(10)), "excluded": len(lines(25))}


@both
def test_a_log_that_appeared_later_is_read_from_its_first_byte(
    node: Node, option: str, written: Others
) -> None:
    log = node.log("web", lines(25))
    file = written(node, [(str(node.link("web")), inode(log), len(lines(10)))])
    stopped = (BEGIN_NS + 50 * SECOND_NS) / 1e9
    os.utime(file, (stopped, stopped))
    node.log("later", lines(5, first=60))
    said = node.run("import", option, str(file), "--yes")
    assert "from its first byte: it is new" in said.out
    assert node.offsets() == {"web": len(lines(10))}


@both
def test_an_entry_of_another_log_with_the_same_inode_is_not_believed(
    node: Node, option: str, written: Others
) -> None:
    """The pod is gone, its path with it, and a new pod's log has the inode."""
    log = node.log("web", lines(25))
    file = written(node, [(str(node.link("gone")), inode(log), len(lines(10)))])
    said = node.run("import", option, str(file), "--yes")
    assert f"{node.link('gone')}: not a log that these routes read here" in said.err
    assert node.offsets() == {"web": len(lines(25))}  # as at a first start


@both
def test_without_the_links_the_inode_and_the_names_of_the_pod_tell_the_log(
    node: Node, option: str, written: Others
) -> None:
    log = node.log("web", lines(25))
    path = f"/not/mounted/web_shop_app-{'0' * 64}.log"
    file = written(node, [(path, inode(log), len(lines(10)))])
    assert node.run("import", option, str(file), "--yes").code == 0
    assert node.offsets() == {"web": len(lines(10))}


@both
def test_again_changes_nothing_unless_it_is_told_to_replace(
    node: Node, option: str, written: Others
) -> None:
    log = node.log("web", lines(25))
    first = written(node, [(str(node.link("web")), inode(log), len(lines(10)))])
    node.run("import", option, str(first), "--yes")
    before = node.saved()
    first.unlink()
    second = written(node, [(str(node.link("web")), inode(log), len(lines(20)))])
    said = node.run("import", option, str(second), "--yes")
    assert "2: kept: logship stands there already\nImported 0 positions." in said.out
    assert {key: saved for key, saved in node.saved().items() if key.origin} == {
        key: saved for key, saved in before.items() if key.origin
    }
    node.run("import", option, str(second), "--yes", "--replace")
    assert node.offsets() == {"web": len(lines(20))}


def test_if_newer_believes_the_one_that_wrote_last(node: Node) -> None:
    """As an init container runs it at each start of a pod, beside the old agent in a rollout."""
    log = node.log("web", lines(25))
    file = pos_file(node, [(str(node.link("web")), inode(log), len(lines(10)))])
    words = ("import", "--fluentd", str(file), "--yes", "--if-newer")
    assert "Imported 2 positions." in node.run(*words).out
    here = world()
    try:
        lock = here.disk.lock(str(node.home / "state" / "lock"))  # an agent runs
        said = node.run(*words)
        here.disk.close(lock)
    finally:
        here.offload.close()
    assert said.code == 0
    assert said.out.endswith(f"logship has saved since {file} was written: nothing was imported\n")

    again = pos_file(node, [(str(node.link("web")), inode(log), len(lines(20)))])
    saved = (node.home / "state" / "positions.journal").stat().st_mtime_ns
    os.utime(again, ns=(saved + 1, saved + 1))  # fluentd has run meanwhile
    assert "Imported 2 positions." in node.run(*words).out
    assert node.offsets() == {"web": len(lines(20))}


def test_if_newer_ends_well_on_a_node_where_no_other_agent_has_run(node: Node) -> None:
    said = node.run("import", "--fluentd", "/no/such.pos", "--yes", "--if-newer")
    expected = "/no/such.pos: there is no such file: nothing was imported\n"
    assert said == (0, expected, "")


def test_it_refuses_while_an_agent_runs(node: Node) -> None:
    log = node.log("web", lines(25))
    file = pos_file(node, [(str(node.link("web")), inode(log), len(lines(10)))])
    (node.home / "state").mkdir()
    here = world()
    try:
        lock = here.disk.lock(str(node.home / "state" / "lock"))
        said = node.run("import", "--fluentd", str(file), "--yes")
        here.disk.close(lock)
    finally:
        here.offload.close()
    assert said.code == 1
    assert said.err.endswith("stop it first; nothing was imported\n")
    assert not (node.home / "state" / "positions.journal").exists()


def test_only_the_routes_that_are_named(node: Node) -> None:
    log = node.log("web", lines(25))
    file = pos_file(node, [(str(node.link("web")), inode(log), len(lines(10)))])
    node.run("import", "--fluentd", str(file), "--route", "second", "--yes")
    assert {key.route for key in node.saved()} == {"second"}


def test_two_pos_files_are_one_import(node: Node) -> None:
    first, second = node.log("web", lines(25)), node.log("db", lines(25))
    one = pos_file(node, [(str(node.link("web")), inode(first), len(lines(10)))])
    one = one.rename(node.home / "one.pos")
    two = pos_file(node, [(str(node.link("db")), inode(second), len(lines(20)))])
    node.run("import", "--fluentd", str(one), "--fluentd", str(two), "--yes")
    assert node.offsets() == {"web": len(lines(10)), "db": len(lines(20))}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x1f\x8b\x00 no lines\n", "not a pos_file: no line of it has a path"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_what_is_no_pos_file_is_explained(node: Node, content: bytes | None, reason: str) -> None:
    path = node.home / "containers.pos"
    if content is not None:
        path.write_bytes(content)
    said = node.run("import", "--fluentd", str(path), "--yes")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"{path}: {reason}")


@pytest.mark.parametrize("content", [b"", b"text" * 4096])
def test_what_is_no_database_is_explained(node: Node, content: bytes) -> None:
    path = node.home / "flb.db"
    path.write_bytes(content)
    said = node.run("import", "--fluent-bit", str(path), "--yes")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"{path}: not a database of Fluent Bit's tail")


def test_a_route_that_does_not_exist_is_explained(node: Node) -> None:
    file = pos_file(node, [])
    said = node.run("import", "--fluentd", str(file), "--route", "frist")
    assert (said.code, said.err) == (1, "there is no route frist; the routes are: first, second\n")
