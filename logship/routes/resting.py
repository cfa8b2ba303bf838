"""Bindings that were read as fast as they may be (`limit` of their pod): no turn for a while."""

import asyncio
from collections.abc import Iterator

from logship.routes.binding import Binding
from logship.world import Clock


class Resting:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bindings: set[Binding] = set()

    def __iter__(self) -> Iterator[Binding]:
        return iter(self._bindings)

    def begins(self, binding: Binding, size: int) -> bool:
        """Whether it rests, now that it has given so many bytes."""
        if binding.throttle is None or not size:
            return False
        secs = binding.throttle.took(size, self._clock.now())
        if secs <= 0:
            return False
        binding.resting = True
        self._bindings.add(binding)
        asyncio.get_running_loop().call_later(secs, self._ended, binding)
        return True

    def forget(self, binding: Binding) -> None:
        self._bindings.discard(binding)

    def _ended(self, binding: Binding) -> None:
        binding.resting = False
        if binding in self._bindings:  # else it is gone
            self._bindings.discard(binding)
            binding.wake()
