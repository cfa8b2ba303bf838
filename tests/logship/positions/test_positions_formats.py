"""The files of other agents: what is written is read again; places are told by values alone."""

import sqlite3
import string
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from logship.cli.positions import fluent_bit, fluentd
from logship.cli.positions.foreign import Entry
from logship.cli.positions.matching import File, Found, Place, place

paths = st.text(string.printable + "äß\U0001f600\x85\u2028", min_size=1, max_size=60).filter(
    fluentd.writable
)
raw = st.binary(min_size=1, max_size=20).map(lambda name: name.decode("utf-8", "surrogateescape"))
entries = st.builds(Entry, paths, st.integers(1, 2**64 - 1), st.integers(0, 2**63 - 1))
unique = st.lists(entries, max_size=20, unique_by=(lambda e: e.path, lambda e: e.inode))


@given(unique)
def test_a_pos_file_says_what_was_written(written: list[Entry]) -> None:
    assert fluentd.parse(fluentd.render(written)) == (written, 0)


@given(raw.filter(fluentd.writable))
def test_a_path_that_is_not_utf_8_is_kept(path: str) -> None:
    written = [Entry(path, 1, 2)]
    assert fluentd.parse(fluentd.render(written)) == (written, 0)


@given(unique, unique)
def test_merging_keeps_what_others_said(before: list[Entry], new: list[Entry]) -> None:
    found, bad = fluentd.parse(fluentd.merged(fluentd.render(before), new))
    paths = {entry.path for entry in new}
    assert bad == 0
    assert found == [entry for entry in before if entry.path not in paths] + new


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read_as_a_pos_file(content: bytes) -> None:
    found, bad = fluentd.parse(content)
    assert len(found) + bad <= len(content.split(b"\n"))


def test_old_pos_files_have_eight_digits_of_the_inode() -> None:
    assert fluentd.parse(b"/var/log/a.log\t0000000000000010\t0000abcd\n") == (
        [Entry("/var/log/a.log", 0xABCD, 16)], 0,
    )  # fmt: skip


def test_a_path_that_is_not_watched_any_more_has_no_entry() -> None:
    text = b"/a\t0000000000000010\t000000000000abcd\n/a\tffffffffffffffff\t000000000000abcd\n"
    assert fluentd.parse(text) == ([], 0)


@settings(max_examples=25)
@given(unique.map(lambda some: [e for e in some if not e.path.endswith(".gz")]))
def test_a_database_says_what_was_written(written: list[Entry]) -> None:
    with TemporaryDirectory() as directory:
        path = str(Path(directory, "flb.db"))
        fluent_bit.write(path, written, 1)
        fluent_bit.write(path, written, 2)
        assert fluent_bit.read(path).entries == written


def test_a_path_in_a_database_that_is_not_utf_8_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "flb.db"
    fluent_bit.write(str(path), [Entry("/a", 1, 2)], 1)
    database = sqlite3.connect(path)
    database.execute("UPDATE in_tail_files SET name = CAST(x'2fff' AS TEXT)")
    database.commit()
    database.close()
    (entry,) = fluent_bit.read(str(path)).entries
    assert entry.path == "/\udcff"
    assert not fluent_bit.writable(entry.path)


def test_a_database_that_was_not_closed_is_read_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "flb.db"
    fluent_bit.write(str(path), [Entry("/a", 1, 2)], 1)
    killed = sqlite3.connect(path)
    killed.execute("PRAGMA journal_mode=WAL")
    killed.execute("UPDATE in_tail_files SET offset = 3")
    killed.commit()
    try:
        assert Path(f"{path}-wal").stat().st_size > 0
        assert fluent_bit.read(str(path)).entries == [Entry("/a", 1, 3)]
    finally:
        killed.close()


def test_a_compressed_file_of_fluent_bit_is_left_out(tmp_path: Path) -> None:
    path = str(tmp_path / "flb.db")
    fluent_bit.write(path, [Entry("/a.log.gz", 1, 2), Entry("/a.log", 3, 4)], 1)
    stand = fluent_bit.read(path)
    assert stand.entries == [Entry("/a.log", 3, 4)]
    assert stand.left_out == ["/a.log.gz: Fluent Bit counts compressed bytes of it"]


OLD = File(inode=1, size=100, first_ns=10)
LIVE = File(inode=2, size=50, first_ns=20, live=True)


def test_with_entries_of_both_files_the_first_that_is_unread_counts() -> None:
    """As fluentd saves them with `follow_inodes`."""
    both = [Entry("/a", 1, 60), Entry("/a", 2, 30)]
    assert place([OLD, LIVE], both, 30) == Place(Found.ROTATED, 0, 60)
    assert place([OLD, LIVE], [Entry("/a", 1, 100), both[1]], 30) == Place(Found.THERE, 1, 30)


def test_at_the_end_of_a_rotated_file_reading_goes_on_behind_it() -> None:
    assert place([OLD, LIVE], [Entry("/a", 1, 100)], 30) == Place(Found.ROTATED, 0, 100)


def test_a_compressed_file_is_never_the_one_that_was_read() -> None:
    packed = File(inode=1, size=100, first_ns=10, compressed=True)
    assert place([packed, LIVE], [Entry("/a", 1, 60)], 30).found is Found.GONE


@given(
    st.lists(st.builds(File, st.integers(1, 4), st.integers(0, 9), st.integers(0, 9)), max_size=4),
    st.lists(st.builds(Entry, st.just("/a"), st.integers(1, 4), st.integers(-2, 12)), max_size=4),
    st.integers(0, 9),
)
def test_a_place_is_one_that_an_entry_names_and_the_file_has(
    files: list[File], claimed: list[Entry], written_ns: int
) -> None:
    found = place(files, claimed, written_ns)
    if found.found in (Found.THERE, Found.ROTATED):
        file = files[found.file]
        assert Entry("/a", file.inode, found.offset) in claimed
        assert found.offset <= file.size
        assert file.first_ns <= written_ns
