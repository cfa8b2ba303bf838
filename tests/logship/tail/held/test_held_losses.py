"""Every way to lose bytes is one `Loss`, with what is known of it."""

import gzip
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logship.batch import Batch
from logship.origin import Labels, Origin
from logship.rows.address import Generation, Position, Span
from logship.rows.index import Cutting
from logship.tail.last_row import LastRow
from logship.tail.loss import Following, Loss, LossLog, Reason
from logship.testing.virtual_time import VirtualClock, run_virtual
from tests.logship.tail.held.agent import Agent, at, lines, numbers, on_agent, rotate

GENERATIONS = [Generation(time, 0) for time in (10, 20, 30)]


def test_a_loss_says_what_it_knows() -> None:
    loss = Loss(Reason.TRUNCATED, 12, True, 1_000_000_000, 2_000_000_000)
    assert str(loss) == (
        "(12 bytes, from 1970-01-01T00:00:01.000000000Z to 1970-01-01T00:00:02.000000000Z):"
        " the file was truncated"
    )
    assert str(Loss(Reason.TRUNCATED, 12)) == (
        "(12 bytes at least, from a time that is not known to what is written next):"
        " the file was truncated"
    )
    assert str(Loss(Reason.TRUNCATED, 0)).startswith("(nobody knows how many bytes, from")


def test_every_reason_has_words() -> None:
    assert all(reason.said for reason in Reason)


def test_what_is_lost_depends_on_where_reading_goes_on() -> None:
    first, second, third = GENERATIONS
    known = Following(5, 1000, ((first, 100, True), (second, 400, False)))
    gone = Reason.GENERATION_GONE
    assert known.loss(first) == Loss(gone, 100, True, 5, 10)
    assert known.loss(second) == Loss(gone, 400, False, 5, 20)
    assert known.loss(third) == Loss(gone, 1000, False, 5, 30)
    assert known.loss(None) == Loss(gone, 1000, False, 5, 0)
    assert Following(5, 0, ((first, 0, True),)).loss(first).nothing
    assert not Following().loss(first).nothing


def test_truncation_before_it_was_read_is_a_loss_with_both_times(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        (tmp_path / "a").mkdir()
        live = tmp_path / "a" / "0.log"
        live.write_bytes(lines(0, 10))
        agent.add("a")
        await agent.bind()
        first = await agent.feed("a").take(300)
        assert first is not None
        agent.feed("a").settle(first)
        live.write_bytes(lines(20, 1))
        for _ in range(3):
            await agent.look()
        assert numbers(await agent.deliver("a")) == [20]
        assert agent.losses["r"] == [Loss(Reason.TRUNCATED, 700, False, at(2), at(20))]

    on_agent(tmp_path, work)


def test_truncation_in_the_middle_of_a_line_is_counted_once(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        (tmp_path / "a").mkdir()
        live = tmp_path / "a" / "0.log"
        live.write_bytes(lines(0, 10) + lines(10, 1)[:50])
        agent.add("a")
        await agent.bind()
        first = await agent.feed("a").take(450)
        assert first is not None
        agent.feed("a").settle(first)
        live.write_bytes(lines(20, 1))
        for _ in range(4):
            await agent.look()
            await agent.deliver("a")
        assert agent.lost() == [(Reason.TRUNCATED, 600, False)]

    on_agent(tmp_path, work)


def test_a_damaged_gz_is_a_loss_that_is_not_zero(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        (tmp_path / "a").mkdir()
        packed = gzip.compress(lines(0, 1000), 1)
        (tmp_path / "a" / "0.log.1.gz").write_bytes(packed[: len(packed) // 2])
        (tmp_path / "a" / "0.log").write_bytes(lines(2000, 1))
        agent.add("a")
        await agent.bind()
        found = numbers(await agent.deliver("a"))
        assert found[0] == 0
        assert found[-1] == 2000
        (loss,) = agent.losses["r"]
        assert (loss.reason, loss.bytes, loss.exact) == (Reason.DAMAGED, 1, False)
        assert loss.found_ns == at(2000)

    on_agent(tmp_path, work)


def test_of_a_released_batch_only_the_file_that_is_gone_is_lost(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        (tmp_path / "a").mkdir()
        start = lines(0, 2)[:-1].replace(b"stdout F 1.", b"stdout P 1.") + b"\n"
        (tmp_path / "a" / "0.log").write_bytes(start)
        agent.add("a")
        await agent.bind()
        assert numbers(await agent.deliver("a")) == [0]  # row 1 is open
        old = rotate(tmp_path / "a", 1, lines(2, 3))
        await agent.look()
        await agent.look()
        (batch,) = await agent.take("a")
        assert len(batch.pieces) == 2
        old.unlink()
        agent.feed("a").release(batch)
        await agent.look()
        assert agent.lost() == [(Reason.MAX_BYTES, 100, True)]
        assert numbers(await agent.deliver("a")) == [2, 3, 4]
        assert agent.feed("a").settled
        assert len(agent.losses["r"]) == 1

    on_agent(tmp_path, work, max_bytes=0)


def test_a_retired_log_is_not_given_up_while_its_place_is_searched(tmp_path: Path) -> None:
    async def go() -> None:
        (tmp_path / "a").mkdir()
        live = tmp_path / "a" / "0.log"
        live.write_bytes(lines(0, 2))
        agent = Agent(tmp_path)
        agent.add("a")
        await agent.bind()
        await agent.deliver("a")
        await agent.kill()
        live.write_bytes(lines(10, 2))
        agent = Agent(tmp_path)
        agent.add("a")
        await agent.bind()
        agent.catalog.retire("a")
        found = numbers(await agent.deliver("a"))
        agent.origins.sweep()
        for _ in range(4):
            await agent.look()
            if "a" in agent.origins.entries:
                found += numbers(await agent.deliver("a"))
        assert found == [10, 11]

    run_virtual(go())


def test_the_rest_of_a_storm_is_said_with_its_sum_and_then_it_begins_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def go() -> None:
        clock = VirtualClock()
        log = LossLog(clock, logging.getLogger("test"))
        origin = Origin("node/var/log/x.log", Labels({}))
        for n in range(100):
            log.say("r", origin, Loss(Reason.TRUNCATED, n, True))
        assert len(caplog.records) == 10
        await clock.sleep(60)
        log.say("r", origin, Loss(Reason.TRUNCATED, 7, True))
        said = [record.getMessage() for record in caplog.records]
        assert (
            said[10]
            == f"90 more losses, {sum(range(10, 100))} bytes at least: see `lost` in /status"
        )
        assert said[11].startswith("route r lost rows of node/var/log/x.log (7 bytes, from")
        assert len(said) == 12

    run_virtual(go())


def block(first: int, count: int, offset: int) -> Batch:
    content = lines(first, count)
    origin = Origin("o", Labels({}))
    span = Span(GENERATIONS[0], offset, offset + len(content))
    return Batch(origin, origin.labels, (span,), content, Cutting())


@given(st.permutations(range(5)))
def test_the_last_settled_row_is_that_before_the_position(order: list[int]) -> None:
    last = LastRow("cri", 3)
    settled: set[int] = set()
    for n in order:
        settled.add(n)
        prefix = next(m for m in range(6) if m not in settled)
        committed = Position(GENERATIONS[0], prefix * 200)
        last.settled(block(2 * n, 2, 200 * n), committed, all_of_it=len(settled) == 5)
        assert last.ns == (at(2 * prefix - 1) if prefix else 3)


def test_rows_without_a_time_have_that_of_their_file() -> None:
    origin = Origin("o", Labels({}))
    span = Span(GENERATIONS[0], 0, 4)
    batch = Batch(origin, origin.labels, (span,), b"one\n", Cutting("plain"), 77)
    last = LastRow("plain", 0)
    last.settled(batch, Position(GENERATIONS[0], 4), all_of_it=True)
    assert last.ns == 77
