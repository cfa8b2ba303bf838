"""`logship positions import`: each log goes on where the other agent stood, or says why not."""

import os

from logship.journal import Key
from logship.testing import cri_line
from tests.logship.positions.foreign_files import both
from tests.logship.positions.node import BEGIN_NS, SECOND_NS, Node, Others, inode, lines


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
