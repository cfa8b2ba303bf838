"""The open generations of an origin, in the order they were written.

Ordered by content, never by name; the live file comes last, also when the clock stepped back or
lines have no times. Which file is live is told by the name alone.
"""

from bisect import insort

from logship.rows.address import Generation, Position
from logship.tail.generation import LogGeneration
from logship.world import Stat


class Generations(list[LogGeneration]):
    __slots__ = ("_live",)

    def __init__(self) -> None:
        super().__init__()
        self._live: tuple[int, int] | None = None
        """The inode of the live file, open or not."""

    def note_live(self, stat: Stat | None, now: float) -> None:
        """This file has the live name now; None: none has.

        What the runtime still has to say to the file before comes from now on: from the renaming,
        and again from the reopening, which may be much later.
        """
        before, self._live = self._live, (stat.device, stat.inode) if stat else None
        for log in self:
            log.live = log.inode == self._live
        rotated = next((log for log in reversed(self) if log.may_get_more), None)
        if self._live != before and rotated is not None:
            rotated.changed_at, rotated.told_ended = now, False

    def sort_in(self, opened: LogGeneration) -> None:
        insort(self, opened, key=lambda log: (log.live, log.generation))

    @property
    def live(self) -> bool:
        """Whether the live file is open, and known."""
        return bool(self) and self[-1].live

    def first(self) -> LogGeneration | None:
        return self[0] if self else None

    def find(self, generation: Generation) -> LogGeneration | None:
        """The open generation, or None: gone, or not seen."""
        return next((log for log in self if log.generation == generation), None)

    def place(self, generation: Generation) -> int | None:
        return next((n for n, log in enumerate(self) if log.generation == generation), None)

    def precedes(self, one: Position, other: Position) -> bool:
        """Whether its row was written earlier; those of files that are gone by their names."""
        places = self.place(one.generation), self.place(other.generation)
        if one.generation == other.generation or None in places:
            return one < other
        return places[0] < places[1]  # type: ignore[operator]  # neither is None

    def since(self, generation: Generation) -> list[LogGeneration]:
        """This one and those that were written later."""
        at = self.place(generation)
        if at is None:
            return [log for log in self if log.generation > generation]
        return self[at:]

    def after(self, generation: Generation) -> LogGeneration | None:
        """The next one in the order they were written."""
        return next((log for log in self.since(generation) if log.generation != generation), None)
