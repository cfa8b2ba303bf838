"""The open generations of an origin, in the order they were written.

Ordered by content, never by name; the live file comes last, also when the clock stepped back or
lines have no times.
"""

from bisect import insort

from logship.rows.address import Generation
from logship.tail.generation import LogGeneration


class Generations(list[LogGeneration]):
    def sort_in(self, opened: LogGeneration) -> None:
        insort(self, opened, key=lambda log: (log.live, log.generation))

    def first(self) -> LogGeneration | None:
        return self[0] if self else None

    def find(self, generation: Generation) -> LogGeneration | None:
        """The open generation, or None: gone, or not seen."""
        return next((log for log in self if log.generation == generation), None)

    def place(self, generation: Generation) -> int | None:
        return next((n for n, log in enumerate(self) if log.generation == generation), None)

    def since(self, generation: Generation) -> list[LogGeneration]:
        """This one and those that were written later."""
        at = self.place(generation)
        if at is None:
            return [log for log in self if log.generation > generation]
        return self[at:]

    def after(self, generation: Generation) -> LogGeneration | None:
        """The next one in the order they were written."""
        return next((log for log in self.since(generation) if log.generation != generation), None)
