"""When wishes are known, and what becomes of an origin if they are not, or cannot be read."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from logship.api import Labels, LogFile, Origin, Wish
from logship.testing.virtual_time import run_virtual
from logship.wishes import METADATA_GRACE_SECS
from tests.logship.joins.test_joins_catalog import KEY, TRACE, Stage


def with_wish(
    directory: Path, wish: Callable[[Labels], Wish], work: Callable[[Stage], Awaitable[None]]
) -> None:
    async def go() -> None:
        stage = Stage(directory)
        entry = stage.origins.entries[KEY]
        assert isinstance(entry.log, LogFile)
        entry.log = LogFile(entry.log.directory, entry.log.name, wish=wish)
        await work(stage)

    run_virtual(go())


def excluded(labels: Labels) -> Wish:
    return Wish(exclude=labels.known)


def test_an_origin_is_not_read_before_it_is_known_that_it_may_be(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        assert await stage.texts() is None
        stage.tell()
        assert await stage.texts() is None
        assert stage.origins.excluded == 1
        assert stage.origins.unmatched == 0
        follower = stage.origins.entries[KEY].follower
        assert follower is not None
        assert not follower.generations  # nothing of it is held open

    with_wish(tmp_path, excluded, work)


def test_an_origin_whose_metadata_does_not_come_is_read(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        await asyncio.sleep(METADATA_GRACE_SECS)
        assert await stage.texts() == TRACE
        stage.tell()  # too late
        assert stage.origins.entries[KEY].bindings

    with_wish(tmp_path, excluded, work)


def test_a_bug_in_reading_annotations_keeps_no_log_from_being_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(labels: Labels) -> Wish:
        raise ZeroDivisionError

    async def work(stage: Stage) -> None:
        stage.tell()
        assert await stage.texts() == TRACE

    with_wish(tmp_path, broken, work)
    assert "a bug in reading the annotations" in caplog.text


def test_an_excluded_origin_goes_when_it_has_retired(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.tell()
        assert await stage.texts() is None
        stage.catalog.retire(KEY)
        stage.origins.sweep()
        assert KEY not in stage.origins.entries
        stage.catalog.add(Origin(KEY, Labels({"source": "s"})), LogFile(str(tmp_path), "0.log"))
        assert await stage.texts() == TRACE

    with_wish(tmp_path, excluded, work)
