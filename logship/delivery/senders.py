"""A sender for each route, from the configuration: its part of the memory, its sink's terms.

When the configuration changes, budgets of routes that go on and rates of sinks that stay are taken
over, so what is held and what was spent goes on counting; memory is divided anew among all routes.
"""

import logging
from collections.abc import Collection, Mapping

from logship.api import Sink
from logship.config import Config
from logship.counters import RouteCounters
from logship.delivery.deadletters import DeadLetters
from logship.delivery.limits import Budget, Pool, shares
from logship.delivery.rate import Rate
from logship.delivery.sender import Sender
from logship.world import Clock


class Senders:
    def __init__(
        self,
        config: Config,
        sinks: Mapping[str, Sink],
        dead_letters: DeadLetters,
        clock: Clock,
        block_bytes: int,
        before: "Senders | None" = None,
        kept: Collection[str] = (),
    ) -> None:
        """A write is gathered until it is full, so it may be larger by a block.

        `kept`: the routes of `before` that go on.
        """
        self._config, self._sinks = config, sinks
        self._dead_letters, self._clock = dead_letters, clock
        requests = [sinks[route.to].request_bytes + block_bytes for route in config.routes]
        own, self._common = shares(config.memory.max_bytes, requests)
        self._own = {route.name: size for route, size in zip(config.routes, own, strict=True)}
        self._pool: Pool = before._pool if before else Pool(0)
        old = {name: before.budgets[name] for name in kept} if before else {}
        self.budgets: dict[str, Budget] = {
            name: old.get(name) or Budget(size) for name, size in self._own.items()
        }
        self._rates = {
            name: (before and before._rate_of(name, sinks[name])) or Rate(limit, clock)
            for name, sink in config.sinks.items()
            if (limit := sink.terms.max_bytes_per_sec) is not None
        }

    def _rate_of(self, name: str, sink: Sink) -> Rate | None:
        return self._rates.get(name) if self._sinks.get(name) is sink else None

    def divide_memory(self) -> None:
        """Among these routes, from now on."""
        self._pool.divide(self._common, {b: self._own[name] for name, b in self.budgets.items()})

    def make(
        self, route: str, to: str, counters: RouteCounters, log: logging.Logger
    ) -> tuple[Budget, Sender]:
        budget = self.budgets[route]
        sender = Sender(
            self._sinks[to], budget, self._dead_letters, counters, self._clock, log,
            self._config.sinks[to].terms, self._rates.get(to),
        )  # fmt: skip
        return budget, sender
