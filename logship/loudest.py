"""Which pods are loudest: bytes read of each, over the last minute or two, in bounded memory.

Bytes are added up in windows of `WINDOW_SECS`; what is shown is the current window and the one
before it. A window keeps at most `MOST` pods: when one more comes, the quieter half of them is
forgotten, which costs each addition O(1) on average. So a pod that is among the loudest is seen
unless more than `MOST` pods are read at once, and then its bytes are too few rather than too many.
Nothing here knows about clocks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nlargest

WINDOW_SECS = 60.0
MOST = 1000
SHOWN = 10

Pod = tuple[str, str]
"""Namespace and name; of a log that is no pod's, its source and its key."""


@dataclass(slots=True)
class _Window:
    began: float
    bytes: dict[Pod, int]


class Loudest:
    def __init__(self) -> None:
        self._now = _Window(0.0, {})
        self._before = _Window(0.0, {})

    def add(self, pod: Pod, size: int) -> None:
        """So many bytes of it were read, now."""
        counts = self._now.bytes
        if pod not in counts and len(counts) >= MOST:
            self._now.bytes = counts = dict(nlargest(MOST // 2, counts.items(), key=_bytes))
        counts[pod] = counts.get(pod, 0) + size

    def turn(self, now: float) -> None:
        """To be called about once a second."""
        if now - self._now.began >= WINDOW_SECS:
            self._before, self._now = self._now, _Window(now, {})

    def bytes(self) -> dict[Pod, int]:
        """Of both windows."""
        found = dict(self._before.bytes)
        for pod, size in self._now.bytes.items():
            found[pod] = found.get(pod, 0) + size
        return found


def _bytes(item: tuple[Pod, int]) -> int:
    return item[1]


def loudest(routes: Iterable[Loudest]) -> list[tuple[Pod, int]]:
    """The loudest first. What several routes read of a pod was written once."""
    found: dict[Pod, int] = {}
    for route in routes:
        for pod, size in route.bytes().items():
            found[pod] = max(size, found.get(pod, 0))
    return nlargest(SHOWN, found.items(), key=_bytes)
