"""A sender for each route, from the configuration: its part of the memory, its sink's terms."""

import logging
from collections.abc import Mapping

from logship.api import Sink
from logship.config import Config
from logship.counters import RouteCounters
from logship.delivery.deadletters import DeadLetters
from logship.delivery.limits import Budget, divide
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
    ) -> None:
        """A write is gathered until it is full, so it may be larger by a block."""
        self._config, self._sinks = config, sinks
        self._dead_letters, self._clock = dead_letters, clock
        requests = [sinks[route.to].request_bytes + block_bytes for route in config.routes]
        budgets = divide(config.memory.max_bytes, requests)
        self.budgets = {
            route.name: budget for route, budget in zip(config.routes, budgets, strict=True)
        }
        self._rates = {
            name: Rate(limit, clock)
            for name, sink in config.sinks.items()
            if (limit := sink.terms.max_bytes_per_sec) is not None
        }

    def make(
        self, route: str, to: str, counters: RouteCounters, log: logging.Logger
    ) -> tuple[Budget, Sender]:
        budget = self.budgets[route]
        sender = Sender(
            self._sinks[to], budget, self._dead_letters, counters, self._clock, log,
            self._config.sinks[to].terms, self._rates.get(to),
        )  # fmt: skip
        return budget, sender
