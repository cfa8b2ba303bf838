"""One budget for all routes: parts of their own, a common rest, borrowing and giving back."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logship.delivery.limits import LOOK_SECS, Budget, Pool, divide
from logship.testing.virtual_time import run_virtual, virtual_world
from tests.logship.delivery.destination import Stage


class Holder:
    """Gives nothing back."""

    def __init__(self, budget: Budget) -> None:
        self.stalled = False
        self.asked: list[int] = []
        budget.borrower = self

    def reclaim(self, size: int) -> None:
        self.asked.append(size)


def _two(own: int = 10, common: int = 100) -> tuple[Budget, Budget]:
    pool = Pool(common)
    return Budget(own, pool), Budget(own, pool)


def test_what_one_borrows_leaves_the_other_its_own_part() -> None:
    greedy, modest = _two()
    greedy.hold(150)  # one thing, larger than everything
    assert not greedy.has_room(1)
    modest.hold(4)
    assert modest.has_room(6)
    assert not modest.has_room(7)


def test_who_waits_and_has_borrowed_less_comes_before_who_has_borrowed_more() -> None:
    async def go() -> None:
        greedy, modest = _two()
        for size in (10, 50, 50):
            greedy.hold(size)
        modest.hold(10)
        waiting = asyncio.ensure_future(modest.wait_for_room(30))
        await asyncio.sleep(0)
        greedy.give_back(10)
        assert not greedy.has_room(5), "there is room, but somebody with less waits for more"
        greedy.give_back(20)
        await asyncio.wait_for(waiting, 0.1)
        modest.hold(30)
        greedy.give_back(20)
        assert greedy.has_room(20)

    run_virtual(go())


def test_those_that_stall_are_asked_to_give_back_as_soon_as_another_waits() -> None:
    async def go() -> None:
        pool = Pool(100)
        budgets = [Budget(10, pool) for _ in range(3)]
        holders = [Holder(budget) for budget in budgets]
        for budget, size in zip(budgets, (80, 40, 10), strict=True):
            budget.hold(size)
        waiting = asyncio.ensure_future(budgets[2].wait_for_room(20))
        await asyncio.sleep(1)
        assert holders[0].asked == holders[1].asked == [], "both make use of what they hold"
        holders[1].stalled = True
        await asyncio.sleep(LOOK_SECS)
        assert holders[0].asked == []
        assert holders[1].asked == [20]
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        budgets[0].give_back(20)
        assert budgets[0].has_room(20), "nobody waits any more"

    run_virtual(go())


def test_who_stalls_borrows_nothing() -> None:
    one, _ = _two()
    holder = Holder(one)
    one.hold(8)
    assert one.has_room(3)
    holder.stalled = True
    assert not one.has_room(3)
    assert one.has_room(2), "its own part stays its own"


@given(
    st.lists(st.integers(1, 5 << 20), min_size=1, max_size=20),
    st.lists(st.tuples(st.integers(0, 19), st.integers(1, 2 << 20)), max_size=200),
)
def test_all_together_never_hold_more_than_the_whole(
    requests: list[int], takes: list[tuple[int, int]]
) -> None:
    whole = 64 << 20
    budgets = divide(whole, requests)
    for number, size in takes:
        budget = budgets[number % len(budgets)]
        size = min(size, budget.own_bytes)  # only what is larger than its part goes beyond
        if budget.has_room(size):
            budget.hold(size)
        elif size % 2 and budget.held:
            budget.give_back(budget.held // 2)
        assert sum(budget.held for budget in budgets) <= whole


def test_each_route_can_gather_a_full_write_whatever_the_others_hold() -> None:
    budgets = divide(64 << 20, [1 << 20, 4 << 20, 1 << 20])
    budgets[0].hold(budgets[0].max_bytes)
    assert budgets[1].has_room(6 * 4 << 20)
    assert sum(budget.own_bytes for budget in divide(1 << 20, [1 << 20] * 3)) <= 1 << 20


def _pair(directory: Path, *, hang: bool, common: int) -> tuple[float, float]:
    """MB/s of a healthy route beside another one, and its 99th percentile of delays."""

    async def go() -> tuple[float, float]:
        world = virtual_world()
        budgets = divide(common, [5 << 18, 5 << 18])
        other, healthy = (
            Stage(directory, world, name, budget)
            for name, budget in zip(("other", "healthy"), budgets, strict=True)
        )
        other.sink.secs = 0.5
        other.begin()
        await asyncio.sleep(20)  # it has borrowed all there is, since nobody else needs it

        async def never() -> None:
            await asyncio.Event().wait()

        other.sink.rule = never if hang else None
        if not hang:
            other.stop()
        await healthy.run(10)
        before = healthy.sink.bytes
        healthy.feed.delays.clear()
        await healthy.run(20)
        delays = sorted(healthy.feed.delays)
        assert other.feed.taken == other.feed.out + len(other.feed.settled) + other.feed.released
        if hang and common < 48 << 20:
            assert healthy.budget.borrowed > other.budget.borrowed
            assert other.counters.writes_by_result["given_up"] > 0
        return (healthy.sink.bytes - before) / 20e6, delays[len(delays) * 99 // 100]

    return run_virtual(go())


@pytest.mark.parametrize("common", [24 << 20, 64 << 20])
def test_a_sink_that_never_answers_delays_no_other_route(tmp_path: Path, common: int) -> None:
    alone, alone_secs = _pair(tmp_path, hang=False, common=common)
    beside, beside_secs = _pair(tmp_path, hang=True, common=common)
    assert alone > 20
    assert beside > 0.8 * alone
    assert beside_secs < 1.2 * alone_secs + 0.05


def test_two_routes_that_want_all_they_can_get_share_what_is_common(tmp_path: Path) -> None:
    async def go() -> None:
        world = virtual_world()
        budgets = divide(48 << 20, [5 << 18, 5 << 18])
        first, second = (
            Stage(tmp_path, world, name, budget)
            for name, budget in zip(("first", "second"), budgets, strict=True)
        )
        first.sink.secs = second.sink.secs = 0.5
        await first.run(20)
        await second.run(20)
        first.sink.bytes = second.sink.bytes = 0
        await second.run(30)
        assert 0.8 < first.sink.bytes / second.sink.bytes < 1.25
        assert first.feed.released + second.feed.released < 10

    run_virtual(go())
