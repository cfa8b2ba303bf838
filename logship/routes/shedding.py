"""A route under pressure: reads ahead, drops rows by rule, keeps the rest until its sink takes it.

What decides is elsewhere, as plain values: whether, and how much (`pressure`), and which rows
(`shed_rules`). Here it is done. While it sheds, the route reads without asking its sender: what
rules drop waits as a few numbers for its summary (`tallies`), what is left waits in the route's own
part of the memory (`shelf`), and an origin whose rows find no room there is read no further until
they do. So it is rows that must be kept that slow down reading, not a sink. When it ends, reading
waits until the shelf is empty, and goes on as ever.

Rows are announced once: those of a batch of which something is kept are counted to a summary only
when that is delivered, so that a batch which is given back, and judged again, is counted once.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logship.batch import Batch
from logship.origin import Labels
from logship.routes.binding import Binding
from logship.routes.pressure import Look, Pressure
from logship.routes.shed_options import ShedConfig
from logship.routes.shed_rules import Plan, plan, sift
from logship.routes.shelf import Shelf, Survivors, survivors
from logship.routes.tallies import Tallies, Tally
from logship.severity import DEFAULT_KEYS

if TYPE_CHECKING:
    from logship.routes.route import Route

RULE = "shed:{}"
"""How a rule is named among those that drop rows."""
_PLANS = 1000
"""Kept at most: labels of so many origins."""


@dataclass(eq=False, slots=True)
class _Announced:
    """The reader of a summary."""

    shedding: "Shedding"
    tally: Tally
    batch: Batch
    blocked: bool = False

    def settle(self, batch: Batch) -> None:
        self.shedding.announced(self.tally)

    def release(self, batch: Batch) -> None:
        self.shedding.announce_again(self)

    def wake(self) -> None:
        """Nothing waits for it but its own dead letter."""


class Shedding:
    """Of one route."""

    def __init__(
        self, route: "Route", sink: str, options: ShedConfig, own_keys: Sequence[str] = ()
    ) -> None:
        """`own_keys`: of fields that the sink asks for a severity; the usual ones come after."""
        self._route, self._options = route.name, options
        self._keys = tuple(dict.fromkeys([*own_keys, *DEFAULT_KEYS]))
        self._sender = route.sender
        self._counters, self._clock, self._log = route.counters, route.clock, route.log
        self._pressure = Pressure(options)
        self._plans: dict[int, tuple[Labels, Plan]] = {}
        """At this stage, by the identity of the labels, which are kept."""
        self._shelf = Shelf(route.sender, route.budget, route.counters, route.clock)
        self._tallies = Tallies(
            route.name, {rule.name: rule for rule in options.rules}, self._announce
        )
        self._turned = asyncio.Event()
        """It began or ended."""
        self._reasons = {
            "rotation": "rotation was about to delete unread rows",
            "quota": f"sink {sink} asked for less (quota or overload)",
        }

    @property
    def active(self) -> bool:
        return self._pressure.stage > 0

    @property
    def holds_back(self) -> bool:
        """It has ended, and what it kept goes first."""
        return not self.active and bool(self._shelf)

    @property
    def parked(self) -> dict[Binding, int]:
        """Origins that wait for room."""
        return self._shelf.parked

    # Once a second

    def look(self, risk_secs: float | None, waiting: bool) -> None:
        """`waiting`: origins have something to read."""
        now, counters = self._clock.now(), self._counters
        failed = sum(counters.writes_by_result[name] for name in ("failed", "timed_out", "bug"))
        paused = self._sender.paused_secs > 0
        held_up = bool(self._shelf or self.parked or self._sender.failing)
        behind = held_up if self.active else waiting
        look = Look(now, risk_secs, counters.throttled, failed, paused, behind)
        if self._pressure.see(look):
            self._turn()
        self._tallies.look(now, everything=not (self.active or self._shelf))
        self._shelf.unpark()

    def _turn(self) -> None:
        stage, stages = self._pressure.stage, self._options.stages
        self._plans.clear()
        self._shelf.unpark(everyone=True)
        self._turned.set()
        if not stage:
            self._log.warning("route %s sheds no more", self._route)
            return
        self._log.warning(
            "route %s sheds %s: %s",
            self._route, ", ".join(stages[:stage]), self._reasons[self._pressure.why],
        )  # fmt: skip

    # Reading

    async def unless_it_turns(self, waiting: Coroutine[None, None, None]) -> None:
        """Wait like this, but no longer than until shedding begins or ends."""
        self._turned.clear()
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(waiting), loop.create_task(self._until_it_turns())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            found = await asyncio.gather(*tasks, return_exceptions=True)
        for error in found:
            if isinstance(error, Exception):
                raise error

    async def _until_it_turns(self) -> None:
        await self._turned.wait()

    async def until_empty(self) -> None:
        """What it kept has gone."""
        await self._shelf.empty()

    def offer(self, binding: Binding, taken: Batch, mine: Batch) -> list[tuple[str, int]] | None:
        """Take over a batch of which `mine` is to be delivered.

        What was dropped of it, by rule; None: there is no room, and it was given back.
        """
        kept, drops = sift(mine, self._plan(taken.labels), self._keys)
        one = survivors(binding, taken, kept, drops, self._reasons[self._pressure.why], self)
        if kept.is_empty():
            self._tally(one)
        elif not self._shelf.put(one):
            self._counters.give_back(taken)
            self._shelf.park(binding, kept)
            binding.release(taken)
            return None
        return [(RULE.format(rule), dropped.rows) for (rule, _), dropped in drops.items()]

    def _plan(self, labels: Labels) -> Plan:
        if (known := self._plans.get(id(labels))) is not None:
            return known[1]
        if len(self._plans) >= _PLANS:
            self._plans.clear()
        found = plan(self._options, self._pressure.stage, labels)
        self._plans[id(labels)] = labels, found
        return found

    def _tally(self, one: Survivors) -> None:
        self._tallies.add(one.binding, one.taken, one.dropped, one.why, self._clock.now())
        self._sum_up_at_the_end()

    def _sum_up_at_the_end(self) -> None:
        if self._shelf.closed:
            self._tallies.look(self._clock.now(), everything=True)

    def forget(self, binding: Binding) -> None:
        """The route reads it no more."""
        self._shelf.forget(binding)
        self._tallies.forget(binding)

    # Delivery

    async def run(self) -> None:
        """Until cancelled."""
        await self._shelf.run()

    def delivered(self, one: Survivors) -> None:
        if one.dropped:
            self._tally(one)
        else:
            one.binding.settle(one.taken)
        self._soon_unpark()

    def given_back(self, one: Survivors) -> None:
        if not self._shelf.take_back(one):
            one.put_back()
        self._soon_unpark()

    def _soon_unpark(self) -> None:
        if self._shelf.parked:  # whoever tells this gives its memory back right afterwards
            asyncio.get_running_loop().call_soon(self._shelf.unpark)

    def _announce(self, tally: Tally, batches: list[Batch]) -> None:
        for batch in batches:
            self._counters.made_rows += batch.row_count()
            self._shelf.announce(_Announced(self, tally, batch), batch)

    def announced(self, tally: Tally) -> None:
        self._tallies.durable(tally)
        self._sum_up_at_the_end()

    def announce_again(self, one: _Announced) -> None:
        if self._shelf.closed:
            return  # its rows are read again by the next agent
        self._counters.reread_rows += one.batch.row_count()
        self._shelf.announce(one, one.batch)

    def close(self) -> None:
        """The agent stops: say what was dropped, and give what is kept to the sender."""
        self._shelf.close()
        self._sum_up_at_the_end()

    def kept_bytes(self) -> int:
        """What it holds, counted by what is there."""
        return self._shelf.weigh()

    def as_dict(self) -> dict[str, object]:
        """JSON-ready."""
        pressure = self._pressure
        since = self._clock.now() - pressure.since if pressure.stage else None
        return {
            "severities": list(self._options.stages[: pressure.stage]),
            "why": pressure.why,
            "since_secs": since,
            "held_bytes": self._shelf.held,
            "parked_origins": len(self._shelf.parked),
        }

    @property
    def stage(self) -> int:
        return self._pressure.stage
