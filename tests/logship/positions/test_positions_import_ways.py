"""`logship positions import`: when it does nothing, and what it says of files that are none."""

import os

import pytest

from logship.testing import world
from tests.logship.positions.foreign_files import pos_file
from tests.logship.positions.node import Node, inode, lines


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
