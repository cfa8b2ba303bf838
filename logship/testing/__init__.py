"""Batches and contexts for tests, made of the real things.

`batch_of` wraps bytes of a log as a feed would, so that a test of a transform or a sink goes
through the row kernel as the agent does. Everything is deterministic; third parties may use it for
their plugins.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence

from logship.api import Batch, Context, Cutting, Generation, Labels, Origin, Span, time_text
from logship.world import Clock, Disk, Offload, World

__all__ = [
    "GENERATION", "START_NS", "batch_of", "context", "cri_line", "origin_of", "texts_batch",
    "world",
]  # fmt: skip

START_NS = 1_795_409_191_000_000_000
"""2026-11-23T04:46:31Z, when the logs of tests begin."""

GENERATION = Generation(START_NS, 0x5EED_CAFE)


def cri_line(
    text: str | bytes, *, time_ns: int = START_NS, stream: str = "stdout", tag: str = "F"
) -> bytes:
    """One line as the container runtime writes it."""
    if isinstance(text, str):
        text = text.encode()
    if b"\n" in text:
        raise ValueError(f"a CRI line cannot hold a newline: {text!r}")
    head = f"{time_text(time_ns)} {stream} {tag} "
    return head.encode() + text + b"\n"


def origin_of(
    pod: str = "web-0",
    *,
    namespace: str = "shop",
    container: str = "app",
    more: Mapping[str, str] | None = None,
) -> Origin:
    """A container's log; `more` are labels such as `label:app`."""
    values = {
        "source": "containers", "cluster": "test", "namespace": namespace, "pod": pod,
        "uid": f"uid-of-{pod}", "container": container, "restart": "0", "node": "node-1",
        **(more or {}),
    }  # fmt: skip
    return Origin(f"test/uid-of-{pod}/{container}/0", Labels(values))


def batch_of(
    lines: Iterable[bytes],
    origin: Origin | None = None,
    *,
    start: int = 0,
    generation: Generation = GENERATION,
    cutting: Cutting | None = None,
    mtime_ns: int = START_NS,
) -> Batch:
    """The batch of these physical lines, as they lie at `start` of the generation."""
    block = b"".join(lines)
    owner = origin or origin_of()
    pieces = (Span(generation, start, start + len(block)),)
    return Batch(owner, owner.labels, pieces, block, cutting or Cutting(), mtime_ns)


def texts_batch(
    texts: Sequence[str | bytes],
    origin: Origin | None = None,
    *,
    start: int = 0,
    start_ns: int = START_NS,
) -> Batch:
    """One CRI line of stdout per text, a nanosecond after each other."""
    lines = (cri_line(text, time_ns=start_ns + number) for number, text in enumerate(texts))
    generation = Generation(start_ns, GENERATION.digest)
    return batch_of(lines, origin, start=start, generation=generation)


def world(*, disk: Disk | None = None) -> World:
    offload = Offload(threads=2)
    return World(Clock(), disk or Disk(offload), offload)


def context(name: str = "tested", *, using: World | None = None, state_dir: str = "") -> Context:
    """Close `context.world.offload` when the test ends."""
    log = logging.getLogger(f"logship.testing.{name}")
    return Context(name, using or world(), log, cluster="test", node="node-1", state_dir=state_dir)
