"""A log that is read no faster than it asks for delays nobody, and its rotation risk is shown."""

import asyncio
import logging
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from logship.api import DELIVERED, Batch, Context, Outcome, Sink
from logship.counters import RouteCounters
from logship.delivery.deadletters import DeadLetters
from logship.delivery.limits import Budget
from logship.delivery.sender import Sender
from logship.origin import Labels, LogFile, Origin, Rotation
from logship.routes.binding import Binding
from logship.routes.conditions import Selection
from logship.routes.route import Route
from logship.routes.throttle import Throttle
from logship.rows.index import Cutting
from logship.tail.feed import DiskFeed
from logship.tail.follow import Follower
from logship.testing import cri_line
from logship.testing.virtual_time import EPOCH_NS, run_virtual, virtual_world

LOG = logging.getLogger("test")
KIB, MIB = 1 << 10, 1 << 20


class Noting(Sink):
    """Takes everything at once, and notes when it came."""

    def __init__(self, context: Context) -> None:
        super().__init__(None, context)  # type: ignore[arg-type]
        self.got: list[tuple[float, str, int]] = []

    async def write(self, batches: list[Batch]) -> Outcome:  # type: ignore[override]
        now = self.context.world.clock.now()
        self.got += [(now, batch.labels.get("pod"), batch.size()) for batch in batches]
        return DELIVERED

    def bytes(self, pod: str, until: float = 1e9) -> int:
        return sum(size for at, name, size in self.got if name == pod and at <= until)


class Stage:
    def __init__(self, directory: Path) -> None:
        self.world, self.directory = virtual_world(), directory
        self.counters, budget = RouteCounters(), Budget(64 * MIB)
        self.sink = Noting(Context("out", self.world, LOG))
        letters = DeadLetters(str(directory / "dead"), 1 << 20, 3600, self.world)
        sender = Sender(self.sink, budget, letters, self.counters, self.world.clock, LOG)
        self.route = Route("r", sender, (), budget, self.counters, self.world.clock, LOG)

    def log(self, pod: str, size: int, limit: float | None = None) -> Binding:
        """A container that has written about so much."""
        directory = self.directory / pod
        directory.mkdir()
        line = cri_line("x" * 200, time_ns=EPOCH_NS)
        (directory / "0.log").write_bytes(line * (size // len(line)))
        labels = Labels({"namespace": "shop", "pod": pod})
        file = LogFile(str(directory), "0.log", Cutting(), rotation=Rotation(MIB, 5))
        follower = Follower(Origin(f"c/{pod}/app/0", labels), file, self.world, LOG)
        follower.refresh()
        feed = DiskFeed("r", follower, self.world, None, lambda: None, lambda loss: None)
        follower.feeds.append(feed)
        binding = Binding(feed, Selection(), self.route)
        binding.pace(limit)
        feed.on_ready, binding.due = binding.wake, feed.due
        self.route.add(binding)
        return binding

    async def run(self, secs: float) -> None:
        tasks = [asyncio.ensure_future(w) for w in (self.route.pull(), self.route.sender.run())]
        for _ in range(int(secs)):
            await asyncio.sleep(1)
            self.route.measure(self.world)
        for task in tasks:
            assert not task.done(), task.exception()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_a_limited_log_is_read_at_its_rate_and_others_at_once(tmp_path: Path) -> None:
    async def go() -> None:
        stage = Stage(tmp_path)
        stage.log("slow", 4 * MIB, limit=100 * KIB)
        stage.log("fast", 4 * MIB)
        await stage.run(20)
        assert stage.sink.bytes("fast", until=1.0) > 4 * MIB - KIB
        slow = stage.sink.bytes("slow")
        assert 20 * 100 * KIB * 0.95 < slow < 20 * 100 * KIB * 1.05

    run_virtual(go())


def test_a_limited_log_that_rests_is_not_woken_by_what_is_written(tmp_path: Path) -> None:
    async def go() -> None:
        stage = Stage(tmp_path)
        binding = stage.log("slow", MIB, limit=10 * KIB)

        async def wake() -> None:
            while True:
                binding.wake()
                await asyncio.sleep(0.05)

        waking = asyncio.ensure_future(wake())
        await stage.run(20)
        waking.cancel()
        assert stage.sink.bytes("slow") < 20 * 10 * KIB * 1.1

    run_virtual(go())


def test_the_rotation_risk_of_a_limited_log_is_shown(tmp_path: Path) -> None:
    async def go() -> None:
        stage = Stage(tmp_path)
        binding = stage.log("slow", MIB // 2, limit=10 * KIB)
        feed = binding.feed
        assert isinstance(feed, DiskFeed)

        async def write() -> None:
            line = cri_line("x" * 200, time_ns=EPOCH_NS)
            while True:
                with (tmp_path / "slow" / "0.log").open("ab") as file:
                    file.write(line * (20 * KIB // len(line)))
                feed.follower.poll()
                await asyncio.sleep(1)

        writing = asyncio.ensure_future(write())
        await stage.run(30)
        lag = (await stage.route.lag(stage.world)).all
        writing.cancel()
        assert lag.unread_bytes > MIB // 2
        assert lag.risk_secs is not None
        assert 30 < lag.risk_secs < 1000

    run_virtual(go())


def test_a_limit_that_is_lifted_lets_everything_come(tmp_path: Path) -> None:
    async def go() -> None:
        stage = Stage(tmp_path)
        binding = stage.log("slow", 2 * MIB, limit=10 * KIB)
        await stage.run(5)
        binding.pace(None)
        await stage.run(5)
        assert stage.sink.bytes("slow") > 2 * MIB - KIB

    run_virtual(go())


@given(
    st.floats(1024, 1e8),
    st.lists(st.tuples(st.integers(1, 1 << 20), st.floats(0, 5)), min_size=1, max_size=50),
)
def test_over_any_time_no_more_is_read_than_the_rate_allows_and_one_read(
    rate: float, steps: list[tuple[int, float]]
) -> None:
    throttle, now, read = Throttle(rate), 100.0, 0
    for size, idle in steps:
        read += size
        now += throttle.took(size, now) + idle
        assert read <= rate * (now - 100.0 + 0.26) * 1.001 + max(size, throttle.most)


def test_least_is_read_at_once_however_slow() -> None:
    assert Throttle(1.0).most == 4096
