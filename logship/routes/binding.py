"""A route on an origin: a feed, with the row conditions that hold for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from logship.api import Feed
from logship.batch import Batch
from logship.routes.conditions import Selection


class Ready(Protocol):
    """Where a binding says that there may be something to take."""

    def ready(self, binding: "Binding") -> None: ...


def _perhaps() -> bool:
    return True


@dataclass(eq=False, slots=True)
class Binding:
    feed: Feed
    selection: Selection
    route: Ready
    due: Callable[[], bool] = _perhaps
    """Whether `take` may give more, right after it gave something. A feed that cannot tell is
    asked again; one that can saves every small batch a second, empty `take`."""
    blocked: bool = False
    """Its dead letters cannot be written: it reads nothing new."""
    parked: bool = False
    """What it has must be kept, and there is no room: it reads nothing until there is (`shelf`)."""
    namespace: str = field(init=False)
    """Whose share of reading it counts to: its namespace, or its source where it has none."""
    stirred: bool = True
    """It took, settled or gave back something since it was last asked where it stands."""
    read_bytes: int = 0
    """Read so far, without what was released: that has to be read again."""

    def __post_init__(self) -> None:
        labels = self.feed.origin.labels
        self.namespace = labels.get("namespace") or f"({labels.get('source')})"

    def settle(self, batch: Batch) -> None:
        self.stirred = True
        self.feed.settle(batch)

    def release(self, batch: Batch) -> None:
        self.stirred = True
        self.read_bytes -= batch.size()
        self.feed.release(batch)

    def wake(self) -> None:
        """There may be something to take."""
        if not (self.blocked or self.parked):
            self.route.ready(self)
