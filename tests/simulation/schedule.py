"""What is going to happen, and what has happened."""

from collections import Counter, deque
from collections.abc import Callable
from hashlib import blake2b
from heapq import heappop, heappush

from tests.simulation.loop import Time


class Schedule:
    def __init__(self, time: Time) -> None:
        self._time = time
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0

    def later(self, secs: float, event: Callable[[], object]) -> None:
        self._count += 1
        heappush(self._events, (self._time.now + secs, self._count, event))

    @property
    def next_at(self) -> float:
        return self._events[0][0]

    def pop(self) -> Callable[[], object]:
        return heappop(self._events)[2]


class Trace:
    """Every event, in order: a digest of all, the text of the last."""

    def __init__(self, time: Time, keep: int) -> None:
        self._time = time
        self._digest = blake2b(digest_size=8)
        self.lines: deque[str] = deque(maxlen=keep)
        self.counted: Counter[str] = Counter()

    def __call__(self, event: str, *what: object) -> None:
        line = f"{self._time.now:.6f} {event} {' '.join(map(str, what))}"
        self._digest.update(line.encode())
        self.lines.append(line)
        self.counted[event] += 1

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()
