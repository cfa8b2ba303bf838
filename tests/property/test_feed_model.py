"""What a feed delivers is what was written, over rotation, compression, deletion and restarts.

A model of a runtime and a kubelet writes to a real directory; the agent reads, settles in any
order, releases, crashes and starts again. In the end every record was settled at least once, under
one id with one text, and in the order of ids as it was written.
"""

import asyncio
import gzip
import logging
import os
import random
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from logship.batch import Batch
from logship.origin import Labels, LogFile, Origin
from logship.rows.address import Position, time_text
from logship.rows.index import Cutting
from logship.tail.feed import DiskFeed
from logship.tail.follow import QUIET_SECS, Follower
from logship.tail.loss import Loss
from logship.tail.pulse import look
from logship.testing.virtual_time import EPOCH_NS, VirtualLoop, virtual_world

LOGGER = logging.getLogger("test")


class Machine(RuleBasedStateMachine):
    """The log of one container, and the feed that reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.temporary = tempfile.TemporaryDirectory()
        self.directory = Path(self.temporary.name)
        self.live = self.current = self.directory / "0.log"
        self.runner = asyncio.Runner(loop_factory=VirtualLoop)
        self.world = virtual_world()
        self.written: list[str] = []
        self.open_parts: dict[str, list[str]] = {}
        self.delivered: dict[str, tuple[str, str]] = {}
        self.out: list[Batch] = []
        self.committed: Position | None = None
        self.lost = 0
        self.lines = 0
        self.rotations = 0
        self.old: Path | None = None
        self.reopened_at = -QUIET_SECS

    @initialize()
    def begin(self) -> None:
        self.live.touch()
        self.start()

    def start(self) -> None:
        origin = Origin("c/uid/app/0", Labels({}))
        log = LogFile(str(self.directory), "0.log", Cutting("cri", 1000))
        self.follower = Follower(origin, log, self.world, LOGGER)
        self.runner.run(self.refresh())
        self.feed = DiskFeed(
            "r", self.follower, self.world, self.committed, lambda: None, self.lose
        )
        self.follower.feeds.append(self.feed)

    async def refresh(self) -> None:
        self.follower.refresh()

    def lose(self, loss: Loss) -> None:
        self.lost += 1

    def line(self, stream: str, tag: str, text: str) -> bytes:
        self.lines += 1
        time = time_text(EPOCH_NS + self.lines)
        return f"{time} {stream} {tag} {text}\n".encode()

    @rule(
        stream=st.sampled_from(["stdout", "stderr"]),
        tag=st.sampled_from("FFP"),
        text=st.sampled_from(["", "hello", "日本", "x" * 90]),
        count=st.integers(1, 5),
    )
    def write(self, stream: str, tag: str, text: str, count: int) -> None:
        for _ in range(count):
            parts = self.open_parts.pop(stream, [])
            if len(parts) == 4:
                tag = "F"  # keep records far from the limit of 1,000 bytes
            parts.append(f"{self.lines} {text}")
            with self.current.open("ab") as file:
                file.write(self.line(stream, tag, parts[-1]))
            if tag == "P":
                self.open_parts[stream] = parts
            else:
                self.written.append("".join(parts))

    @rule()
    def rename(self) -> None:
        """The first half of a rotation: the runtime writes on to the renamed file."""
        if self.current != self.live or not self.live.stat().st_size:
            return
        self.rotations += 1
        self.current = self.directory / f"0.log.20261123-{self.rotations:06d}"
        self.live.rename(self.current)

    @rule()
    def rename_back(self) -> None:
        """What kubelet does when the runtime could not reopen its log."""
        if self.current != self.live:
            self.current.rename(self.live)
            self.current = self.live

    @rule()
    def reopen(self) -> None:
        """The second half of a rotation."""
        if self.current != self.live:
            # In mid-record nothing can come late: what follows is written after it.
            self.old, self.current = None if self.open_parts else self.current, self.live
            self.live.touch()
            self.reopened_at = self.runner.run(self.now())

    @rule()
    def flush_late(self) -> None:
        """The runtime's flush may reach the old file after the new one is there, but soon."""
        soon = self.runner.run(self.now()) - self.reopened_at < QUIET_SECS
        if soon and self.old and self.old.exists():
            with self.old.open("ab") as file:
                file.write(self.line("stdout", "F", text := f"late {self.lines}"))
            self.written.append(text)

    async def now(self) -> float:
        return self.world.clock.now()

    @rule()
    def compress(self) -> None:
        """As kubelet: all rotated but the newest; inodes become free for the next file."""
        plain = sorted(p for p in self.directory.glob("0.log.*") if p.suffix != ".gz")
        for path in plain[:-1]:
            temporary = path.with_suffix(path.suffix + ".tmp")
            temporary.write_bytes(gzip.compress(path.read_bytes()))
            temporary.rename(str(path) + ".gz")
            path.unlink()

    @rule(size=st.sampled_from([1, 40, 100, 1000, 100_000]), times=st.integers(1, 6))
    def read(self, size: int, times: int) -> None:
        for _ in range(times):
            batch = self.runner.run(self.feed.take(size))
            if batch is not None:
                self.out.append(batch)

    @rule(secs=st.sampled_from([0.01, QUIET_SECS, 1.5]))
    def wait(self, secs: float) -> None:
        self.runner.run(self.tick(secs))

    async def tick(self, secs: float) -> None:
        await asyncio.sleep(secs)
        look(self.follower, self.world.disk)
        self.follower.poll()

    @rule(seed=st.integers(0, 1000), count=st.integers(1, 4))
    def settle(self, seed: int, count: int) -> None:
        order = random.Random(seed)
        for _ in range(min(count, len(self.out))):
            self.done(self.out.pop(order.randrange(len(self.out))))

    def done(self, batch: Batch) -> None:
        rows = batch.rows
        for id_, time, text, row in zip(batch.ids(), rows.times, rows.texts, range(len(rows)),
                                        strict=True):  # fmt: skip
            assert not rows.mark(row).malformed
            assert self.delivered.setdefault(id_, (time, text)) == (time, text)
        self.runner.run(self.settle_batch(batch))

    async def settle_batch(self, batch: Batch) -> None:
        self.feed.settle(batch)

    @rule(seed=st.integers(0, 1000))
    def release(self, seed: int) -> None:
        if self.out:
            self.feed.release(self.out.pop(random.Random(seed).randrange(len(self.out))))

    @rule()
    def crash(self) -> None:
        """Everything in memory is gone; the position is the one that was committed."""
        self.committed = self.feed.committed
        self.out.clear()
        self.follower.close()
        self.start()

    def teardown(self) -> None:
        if not hasattr(self, "follower"):
            return
        for stream in list(self.open_parts):
            with self.current.open("ab") as file:
                file.write(self.line(stream, "F", ""))
            self.written.append("".join(self.open_parts.pop(stream)))
        self.drain()
        texts = [text for _, (_, text) in sorted(self.delivered.items())]
        assert sorted(texts) == sorted(self.written)
        assert self.lost == 0
        assert self.feed.waiting() == 0
        self.runner.close()
        self.temporary.cleanup()

    def drain(self) -> None:
        idle = 0
        while idle < 4:
            self.wait(0.6)
            before = len(self.delivered), self.feed.committed
            self.read(100_000, 3)
            while self.out:
                self.done(self.out.pop())
            idle = idle + 1 if before == (len(self.delivered), self.feed.committed) else 0


Machine.TestCase.settings = settings(
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "60")),
    stateful_step_count=40,
    deadline=None,
)
TestFeed = Machine.TestCase
