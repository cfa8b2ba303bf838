"""What a feed has lost, said with the times of the rows around it."""

from collections.abc import Callable

from logship.tail.follow import Follower
from logship.tail.generation import LogGeneration
from logship.tail.last_row import LastRow
from logship.tail.loss import Loss, Reason
from logship.world import Stat

OnLoss = Callable[[Loss], None]


class Losing:
    def __init__(self, follower: Follower, last_row: LastRow, on_loss: OnLoss) -> None:
        self._follower, self._last_row, self.tell = follower, last_row, on_loss

    def lost(
        self, reason: Reason, size: int, log: LogGeneration | None, *, exact: bool = False
    ) -> None:
        """`size` bytes of `log`; None: of one that is gone."""
        later = self._follower.generations.since(log.generation)[1:] if log else []
        found_ns = next((then.generation.time_ns for then in later if not then.let_go), 0)
        self.tell(Loss(reason, size, exact, self._last_row.ns, found_ns))

    def never_opened(self, stat: Stat) -> None:
        """A file was deleted before it could be opened: this is how it looked."""
        since = self._last_row.ns
        if stat.mtime_ns > since:
            self.tell(Loss(Reason.NEVER_OPENED, stat.size, False, since))

    def untold(self, stat: Stat) -> None:
        """A file is damaged, so that nobody can tell what it is, nor how much is in it."""
        if stat.mtime_ns > self._last_row.ns:
            self.tell(Loss(Reason.DAMAGED, 1, False, self._last_row.ns))
