"""A bound on bytes held, and waiting for room."""

import asyncio

from logship.delivery.limits import Budget
from logship.testing.virtual_time import run_virtual


def test_who_waits_for_room_goes_on_as_soon_as_there_is_some() -> None:
    async def go() -> None:
        budget = Budget(100)
        budget.hold(60)
        budget.hold(40)
        waiting = asyncio.ensure_future(budget.wait_for_room(50))
        await asyncio.sleep(1)
        budget.give_back(40)
        await asyncio.sleep(1)
        assert not waiting.done()
        budget.give_back(60)
        await asyncio.wait_for(waiting, 1)
        assert budget.empty

    run_virtual(go())


def test_one_thing_fits_an_empty_budget_however_large_it_is() -> None:
    budget = Budget(100)
    assert budget.has_room(1000)
    budget.hold(1000)
    assert not budget.has_room(1)
