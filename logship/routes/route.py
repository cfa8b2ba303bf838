"""A route: pulls batches from its bindings, passes them through transforms, gives them on.

It reads only when its budget has room and its sink is not failing; nothing it does can delay
another route. Bindings take turns by bytes, fairly for namespaces and origins (see `fairness`).
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from logship.api import Transform
from logship.batch import Batch
from logship.counters import RouteCounters
from logship.delivery.limits import HELD_PER_BYTE, Budget
from logship.delivery.sender import Sender
from logship.routes.binding import Binding
from logship.routes.fairness import Turns
from logship.routes.lag import RouteLag
from logship.routes.meter import Meter
from logship.routes.resting import Resting
from logship.routes.unreadable import Unreadable
from logship.said import shown
from logship.world import Clock, World

if TYPE_CHECKING:
    from logship.routes.shedding import Shedding

BLOCK_BYTES = 512 * 1024
"""How much is read at once: small enough for caches, large enough for few calls."""
_ROOM_BYTES = HELD_PER_BYTE * BLOCK_BYTES
"""What a block may hold in memory."""

_TAKE_BYTES = 8 * 1024
"""A take costs about as much as reading so many bytes, however few it gives."""
_BUG_SECS = 5.0


@dataclass(eq=False)
class Route:
    name: str
    sender: Sender
    transforms: Sequence[tuple[str, Transform]]
    budget: Budget
    counters: RouteCounters
    clock: Clock
    log: logging.Logger
    block_bytes: int = BLOCK_BYTES
    """Read at once; no more than the sink writes at once."""
    shedding: "Shedding | None" = None
    """If it may: then what it decides stands before what the sender allows."""
    rows_wanted: bool = True
    """Whether rows are looked at, or blocks go out as they are."""
    bindings: set[Binding] = field(default_factory=set)
    _turns: Turns[Binding] = field(default_factory=lambda: Turns(attrgetter("namespace")))
    _resting: Resting = field(init=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _meter: Meter = field(default_factory=Meter)
    _unreadable: Unreadable = field(init=False)

    def __post_init__(self) -> None:
        self._resting = Resting(self.clock)
        self._unreadable = Unreadable(self.counters, self.log)

    def add(self, binding: Binding) -> None:
        self.bindings.add(binding)
        binding.wake()

    def remove(self, binding: Binding) -> None:
        self.bindings.discard(binding)
        self._resting.forget(binding)
        self._unreadable.forget(binding)
        self._meter.forget(binding)
        if self.shedding is not None:
            self.shedding.forget(binding)

    def ready(self, binding: Binding) -> None:
        self._turns.add(binding)
        self._changed.set()

    def hurry(self) -> None:
        """Send what has been read: somebody waits for it."""
        self.sender.hurry()

    def waiting_bytes(self) -> int:
        """Bytes not read yet, over all origins that tell."""
        return sum(binding.feed.waiting() or 0 for binding in self.bindings)

    def measure(self, world: World) -> None:
        """Once a second: see how fast those are read and written that are waiting to be read."""
        now, shedding = self.clock.now(), self.shedding
        self.counters.loudest.turn(now)
        if shedding is None:
            self._meter.tick(now, chain(self._turns, self._resting))
            return
        self._meter.tick(now, [*self._turns, *self._resting, *shedding.parked])
        shedding.look(self._meter.risk_secs(world), bool(self._turns))

    async def lag(self, world: World) -> RouteLag:
        """How far behind it is, and what of it rotation will delete."""
        return await self._meter.lag(self.bindings, world)

    def balance(self) -> None:
        """Say it if rows that were read are nowhere, or more than once."""
        if missing := self.counters.unaccounted:
            self.log.critical("a bug in route %s: %d rows are unaccounted for", self.name, missing)

    async def pull(self) -> None:
        """Until cancelled."""
        if self.shedding is None:
            await self._read_on()
        else:
            await asyncio.gather(self._read_on(), self.shedding.run())

    async def _read_on(self) -> None:
        spent = 0
        while True:
            while not self._turns:
                self._changed.clear()
                await self._changed.wait()
            while not self._may_read():
                await self._wait()
            spent += _TAKE_BYTES + await self._take(self._turns.next())
            if spent >= self.block_bytes:
                spent = 0
                await asyncio.sleep(0)  # reads of the page cache do not wait: let others run

    def _may_read(self) -> bool:
        sender, shedding = self.sender, self.shedding
        if shedding is not None and (shedding.active or shedding.holds_back):
            return shedding.active
        return not sender.full and self.budget.has_room(_ROOM_BYTES) and sender.paused_secs <= 0

    async def _wait(self) -> None:
        if self.shedding is None:
            await self._room()
        elif self.shedding.holds_back:
            await self.shedding.unless_it_turns(self.shedding.until_empty())
        else:
            await self.shedding.unless_it_turns(self._room())

    async def _room(self) -> None:
        began, counters = self.clock.now(), self.counters
        while (pause := self.sender.paused_secs) > 0:
            await self.clock.sleep(pause)
        await self.sender.turn()
        ready = self.clock.now()
        counters.waited_for_sink_secs += ready - began
        if not self.budget.has_room(_ROOM_BYTES):
            self.sender.hurry()
            await self.budget.wait_for_room(_ROOM_BYTES)
            counters.waited_for_memory_secs += self.clock.now() - ready

    async def _take(self, binding: Binding) -> int:
        """How many bytes of log it gave."""
        batch = await self._read(binding)
        binding.stirred = True
        if batch is None:
            self._turns.idle(binding)
            return 0
        size = batch.size()
        self._turns.took(binding, size)
        if self._resting.begins(binding, size):
            self._turns.rest(binding)
        elif size < self.block_bytes and not _has_more(binding):
            self._turns.idle(binding)
        binding.took(batch)
        self.counters.read(binding.namespace, batch)
        try:
            self._pass_on(binding, batch)
        except Exception as error:
            self.counters.bugs += 1
            self.counters.last_error = shown(f"{type(error).__name__}: {error}")
            self.log.error("a bug in a transform of route %s; nothing is lost", self.name,
                           exc_info=error)  # fmt: skip
            self.counters.give_back(batch)
            binding.release(batch)
            await self.clock.sleep(_BUG_SECS)
        return size

    async def _read(self, binding: Binding) -> Batch | None:
        """What the binding has now; None also when it may not, or cannot, be read."""
        asleep = binding.blocked or binding.parked or binding.ending
        if asleep or binding not in self.bindings:
            return None
        if (made := binding.next_notice()) is not None:
            return made
        most = self.block_bytes
        if binding.throttle is not None:
            most = min(most, binding.throttle.most)
        try:
            batch = await binding.feed.take(most)
        except Exception as error:  # hostile bytes: other origins go on
            self._unreadable.failed(binding, error)
            return None
        self._unreadable.forget(binding)
        return None if binding.ended else batch  # the one that goes on reads it

    def _pass_on(self, binding: Binding, batch: Batch) -> None:
        if batch.made:
            self.sender.offer(binding, batch)
            return
        mine = binding.selection.apply(batch)
        passed = 0 if mine is batch else batch.row_count() - mine.row_count()
        dropped = []
        for name, transform in self.transforms:
            before = mine
            mine = transform.apply(mine)
            if mine is not before and mine.touched:
                dropped.append((name, before.row_count() - mine.row_count()))
        if self.shedding is not None and self.shedding.active and not mine.is_empty():
            shed = self.shedding.offer(binding, batch, mine)
            if shed is not None:
                self.counters.leave_out(passed, [*dropped, *shed])
            return
        self.counters.leave_out(passed, dropped)  # only now: nothing failed, nothing comes again
        if mine.is_empty():
            binding.settle(batch)
        else:
            self.sender.offer(binding, mine)

    async def give_up(self) -> None:
        """End at once: what was read goes back to its feeds."""
        if self.shedding is not None:
            self.shedding.close()
        self.sender.give_up()
        await self.sender.drain(0)

    async def drain(self, timeout_secs: float) -> None:
        """Deliver what was read; what is left stays unsettled."""
        if self.shedding is not None:
            self.shedding.close()
        await self.sender.drain(timeout_secs)


def _has_more(binding: Binding) -> bool:
    if binding.notices:
        return True
    try:
        return binding.due()
    except OSError:
        return True  # the next `take` says what is wrong
