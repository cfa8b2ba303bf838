"""The dozen pods of the demo: who they are, what they print, how their lives go."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from uuid import UUID

from logship_sandbox.demo import events, lines
from logship_sandbox.demo.lines import Line
from logship_sandbox.demo.writer_files import PodName

Happening = Callable[[Random, str], list[Line]]
"""(dice, the time as applications print it) -> the lines of one request, crash, ..."""


class Fate(Enum):
    RUNS = "runs until the end"
    RESTARTS = "crashes and runs again"
    DELETED_EARLY = "is deleted before the agent is killed"
    DELETED_LATE = "is deleted after the agent is back"


@dataclass(frozen=True, slots=True)
class Mix:
    """What a container prints: happenings and how often each comes."""

    happenings: tuple[Happening, ...]
    weights: tuple[float, ...]

    def next(self, dice: Random, now: str) -> list[Line]:
        return dice.choices(self.happenings, self.weights)[0](dice, now)


@dataclass(frozen=True, slots=True)
class Workload:
    """One pod with one container."""

    namespace: str
    name: str
    container: str
    share: float
    """Of all that is written."""
    mix: Mix
    fate: Fate = Fate.RUNS

    def pod(self, dice: Random) -> PodName:
        return PodName(self.namespace, self.name, str(UUID(int=dice.getrandbits(128), version=4)))


def _only(happening: Happening) -> Mix:
    return Mix((happening,), (1,))


_CHECKOUT = Mix((events.checkout, lines.python_trace), (99, 1))
_CART = Mix((events.cart, lines.structured), (1, 1))
_PLAYBACK = Mix((events.playback, lines.structured), (3, 1))
_REPORT = _only(lines.java_chatter)
_MAILER = _only(lines.mail)
_EXPORT = _only(lines.export)
_SEARCH = Mix((events.search, lines.java_trace), (99, 1))

WORKLOADS: Sequence[Workload] = (
    Workload("ingress", "ingress-nginx-6d8f9-7x2lq", "controller", 22, _only(lines.ingress)),
    Workload("ads", "bidder-79c4d8b5f6-w9k2m", "bidder", 20, _only(events.ads)),
    Workload("video", "playback-0", "playback", 9, _PLAYBACK),
    Workload("video", "playback-1", "playback", 9, _PLAYBACK),
    Workload("video", "playback-2", "playback", 9, _PLAYBACK),
    Workload("shop", "checkout-7c9d6b5f4-x2kqp", "checkout", 9, _CHECKOUT),
    Workload("shop", "cart-5d8f9c7b6-q4r7n", "cart", 9, _CART),
    Workload("video", "search-6b7d5c9f8-hm4tz", "search", 6, _SEARCH),
    Workload("ads", "report-84f6b9c7d-zz5vn", "report", 4, _REPORT, Fate.RESTARTS),
    Workload("shop", "mailer-59d7f8c6b-8qjwd", "mailer", 3, _MAILER, Fate.DELETED_EARLY),
    Workload("video", "transcoder-7f5c8d9b4-n6xpl", "ffmpeg", 1, _only(lines.transcode)),
    Workload("data", "export-29384756-tk8rv", "export", 3, _EXPORT, Fate.DELETED_LATE),
)


def metadata(workloads: Sequence[Workload], pods: Sequence[PodName]) -> dict[str, object]:
    """What `metadata: {from: file}` of the source `kubernetes` reads."""
    return {
        "pods": [
            {
                "namespace": pod.namespace,
                "name": pod.name,
                "uid": pod.uid,
                "labels": {"app": workload.container, "team": workload.namespace},
                "annotations": {"example.com/owner": f"{workload.namespace}-oncall"},
            }
            for workload, pod in zip(workloads, pods, strict=True)
        ]
    }
