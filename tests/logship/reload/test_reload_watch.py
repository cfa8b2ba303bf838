"""Seeing that the configuration file is another one."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from logship.reload.watch import REST_SECS, SCAN_SECS, ConfigWatch
from logship.testing import world
from logship.testing.virtual_time import run_virtual, virtual_world
from tests.e2e.config_map import ConfigMapMount

LOG = logging.getLogger("test")


def unwatched(directory: str) -> None:
    raise OSError(24, "told to fail")


def seen_after(path: Path, change: Callable[[], None]) -> float:
    """Seconds of virtual time, without events."""

    async def go() -> float:
        watch = ConfigWatch(str(path), virtual_world(), LOG, unwatched)  # type: ignore[arg-type]
        watch.open()
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, change)
        async with asyncio.timeout(60):
            await watch.changed()
        return loop.time() - 1.0

    return run_virtual(go())


def test_a_swapped_config_map_is_seen_without_events_too(tmp_path: Path) -> None:
    mount = ConfigMapMount(tmp_path / "mount")
    mount.update("one")
    assert seen_after(mount.path, lambda: mount.update("two")) <= SCAN_SECS + REST_SECS


def test_a_file_that_is_edited_in_its_place_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "logship.yaml"
    path.write_text("one")
    assert seen_after(path, lambda: path.write_text("longer") and None) <= SCAN_SECS + REST_SECS


def with_events(path: Path, work: Callable[[ConfigWatch], Awaitable[None]]) -> None:
    async def go() -> None:
        here = world()
        watch = ConfigWatch(str(path), here, LOG)
        watch.open()
        try:
            async with asyncio.timeout(SCAN_SECS / 2):
                await work(watch)
        finally:
            await watch.close()
            here.offload.close()

    asyncio.run(go())


def test_the_kernel_tells_long_before_the_next_scan(tmp_path: Path) -> None:
    mount = ConfigMapMount(tmp_path / "mount")
    mount.update("one")

    async def work(watch: ConfigWatch) -> None:
        seeing = asyncio.ensure_future(watch.changed())
        await asyncio.sleep(0)
        mount.update("two")
        await seeing

    with_events(mount.path, work)


def test_a_file_that_is_still_being_written_is_left_alone(tmp_path: Path) -> None:
    """An editor empties it first."""
    path = tmp_path / "logship.yaml"
    path.write_text("one")

    async def go() -> str:
        watch = ConfigWatch(str(path), virtual_world(), LOG, unwatched)  # type: ignore[arg-type]
        watch.open()
        path.write_text("")
        for number, text in enumerate(("t", "tw", "two"), 1):
            asyncio.get_running_loop().call_later(0.8 * number * REST_SECS, path.write_text, text)
        await watch.changed()
        return path.read_text()

    assert run_virtual(go()) == "two"
