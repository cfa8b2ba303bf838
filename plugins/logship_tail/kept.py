"""A copy of what somebody else knows, in which what is gone there stays for a while.

The last lines of a pod are read after the pod is gone. How long things are kept is bounded by
seconds and by number; of those that are gone the oldest go first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from logship.api import Clock

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Keep:
    """Of what is gone."""

    secs: float = 300.0
    most: int = 1000


class Kept(Generic[K, V]):
    def __init__(self, clock: Clock, keep: Keep) -> None:
        self._clock = clock
        self._keep = keep
        self._values: dict[K, V] = {}
        self._gone: dict[K, float] = {}
        """Since when; the oldest first."""

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        return self._values.get(key)

    def put(self, wanted: Mapping[K, V]) -> bool:
        """These are there; whether that is news."""
        news = any(self._values.get(key) != value for key, value in wanted.items())
        self._values.update(wanted)
        for key in wanted:
            self._gone.pop(key, None)
        self.forget_old()
        return news

    def replace(self, wanted: Mapping[K, V]) -> bool:
        """These are all there are."""
        self.remove(self._values.keys() - wanted.keys())
        return self.put(wanted)

    def remove(self, keys: Iterable[K]) -> None:
        now = self._clock.now()
        for key in keys:
            if key in self._values:
                self._gone.setdefault(key, now)
        self.forget_old()

    def forget_old(self) -> None:
        """Drop what has been gone for long enough, or is too much."""
        before = self._clock.now() - self._keep.secs
        too_many = len(self._gone) - self._keep.most
        for number, (key, at) in enumerate(list(self._gone.items())):
            if at > before and number >= too_many:
                return
            del self._gone[key], self._values[key]
