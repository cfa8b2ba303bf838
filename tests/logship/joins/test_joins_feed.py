"""A feed with joined rows: how long it waits, over rotations and restarts, and where it stands."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from logship.batch import Batch
from logship.origin import Labels, LogFile, Origin
from logship.rows.address import Mark, Position, time_text
from logship.rows.index import Cutting
from logship.rows.joins import Joins
from logship.tail.feed import DiskFeed
from logship.tail.follow import QUIET_SECS, Follower
from logship.tail.pulse import look
from logship.tail.waiting import JOIN_TIMEOUT_SECS
from logship.testing.virtual_time import EPOCH_NS, run_virtual, virtual_world

JAVA = Joins(("java",), wait_secs=1.0)
HEAD, FRAME = "java.lang.IllegalStateException: boom", "\tat a.B.c(B.java:1)"
UNFINISHED = Mark(unfinished=True)


class Container:
    """A log that is written line by line, and a feed that reads it."""

    def __init__(self, directory: Path, joins: Joins = JAVA) -> None:
        self.live = directory / "0.log"
        self.lines = 0
        self.live.touch()
        self.world = virtual_world()
        self.log = LogFile(str(directory), "0.log", Cutting("cri", joins=joins))
        self.follow(None)

    def follow(self, position: Position | None) -> None:
        origin = Origin("c/uid/app/0", Labels({}))
        self.follower = Follower(origin, self.log, self.world, logging.getLogger("test"))
        self.follower.refresh()
        self.feed = DiskFeed(
            "r", self.follower, self.world, position, lambda: None, lambda loss: None
        )
        self.follower.feeds.append(self.feed)

    def write(
        self, *texts: str, stream: str = "stdout", tag: str = "F", path: Path | None = None
    ) -> None:
        for text in texts:
            self.lines += 1
            line = f"{time_text(EPOCH_NS + self.lines)} {stream} {tag} {text}\n"
            with (path or self.live).open("ab") as file:
                file.write(line.encode())

    def rotate(self) -> Path:
        old = self.live.rename(self.live.with_name(f"0.log.{self.lines}"))
        self.live.touch()
        return old

    async def batches(self) -> list[Batch]:
        look(self.follower, self.world.disk)
        self.follower.poll()
        found = [await self.feed.take(1 << 18) for _ in range(5)]
        return [batch for batch in found if batch is not None]

    async def texts(self) -> list[str]:
        batches = await self.batches()
        for batch in batches:
            self.feed.settle(batch)
        return [text for batch in batches for text in batch.rows.texts]


def with_container(
    tmp_path: Path, work: Callable[[Container], Awaitable[None]], joins: Joins = JAVA
) -> None:
    async def go() -> None:
        await work(Container(tmp_path, joins))

    run_virtual(go())


def test_a_trace_is_delivered_when_no_other_line_came_for_a_while(tmp_path: Path) -> None:
    async def work(container: Container) -> None:
        container.write("before", HEAD, FRAME)
        assert await container.texts() == ["before"]
        await asyncio.sleep(0.9)
        container.write(FRAME)
        assert await container.texts() == []
        await asyncio.sleep(0.9)
        assert await container.texts() == []
        assert not container.feed.due()
        await asyncio.sleep(0.1)
        assert container.feed.due()
        assert await container.texts() == [f"{HEAD}\n{FRAME}\n{FRAME}"]

    with_container(tmp_path, work)


def test_a_trace_does_not_wait_for_what_happens_on_the_other_stream(tmp_path: Path) -> None:
    async def work(container: Container) -> None:
        container.write(HEAD, FRAME)
        found = []
        for _ in range(4):
            container.write(HEAD if container.lines == 2 else FRAME, stream="stderr")
            found += await container.texts()
            await asyncio.sleep(0.5)
        assert found == [f"{HEAD}\n{FRAME}"]
        assert list(container.feed._reading.cutter.opened) == ["stderr"]

    with_container(tmp_path, work)


def test_a_line_that_the_runtime_cut_is_waited_for_longer(tmp_path: Path) -> None:
    async def work(container: Container) -> None:
        container.write(HEAD, FRAME)
        container.write("\tat ", tag="P")
        await container.texts()
        await asyncio.sleep(JOIN_TIMEOUT_SECS - 0.1)
        assert await container.texts() == []
        container.write("a.B.d(B.java:2)")
        await container.texts()
        await asyncio.sleep(1)
        assert await container.texts() == [f"{HEAD}\n{FRAME}\n\tat a.B.d(B.java:2)"]

    with_container(tmp_path, work)


def test_what_comes_after_the_wait_is_a_row_that_is_marked(tmp_path: Path) -> None:
    async def work(container: Container) -> None:
        container.write(HEAD, FRAME)
        assert await container.texts() == []
        await asyncio.sleep(1)
        assert await container.texts() == [f"{HEAD}\n{FRAME}"]
        container.write(FRAME, "2026 INFO after")
        (batch,) = await container.batches()
        assert list(batch.rows.texts) == [FRAME, "2026 INFO after"]
        assert batch.rows.marks == {0: UNFINISHED}

    with_container(tmp_path, work)


def test_a_rotation_inside_of_a_trace_does_not_cut_it(tmp_path: Path) -> None:
    async def work(container: Container) -> None:
        container.write("before", HEAD, FRAME)
        assert await container.texts() == ["before"]
        old = container.rotate()
        container.write(FRAME, "2026 INFO after")
        await asyncio.sleep(QUIET_SECS - 0.1)
        container.write(FRAME, path=old)  # the runtime has not reopened its log yet
        assert await container.texts() == []
        await asyncio.sleep(QUIET_SECS - 0.1)
        assert await container.texts() == []
        await asyncio.sleep(0.1)
        found = [*await container.texts(), *await container.texts()]
        assert found == ["\n".join([HEAD, *[FRAME] * 3]), "2026 INFO after"]

    with_container(tmp_path, work, Joins(("java",), wait_secs=0.5))


def test_the_position_stays_before_a_trace_that_is_open(tmp_path: Path) -> None:
    async def work(container: Container) -> None:
        container.write("before")
        (before,) = await container.batches()
        container.feed.settle(before)
        at = container.feed.committed
        container.write(HEAD, FRAME)
        assert await container.texts() == []
        assert container.feed.committed == at
        assert container.feed.waiting() == container.live.stat().st_size - len(before.block)

    with_container(tmp_path, work)


def test_an_agent_that_starts_again_finds_a_record_whole_that_another_one_crossed(
    tmp_path: Path,
) -> None:
    async def work(container: Container) -> None:
        container.write(HEAD, stream="stderr")
        container.write(HEAD)
        container.write(FRAME, "2026 INFO after", stream="stderr")
        wanted = [f"{HEAD}\n{FRAME}", "2026 INFO after"]
        assert await container.texts() == wanted
        position = container.feed.committed
        container.follower.close()
        container.follow(position)
        assert await container.texts() == wanted

    with_container(tmp_path, work)


def test_a_container_that_has_ended_gives_its_last_trace_at_once(tmp_path: Path) -> None:
    async def work(container: Container) -> None:
        container.write(HEAD, FRAME)
        container.follower.retired = True
        container.live.unlink()
        assert await container.texts() == []
        await asyncio.sleep(QUIET_SECS)
        assert await container.texts() == [f"{HEAD}\n{FRAME}"]
        assert container.feed.exhausted

    with_container(tmp_path, work, Joins(("java",), wait_secs=30.0))


def test_a_released_trace_comes_again_as_the_same_row(tmp_path: Path) -> None:
    async def work(container: Container) -> None:
        container.write(HEAD, FRAME, "2026 INFO after")
        (first,) = await container.batches()
        container.feed.release(first)
        (again,) = await container.batches()
        assert again.ids() == first.ids()
        assert list(again.rows.texts) == [f"{HEAD}\n{FRAME}", "2026 INFO after"]

    with_container(tmp_path, work)
