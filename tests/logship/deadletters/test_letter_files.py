"""Dead letters are taken out of files that an agent goes on writing: no line is ever lost."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from logship.api import Refused, World
from logship.delivery.deadletters import LOCK_NAME, DeadLetters, Full
from logship.delivery.letter_files import LetterFiles, Stored
from logship.testing import texts_batch, world


@pytest.fixture
def here() -> Iterator[World]:
    made = world()
    yield made
    made.offload.close()


def letters_in(directory: Path, here: World, max_bytes: int = 1 << 20) -> DeadLetters:
    return DeadLetters(str(directory), max_bytes, 3600, here)


async def bury(letters: DeadLetters, *texts: str) -> None:
    batch = texts_batch(texts)
    refused = [Refused(0, row, "why") for row in range(len(texts))]
    await letters.store(letters.encoded("gcl", batch, refused))


def stored(files: LetterFiles) -> list[str]:
    return [letter.text for letter, _ in files.each()]


def take_out(files: LetterFiles, *texts: str) -> None:
    for segment in files.segments():
        chosen: list[Stored] = [s for s in files.read(segment) if s.letter.text in texts]
        files.remove(segment, Counter(s.line for s in chosen))


def test_only_what_is_taken_out_is_gone(tmp_path: Path, here: World) -> None:
    files = LetterFiles(str(tmp_path), here.disk)
    asyncio.run(bury(letters_in(tmp_path, here), "a", "b", "c"))
    take_out(files, "b")
    assert stored(files) == ["a", "c"]


def test_a_line_that_stands_there_twice_is_taken_out_once(tmp_path: Path, here: World) -> None:
    files = LetterFiles(str(tmp_path), here.disk)
    asyncio.run(bury(letters_in(tmp_path, here), "a"))
    [segment] = files.segments()
    line = Path(segment).read_bytes()
    Path(segment).write_bytes(line * 3)
    files.remove(segment, Counter([line]))
    assert Path(segment).read_bytes() == line * 2


def test_an_empty_segment_goes_and_the_agent_begins_another(tmp_path: Path, here: World) -> None:
    files = LetterFiles(str(tmp_path), here.disk)
    letters = letters_in(tmp_path, here)

    async def run() -> None:
        await bury(letters, "a")
        take_out(files, "a")
        assert files.segments() == []
        await bury(letters, "b")

    asyncio.run(run())
    assert stored(files) == ["b"]


def test_what_an_agent_appends_meanwhile_stays(tmp_path: Path, here: World) -> None:
    files = LetterFiles(str(tmp_path), here.disk)
    letters = letters_in(tmp_path, here)

    async def run() -> None:
        await bury(letters, "a")
        [segment] = files.segments()
        chosen = list(files.read(segment))
        await bury(letters, "b")
        files.remove(segment, Counter(s.line for s in chosen))

    asyncio.run(run())
    assert stored(files) == ["b"]


def test_the_agent_waits_while_lines_are_taken_out(tmp_path: Path, here: World) -> None:
    async def run() -> list[str]:
        files = LetterFiles(str(tmp_path), here.disk)
        lock = here.disk.lock(str(tmp_path / LOCK_NAME))
        burying = asyncio.ensure_future(bury(letters_in(tmp_path, here), "a"))
        await asyncio.wait([burying], timeout=0.2)
        before = stored(files)
        here.disk.close(lock)
        await burying
        return [*before, *stored(files)]

    assert asyncio.run(run()) == ["a"]


def test_nothing_is_taken_out_while_the_agent_writes(tmp_path: Path, here: World) -> None:
    files = LetterFiles(str(tmp_path), here.disk)
    asyncio.run(bury(letters_in(tmp_path, here), "a"))
    lock = here.disk.lock(str(tmp_path / LOCK_NAME))
    with pytest.raises(BlockingIOError):
        take_out(files, "a")
    here.disk.close(lock)
    assert stored(files) == ["a"]


def test_damaged_and_torn_lines_are_left_alone(tmp_path: Path, here: World) -> None:
    files = LetterFiles(str(tmp_path), here.disk)
    asyncio.run(bury(letters_in(tmp_path, here), "a", "b"))
    [segment] = files.segments()
    path = Path(segment)
    path.write_bytes(b"no letter\n" + path.read_bytes() + b'{"id":"torn')
    take_out(files, "a")
    assert stored(files) == ["b"]
    assert files.damaged == 2  # seen twice
    content = path.read_bytes()
    assert content.startswith(b"no letter\n")
    assert content.endswith(b'{"id":"torn')


def test_no_directory_is_no_letters(tmp_path: Path, here: World) -> None:
    assert stored(LetterFiles(str(tmp_path / "none"), here.disk)) == []


def test_taking_out_makes_room_for_new_letters(tmp_path: Path, here: World) -> None:
    files = LetterFiles(str(tmp_path), here.disk)
    letters = letters_in(tmp_path, here, max_bytes=1000)

    async def run() -> None:
        await bury(letters, "a")
        with pytest.raises(Full):
            await bury(letters, "b" * 600)
        take_out(files, "a")
        await bury(letters, "b" * 300)

    asyncio.run(run())
    assert stored(files) == ["b" * 300]
