"""An agent that waits for the state directory of another one."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from logship.status import status
from logship.testing.virtual_time import run_virtual
from tests.logship.reload.reload_stage import Options, Stage, configured

REST: Options = {"name": "rest", "to": "a"}


class Other:
    """The other agent, as far as it matters."""

    def __init__(self, stage: Stage, directory: Path) -> None:
        self._disk = stage.agent.world.disk
        self._disk.make_dir(f"{directory}/state")
        self._lock = self._disk.lock(f"{directory}/state/lock")

    def end(self) -> None:
        self._disk.close(self._lock)


def waiting(
    directory: Path, work: Callable[[Stage, Other], Awaitable[None]], **more: object
) -> Stage:
    async def go() -> Stage:
        stage = Stage(directory, configured(directory / "pods", [REST], **more), "a", "b", "c")
        await stage.running(work(stage, Other(stage, directory)), at_once=True)
        return stage

    return run_virtual(go())


def rows(start: int, stop: int) -> list[str]:
    return [f"row {number}" for number in range(start, stop)]


def test_it_is_ready_and_reads_what_went_before_it_had_its_turn(tmp_path: Path) -> None:
    async def work(stage: Stage, other: Other) -> None:
        stage.say("shop_web", *rows(0, 50))
        await stage.pass_secs(2)
        shown = await status(stage.agent)
        assert (shown["ready"], shown["waiting_for_state_dir"]) == (True, True)
        stage.say("shop_web", *rows(50, 100))
        stage.remove("shop_web")
        await stage.pass_secs(100)
        assert stage.to["a"].texts == []
        other.end()
        await stage.agent.reading.wait()
        await stage.quiet()
        assert stage.to["a"].texts == rows(0, 100)
        assert not (await status(stage.agent))["waiting_for_state_dir"]

    waiting(tmp_path, work)


def test_it_holds_no_more_than_it_may_and_tells_what_that_cost(tmp_path: Path) -> None:
    async def work(stage: Stage, other: Other) -> None:
        for number in range(3):
            stage.say(f"shop_{number}", *rows(10 * number, 10 * number + 10))
        await stage.pass_secs(2)
        for number in range(3):
            stage.remove(f"shop_{number}")
        await stage.pass_secs(5)
        assert stage.agent.held.files == 1
        other.end()
        await stage.agent.reading.wait()
        await stage.quiet()
        assert stage.to["a"].texts == rows(20, 30)
        assert stage.agent.routes[0].counters.lost_events == 2

    waiting(tmp_path, work, held={"max_files": 1})


def test_it_says_every_minute_that_it_waits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(stage: Stage, other: Other) -> None:
        await stage.pass_secs(150)

    with caplog.at_level(logging.WARNING):
        waiting(tmp_path, work)
    assert len([text for text in caplog.messages if "another agent holds" in text]) == 3


def test_it_gives_up_the_state_directory_when_it_ends(tmp_path: Path) -> None:
    async def work(stage: Stage, other: Other) -> None:
        other.end()
        await stage.agent.reading.wait()

    stage = waiting(tmp_path, work)
    Other(stage, tmp_path).end()  # raises if it is held
