"""Files without times in their lines, through every kind of rotation and a crash at any step.

Every line arrives, with one id, also across a restart: what is allowed to come twice has the same
id. `header` means that every file begins with the same line, so that first lines tell nothing.
"""

from collections import defaultdict
from pathlib import Path

import pytest

from logship.testing.virtual_time import run_virtual, virtual_world
from tests.logship.identity.rotating import (
    NAME,
    ROTATIONS,
    Agent,
    Rotate,
    copied,
    copied_compressed,
    dated_before_the_extension,
    dated_compressed,
    renamed_compressed,
    renamed_compressed_later,
    write,
)

EVERY = pytest.mark.parametrize("rotate", ROTATIONS, ids=lambda rotate: rotate.__name__)
HEADER = pytest.mark.parametrize("header", [False, True], ids=["distinct", "header"])


class Application:
    """Writes lines that are never the same, but for the header."""

    def __init__(self, live: Path, header: bool) -> None:
        self.live, self.header = live, header
        self.written: list[str] = []
        self._files = 0

    def begin(self) -> None:
        self._files += 1
        self._write("# time,text" if self.header else f"file {self._files} begins")

    def lines(self, count: int = 3) -> None:
        for _ in range(count):
            self._write(f"line {len(self.written)}")

    def _write(self, line: str) -> None:
        self.written.append(line)
        write(self.live, line)


def assert_all_with_one_id(agent: Agent, app: Application) -> None:
    ids: dict[str, set[str]] = defaultdict(set)
    texts: dict[str, set[str]] = defaultdict(set)
    for id_, text in agent.rows:
        ids[text].add(id_)
        texts[id_].add(text)
    assert {id_: found for id_, found in texts.items() if len(found) > 1} == {}
    assert {text: len(found) for text, found in ids.items()} == {
        text: app.written.count(text) for text in app.written
    }
    assert [loss for loss in agent.losses if not loss.nothing] == []


@EVERY
@HEADER
@pytest.mark.parametrize("slow", [False, True], ids=["", "slow"])
def test_an_agent_that_runs_reads_every_line_once_and_in_order(
    tmp_path: Path, rotate: Rotate, header: bool, slow: bool
) -> None:
    async def go() -> None:
        app, world = Application(tmp_path / NAME, header), virtual_world()
        app.begin()
        agent = Agent(tmp_path, world)
        for number in (1, 2, 3):
            app.lines()
            if not slow:
                await agent.read(2)
            for _ in rotate(app.live, number):
                agent.look()
            app.begin()
            await agent.read(0 if slow else 3)
        app.lines()
        await agent.read(20)
        assert agent.texts == app.written
        assert_all_with_one_id(agent, app)

    run_virtual(go())


@EVERY
@HEADER
@pytest.mark.parametrize("settled", [True, False], ids=["settled", "behind"])
def test_a_crash_at_any_step_of_a_rotation_loses_nothing(
    tmp_path: Path, rotate: Rotate, header: bool, settled: bool
) -> None:
    async def go(step: int, directory: Path) -> bool:
        app, world = Application(directory / NAME, header), virtual_world()
        app.begin()
        app.lines()
        agent = Agent(directory, world)
        await agent.read(1)
        if not settled:
            app.lines(2)
        crashed = False
        for number, _ in enumerate(rotate(app.live, 1)):
            agent.look()
            if settled:
                await agent.read()
            if number == step:
                agent.restart()
                crashed = True
        app.begin()
        app.lines()
        await agent.read(8)
        agent.restart()
        app.lines()
        await agent.read(8)
        assert_all_with_one_id(agent, app)
        return crashed

    step = 0
    while True:
        (tmp_path / str(step)).mkdir()
        if not run_virtual(go(step, tmp_path / str(step))):
            break
        step += 1
    assert step


@EVERY
@HEADER
def test_what_was_rotated_while_no_agent_ran_is_found_again(
    tmp_path: Path, rotate: Rotate, header: bool
) -> None:
    """A header and another birth: nothing tells that the copy is the file one stood in. Then its
    rows come again under other ids, and none is missing."""
    copies = [
        renamed_compressed, renamed_compressed_later, dated_compressed, dated_before_the_extension,
        copied, copied_compressed,
    ]  # fmt: skip

    async def go() -> None:
        app, world = Application(tmp_path / NAME, header), virtual_world()
        app.begin()
        app.lines()
        agent = Agent(tmp_path, world)
        await agent.read(1)
        app.lines()  # not read any more
        agent.stop()
        for number in (1, 2):
            for _ in rotate(app.live, number):
                pass
            app.begin()
            app.lines()
        agent.start()
        await agent.read(15)
        if header and rotate in copies:
            assert set(agent.texts) == set(app.written)
        else:
            assert_all_with_one_id(agent, app)

    run_virtual(go())
