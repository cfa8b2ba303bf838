"""Bytes that wait for a summary: few spans, and exactly those that were taken."""

import asyncio
import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from logship.batch import Batch
from logship.origin import Labels, Origin
from logship.routes.stretches import Stretches, bare
from logship.rows.address import Generation, Span
from logship.rows.index import Cutting
from logship.tail.ledger import Ledger
from logship.testing.virtual_time import run_virtual, virtual_world
from tests.logship.faults.reading_on import LATER, follow, lines, numbers
from tests.logship.shedding.shed_stage import Stage, on_stage

GENERATIONS = [Generation(n, 7) for n in (1, 2)]


def feed_of(directory: Path) -> object:
    found: list[object] = []

    async def work(stage: Stage) -> None:
        found.append(stage.container("web-0").feed)

    on_stage(lambda: Stage(directory), work)
    return found[0]


def batch(feed: object, *pieces: Span) -> Batch:
    origin = Origin("c/uid/app/0", Labels({}))
    return Batch(origin, origin.labels, pieces, b"a line\nthe last\n", Cutting(), feed_key=feed)


@st.composite
def cuts(draw: st.DrawFn) -> list[list[Span]]:
    """Batches that follow each other, over two generations; some have pieces of both."""
    spans = []
    for generation in GENERATIONS:
        ends = sorted(draw(st.sets(st.integers(1, 50), min_size=1)))
        starts = [0, *ends[:-1]]
        spans += [Span(generation, *edge) for edge in zip(starts, ends, strict=True)]
    joined, left = [], list(spans)
    while left:
        count = draw(st.integers(1, 3))
        joined.append(left[:count])
        left = left[count:]
    return joined


def test_what_is_settled_in_any_order_is_what_was_taken(tmp_path: Path) -> None:
    feed = feed_of(tmp_path)

    @given(cuts(), st.randoms(), st.integers(1, 5))
    def holds(batches: list[list[Span]], chance: random.Random, every: int) -> None:
        ledger, ours, others = Ledger(None), Stretches(), []
        for pieces in batches:
            for span in pieces:
                ledger.taken(span)
        numbered = list(enumerate(batches))
        chance.shuffle(numbered)
        for number, pieces in numbered:
            if number % every == 0:
                others.append(pieces)
            else:
                ours.add(bare(batch(feed, *pieces)))
        assert len(ours) <= len(others) + 2  # one more than there are gaps, in each generation
        for found in ours.batches():
            ledger.settle(found.pieces)
        assert ledger.unsettled_bytes == sum(span.size for pieces in others for span in pieces)
        for pieces in others:
            ledger.settle(pieces)
        assert ledger.unsettled_bytes == 0

    holds()


def test_bytes_that_touch_become_one_span_and_keep_the_last_line(tmp_path: Path) -> None:
    feed, generation = feed_of(tmp_path), GENERATIONS[0]
    stretches = Stretches()
    for start in (10, 0, 20):
        one = batch(feed, Span(generation, start, start + 10))
        one.block = f"first\nends {start + 10}\n".encode()
        stretches.add(bare(one))
    (found,) = stretches.batches()
    assert found.pieces == (Span(generation, 0, 30),)
    assert found.block == b"ends 30\n"


def test_batches_of_a_broker_are_settled_one_by_one() -> None:
    stretches = Stretches()
    leases = [batch(object(), Span(GENERATIONS[0], n, n + 1)) for n in range(3)]
    for lease in leases:
        stretches.add(bare(lease))
    assert [found.feed_key for found in stretches.batches()] == [b.feed_key for b in leases]


def test_bytes_read_in_time_and_late_ones_behind_them_are_settled_as_one(tmp_path: Path) -> None:
    """Of a writer that writes on to the renamed file: a feed keeps two ledgers of it."""

    async def go() -> None:
        world, stretches = virtual_world(), Stretches()
        live, old = tmp_path / "0.log", tmp_path / "0.log.1"
        live.write_bytes(lines(0, 3))
        follower, feed, _ = follow(tmp_path, world)
        taken = [await feed.take(1 << 20)]
        live.rename(old)
        live.write_bytes(lines(10, 12, LATER))
        for _ in range(40):
            follower.look_again()
            taken.append(await feed.take(1 << 20))
            await asyncio.sleep(0.5)
        with old.open("ab") as file:
            file.write(lines(3, 5))
        for _ in range(40):
            follower.look_again()
            taken.append(await feed.take(1 << 20))
            await asyncio.sleep(0.5)
        read = [batch for batch in taken if batch is not None]
        texts = [text for batch in read for text in batch.rows.texts]
        assert texts == [*numbers(0, 3), *numbers(10, 12), *numbers(3, 5)]
        for batch in read:
            stretches.add(bare(batch))
        assert len(stretches) == 2
        for batch in stretches.batches():
            feed.settle(batch)
        assert feed.settled
        assert feed.committed is not None
        assert feed.committed.offset == len(lines(10, 12, LATER))

    run_virtual(go())
