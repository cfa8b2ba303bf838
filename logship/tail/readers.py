"""The feeds of an origin, as the follower of its files sees them."""

from collections.abc import Callable
from typing import Protocol

from logship.rows.address import Generation, Position
from logship.tail.generation import LetGo, LogGeneration
from logship.tail.generations import Generations
from logship.world import Stat


class FollowedBy(Protocol):
    """What a follower knows of a feed that reads it."""

    on_ready: Callable[[], None]

    @property
    def committed(self) -> Position | None: ...
    def revive(self) -> None: ...
    def due(self) -> bool: ...
    def unsettled(self) -> dict[Generation, int]: ...
    def lose(self, log: LogGeneration, why: LetGo) -> None: ...
    def late(self, log: LogGeneration, offset: int) -> None: ...
    def missed(self, stat: Stat) -> None: ...
    def untold(self, stat: Stat) -> None: ...


class Readers(list[FollowedBy]):
    __slots__ = ()

    def settled_before(self, generations: Generations) -> int:
        """The number of first generations that all of them have settled."""
        positions = [feed.committed for feed in self]
        places = [None if p is None else generations.place(p.generation) for p in positions]
        known = [place for place in places if place is not None]
        return min(known, default=0) if len(known) == len(places) else 0
