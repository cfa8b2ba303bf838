"""Saved positions survive everything a crash can leave behind."""

import asyncio
import logging
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logship.checkpoint import FILE_NAME, Checkpoint
from logship.journal import HEADER, ForeignFile, Key, Saved, line, parse
from logship.rows.address import Generation, Position
from logship.tail.loss import NOTHING_KNOWN, Following
from logship.testing.virtual_time import run_virtual, virtual_world

names = st.text(st.characters(codec="utf-8"), max_size=8)
generations = st.builds(Generation, st.integers(0, 2**63 - 1), st.integers(0, 2**32 - 1))
sizes = st.integers(0, 2**48)
following = st.builds(
    Following,
    st.integers(0, 2**62),
    sizes,
    st.lists(st.tuples(generations, sizes, st.booleans()), max_size=3).map(tuple),
)
saved = st.builds(Saved, st.builds(Position, generations, sizes), st.integers(0, 2**62), following)
entries = st.lists(st.tuples(st.builds(Key, names, names), st.none() | saved), max_size=8)


def expected(lines: list[tuple[Key, Saved | None]]) -> dict[Key, Saved]:
    found = dict(lines)
    return {key: value for key, value in found.items() if value is not None}


@given(entries)
def test_what_was_saved_is_read_back(lines: list[tuple[Key, Saved | None]]) -> None:
    content = HEADER + b"".join(line(key, value) for key, value in lines)
    loaded = parse(content)
    assert loaded.positions == expected(lines)
    assert (loaded.bad_lines, loaded.whole_bytes) == (0, len(content))


@given(entries, st.data())
def test_a_file_torn_at_any_byte_gives_the_whole_lines_before(
    lines: list[tuple[Key, Saved | None]], data: st.DataObject
) -> None:
    encoded = [line(key, value) for key, value in lines]
    content = HEADER + b"".join(encoded)
    cut = data.draw(st.integers(len(HEADER), len(content)))
    whole, size = 0, len(HEADER)
    while whole < len(encoded) and size + len(encoded[whole]) <= cut:
        size += len(encoded[whole])
        whole += 1
    loaded = parse(content[:cut])
    assert loaded.positions == expected(lines[:whole])
    assert loaded.whole_bytes == size


@given(st.binary(max_size=200))
def test_any_bytes_are_a_checkpoint_or_foreign(content: bytes) -> None:
    try:
        parse(content)
    except ForeignFile:
        assert not content.startswith(HEADER)
    assert parse(HEADER + content).positions == {}


def position(offset: int) -> Position:
    return Position(Generation(5, 6), offset)


def checkpoint(directory: Path) -> Checkpoint:
    opened = Checkpoint(str(directory), virtual_world(), logging.getLogger("test"))
    opened.load()
    return opened


def test_positions_are_found_after_a_restart_also_under_a_former_name(tmp_path: Path) -> None:
    async def save() -> None:
        first = checkpoint(tmp_path)
        first.update({Key("r", "o"): position(1), Key("r", "gone"): position(2)})
        await first.save()
        first.update({Key("r", "o"): position(7)})
        first.forget(Key("r", "gone"))
        await first.save()
        again = checkpoint(tmp_path)
        assert again.position("r", "o") == position(7)
        assert again.position("new", "o", was="r") == position(7)
        assert again.position("r", "gone") is None

    run_virtual(save())


def test_a_torn_tail_is_cut_off_and_later_saves_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def save() -> None:
        first = checkpoint(tmp_path)
        first.update({Key("r", "o"): position(1)})
        await first.save()
        path = tmp_path / FILE_NAME
        path.write_bytes(path.read_bytes()[:-3])
        second = checkpoint(tmp_path)
        assert "damaged" in caplog.text
        assert second.position("r", "o") is None
        second.update({Key("r", "p"): position(9)})
        await second.save()
        assert checkpoint(tmp_path).position("r", "p") == position(9)

    run_virtual(save())


def test_a_foreign_file_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def load() -> None:
        (tmp_path / FILE_NAME).write_bytes(b"SQLite format 3\x00\xff")
        checkpoint(tmp_path)
        assert "set aside" in caplog.text
        assert [p.read_bytes() for p in tmp_path.glob("*.foreign-*")] == [
            b"SQLite format 3\x00\xff"
        ]

    run_virtual(load())


def test_a_directory_that_cannot_be_written_loses_nothing(tmp_path: Path) -> None:
    async def save() -> None:
        opened = checkpoint(tmp_path)
        (tmp_path / (FILE_NAME + ".new")).mkdir()  # opening it for writing fails, also for root
        opened.update({Key("r", "o"): position(1)})
        await opened.save()
        assert opened.saved_at is None
        (tmp_path / (FILE_NAME + ".new")).rmdir()
        await opened.save()
        assert opened.saved_at is not None
        assert checkpoint(tmp_path).position("r", "o") == position(1)

    run_virtual(save())


def test_saving_in_a_loop_appends_and_snapshots(tmp_path: Path) -> None:
    async def save() -> None:
        opened = checkpoint(tmp_path)
        for offset in range(100):
            opened.update({Key("r", "o"): position(offset)})
            await opened.save()
            await asyncio.sleep(1.0)
        assert checkpoint(tmp_path).position("r", "o") == position(99)
        assert (tmp_path / FILE_NAME).read_bytes().count(b"\n") < 60

    run_virtual(save())


def test_what_was_known_to_follow_is_found_after_a_restart(tmp_path: Path) -> None:
    known = Following(7, 100, ((Generation(9, 9), 60, True),))

    async def save() -> None:
        first = checkpoint(tmp_path)
        first.update({Key("r", "o"): position(1)}, {Key("r", "o"): known})
        await first.save()
        again = checkpoint(tmp_path)
        assert again.following("r", "o") == known
        assert again.following("new", "o", was="r") == known
        assert again.following("r", "other") == NOTHING_KNOWN

    run_virtual(save())


def test_a_log_that_grows_while_its_route_stands_is_noted_now_and_then_and_at_the_end(
    tmp_path: Path,
) -> None:
    key = Key("r", "o")

    async def save() -> None:
        opened = checkpoint(tmp_path)
        noted = []
        for size in range(21):
            opened.update({key: position(1)}, {key: Following(7, size)})
            noted.append(opened.following("r", "o").unsettled)
            await asyncio.sleep(1.0)
        assert noted == [0] * 10 + [10] * 10 + [20]
        opened.update({key: position(1)}, {key: Following(7, 21)}, last=True)
        assert opened.following("r", "o").unsettled == 21
        rotated = Following(7, 22, ((Generation(9, 9), 22, False),))
        ended = Following(7, 22, ((Generation(9, 9), 22, True),))
        opened.update({key: position(1)}, {key: rotated})
        assert opened.following("r", "o") == rotated
        opened.update({key: position(1)}, {key: ended})  # now the bytes are exact
        assert opened.following("r", "o") == ended

    run_virtual(save())


def test_a_line_of_an_agent_that_knew_nothing_of_what_follows_is_read() -> None:
    text = b'{"route":"r","origin":"o","generation":"000000000000000500000006","offset":7,"at":8}'
    loaded = parse(HEADER + b"%08x %s\n" % (crc32(text), text))
    assert loaded.positions == {Key("r", "o"): Saved(position(7), 8)}
