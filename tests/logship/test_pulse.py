"""Who sees that a file grows, and how soon. Real files, the kernel's own notices, virtual time."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from logship.origin import Labels, LogFile, Origin
from logship.tail.feed import DiskFeed
from logship.tail.follow import QUIET_SECS, Follower
from logship.tail.pulse import BACKUP_SECS, GATHER_SECS, IDLE_SECS, REST_SECS, Pulse
from logship.tail.rest import BLIND_STRIKES, AtRest
from logship.testing import cri_line
from logship.testing.virtual_time import VirtualClock, run_virtual, virtual_world
from logship.world import Disk, Stat, World
from logship.world.notices import Inotify, Notices

AT_REST_SECS = REST_SECS + 2 * IDLE_SECS
SOON_SECS = 0.001


class CountingDisk(Disk):
    """Counts looks at open files."""

    looks = 0

    def fstat(self, fd: int) -> Stat:
        self.looks += 1
        return super().fstat(fd)


class Silent(Notices):
    """Claims to watch, and never tells."""

    def __init__(self, taken: list[int] | None = None) -> None:
        self.taken: list[int] | None = taken if taken is not None else []
        self.number = 0

    def start(self, on_notice: Callable[[], None]) -> None:
        self.on_notice = on_notice

    def watch(self, fd: int) -> int | None:
        self.number += 1
        return self.number

    def unwatch(self, number: int) -> None: ...

    def take(self) -> list[int] | None:
        return self.taken

    def close(self) -> None: ...


def none_left() -> Notices:
    raise OSError("no instances are left")


@dataclass
class Origin1:
    """An origin that is followed, and whose feed reads whatever it is told of."""

    path: Path
    world: World
    disk: CountingDisk
    pulse: Pulse
    follower: Follower
    feed: DiskFeed
    found: list[str]

    async def read(self) -> None:
        while (batch := await self.feed.take(1 << 18)) is not None:
            self.found += batch.rows.texts
            self.feed.settle(batch)

    def write(self, text: str, tag: str = "F") -> None:
        with self.path.open("ab") as file:
            file.write(cri_line(text, tag=tag))

    async def secs_until_found(self, count: int) -> float:
        clock = self.world.clock
        began = clock.now()
        while len(self.found) < count and clock.now() - began < 100:
            await clock.sleep(SOON_SECS)
        return clock.now() - began


@asynccontextmanager
async def followed(
    directory: Path, open_notices: Callable[[], Notices] = Inotify, key: str = "0"
) -> AsyncIterator[Origin1]:
    path = directory / "0.log"
    path.write_bytes(cri_line("first"))
    real = virtual_world()
    disk = CountingDisk(real.offload)
    world = World(VirtualClock(), disk, real.offload)
    origin = Origin(key, Labels({}))
    follower = Follower(origin, LogFile(str(directory), "0.log"), world, logging.getLogger("test"))
    follower.refresh()
    ready = asyncio.Event()
    feed = DiskFeed("r", follower, world, None, ready.set, lambda loss: None)
    follower.feeds.append(feed)
    pulse = Pulse(world.clock, disk, open_notices)
    one = Origin1(path, world, disk, pulse, follower, feed, [])

    async def reader() -> None:
        while True:
            await one.read()
            ready.clear()
            await ready.wait()

    tasks = [asyncio.ensure_future(work) for work in (reader(), pulse.run())]
    pulse.add(follower)
    try:
        yield one
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        follower.close()


def test_a_file_at_rest_is_looked_at_only_as_a_backup(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            before = one.disk.looks
            await one.world.clock.sleep(3 * BACKUP_SECS)
            assert 2 <= one.disk.looks - before <= 4 * len(one.follower.feeds) * 3

    run_virtual(go())


def test_what_is_written_to_a_file_at_rest_is_seen_at_once(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            for number in range(2, 6):
                await one.world.clock.sleep(AT_REST_SECS)
                one.write("more")
                assert await one.secs_until_found(number) <= 5 * SOON_SECS

    run_virtual(go())


def test_a_file_at_rest_that_is_renamed_is_followed_with_its_successor(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            one.path.rename(tmp_path / "0.log.1")
            one.write("successor")
            assert await one.secs_until_found(2) <= IDLE_SECS + QUIET_SECS + 0.2
            assert one.found == ["first", "successor"]

    run_virtual(go())


def test_last_words_of_a_file_at_rest_that_is_unlinked_are_read(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            one.write("last words")
            one.path.unlink()
            assert await one.secs_until_found(2) <= 5 * SOON_SECS
            assert one.follower.generations[0].links == 0

    run_virtual(go())


def test_a_file_at_rest_that_is_only_unlinked_is_known_to_be_gone(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            one.path.unlink()
            await one.world.clock.sleep(0.1)
            assert not one.follower.generations[0].live

    run_virtual(go())


def test_a_file_at_rest_that_is_truncated_begins_again(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            os.truncate(one.path, 0)
            one.path.write_bytes(cri_line("x", time_ns=1_900_000_000_000_000_000))
            assert await one.secs_until_found(2) <= 2 * IDLE_SECS + 0.2
            assert one.found[-1] == "x"

    run_virtual(go())


def test_two_origins_of_one_file_are_both_told(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one, followed(tmp_path, key="1") as other:
            other.pulse.remove(other.follower)
            one.pulse.add(other.follower)
            await one.world.clock.sleep(AT_REST_SECS)
            one.write("for both")
            assert await one.secs_until_found(2) <= 5 * SOON_SECS
            assert await other.secs_until_found(2) <= 5 * SOON_SECS

    run_virtual(go())


def test_an_open_record_keeps_its_file_from_rest_until_it_is_closed(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            one.write("torn", tag="P")
            assert await one.secs_until_found(2) <= 5 + 2 * IDLE_SECS
            assert one.found[-1] == "torn"

    run_virtual(go())


def test_rows_that_are_not_settled_keep_their_file_from_rest(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            one.feed.settle = lambda batch: None  # type: ignore[method-assign]
            one.write("on its way")
            await one.world.clock.sleep(AT_REST_SECS)
            before = one.disk.looks
            await one.world.clock.sleep(10)
            assert one.disk.looks - before >= 9

    run_virtual(go())


def test_unread_rows_keep_their_file_from_rest(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            await one.secs_until_found(1)

            async def busy_elsewhere() -> None: ...

            one.read = busy_elsewhere  # type: ignore[method-assign]
            one.write("not read")
            await one.world.clock.sleep(AT_REST_SECS)
            before = one.disk.looks
            await one.world.clock.sleep(10)
            assert one.disk.looks - before >= 9

    run_virtual(go())


def test_what_is_written_just_before_a_file_is_watched_is_seen(tmp_path: Path) -> None:
    class Late(Silent):
        def watch(self, fd: int) -> int | None:
            with (tmp_path / "0.log").open("ab") as file:
                file.write(cri_line("between"))
            return super().watch(fd)

    async def go() -> None:
        async with followed(tmp_path, Late) as one:
            assert await one.secs_until_found(2) <= AT_REST_SECS

    run_virtual(go())


def test_without_notices_growth_is_seen_within_a_second(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path, none_left) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            one.write("more")
            assert await one.secs_until_found(2) <= IDLE_SECS + 5 * SOON_SECS

    run_virtual(go())


def test_a_device_that_does_not_tell_is_looked_at_every_second_after_some_misses(
    tmp_path: Path,
) -> None:
    async def go() -> None:
        async with followed(tmp_path, Silent) as one:
            for number in range(BLIND_STRIKES):
                await one.world.clock.sleep(AT_REST_SECS)
                one.write("late")
                assert await one.secs_until_found(2 + number) <= BACKUP_SECS + 1
            await one.world.clock.sleep(AT_REST_SECS)
            one.write("in time")
            assert await one.secs_until_found(2 + BLIND_STRIKES) <= IDLE_SECS + 5 * SOON_SECS

    run_virtual(go())


def test_a_notice_that_was_not_read_yet_is_no_miss(tmp_path: Path) -> None:
    async def go() -> None:
        notices = Silent()
        async with followed(tmp_path, lambda: notices) as one:
            await one.secs_until_found(1)
            rest = AtRest(notices, lambda: None)
            for _ in range(2 * BLIND_STRIKES):
                assert rest.begin(one.follower)
                notices.taken = [notices.number]
                rest.missed(one.follower)

    run_virtual(go())


def test_when_notices_were_lost_every_file_is_looked_at(tmp_path: Path) -> None:
    async def go() -> None:
        notices = Silent()
        async with followed(tmp_path, lambda: notices) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            one.write("told of nowhere")
            notices.taken = None
            notices.on_notice()
            assert await one.secs_until_found(2) <= 5 * SOON_SECS

    run_virtual(go())


def test_what_the_source_reports_takes_a_file_from_rest(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path, Silent) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            one.write("more")
            one.pulse.rouse(one.follower)
            assert await one.secs_until_found(2) <= 0.1

    run_virtual(go())


def test_a_file_that_says_little_is_looked_at_rarely_but_soon_enough(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            for _ in range(50):
                one.write("little")
                await one.world.clock.sleep(0.1)
            before = one.disk.looks
            waits = []
            for _ in range(50):
                one.write("little")
                waits.append(await one.secs_until_found(len(one.found) + 1))
            assert max(waits) <= GATHER_SECS + 5 * SOON_SECS
            assert one.disk.looks - before < 4 * sum(waits) / GATHER_SECS + 10

    run_virtual(go())


def test_a_file_that_begins_to_say_much_is_looked_at_often(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            for _ in range(30):
                one.write("little")
                await one.world.clock.sleep(0.1)
            for _ in range(200):
                one.write("much " * 2000)
                await one.world.clock.sleep(0.01)
            waits = []
            for _ in range(5):
                one.write("much " * 20_000)
                waits.append(await one.secs_until_found(len(one.found) + 1))
            assert max(waits) <= 0.1 + 5 * SOON_SECS

    run_virtual(go())
