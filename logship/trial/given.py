"""A described log as batches: the bytes that a runtime would have written, cut as the agent cuts.

A text is written as a container writes it: a newline ends a line, and a line of more than 16 KiB
reaches the log in parts. Times go on by a second from each text to the next, so that nothing here
depends on a clock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson

from logship.api import Source
from logship.batch import Batch
from logship.config import Config
from logship.origin import Labels
from logship.rows.address import Span, time_ns, time_text
from logship.rows.cut import Cutter
from logship.rows.identity import HEAD_BYTES, identify
from logship.sample import Sample
from logship.trial.options import START, Given, Written

START_NS = time_ns(START)
_SECOND_NS = 1_000_000_000
_PART_BYTES = 16 * 1024
_PLACES = (
    "namespace", "pod", "container", "uid", "node", "path", "owner_kind", "owner_name",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Log:
    source: str
    sample: Sample
    batches: Sequence[Batch]


def log_of(given: Given, source: Source, config: Config, now_ns: int) -> Log:
    """Raises NotRead when the source would not read such a log."""
    sample = source.sample(_about(given, config))
    format = sample.cutting.format
    if given.lines:
        block = b"".join(line.encode() + b"\n" for line in given.lines)
    else:
        block = b"".join(_lines(_told(given), format))
    return Log(source.context.name, sample, list(_batches(block, sample, now_ns)))


def now_of(given: Sequence[Given]) -> int:
    """A moment after all that is written."""
    told = [ns for log in given for _, _, ns in _told(log)]
    lines = [_leading_ns(line) for log in given for line in log.lines]
    return max([START_NS, *told, *lines]) + _SECOND_NS


def _leading_ns(line: str) -> int:
    try:
        return time_ns(line[:40].split(" ")[0])
    except (ValueError, OverflowError):
        return START_NS


def _about(given: Given, config: Config) -> Labels:
    values = {name: value for name in _PLACES if (value := getattr(given, name)) is not None}
    if given.restart is not None:
        values["restart"] = str(given.restart)
    if config.cluster:
        values["cluster"] = config.cluster
    values |= {f"label:{key}": value for key, value in given.labels.items()}
    values |= {f"annotation:{key}": value for key, value in given.annotations.items()}
    values |= {f"namespace_label:{key}": value for key, value in given.namespace_labels.items()}
    return Labels(values, given.metadata == "known")


def _told(given: Given) -> Iterator[tuple[str, str, int]]:
    """Of each text: what was written, to which stream, and when."""
    next_ns = START_NS
    for each in given.texts:
        written = Written(text=each) if isinstance(each, str) else each
        text = written.text
        if text is None:
            text = orjson.dumps(written.json).decode()
        at = next_ns if written.time is None else time_ns(written.time)
        next_ns = at + _SECOND_NS
        yield text, written.stream or given.stream, at


def _lines(told: Iterator[tuple[str, str, int]], format: str) -> Iterator[bytes]:
    for text, stream, ns in told:
        for line in text.removesuffix("\n").split("\n"):
            content = line.encode(errors="replace")
            if format == "plain":
                yield content + b"\n"
            elif format == "docker":
                yield from _docker(line, stream, time_text(ns))
            else:
                yield from _cri(content, stream, time_text(ns))


def _cri(content: bytes, stream: str, time: str) -> Iterator[bytes]:
    parts = [content[at : at + _PART_BYTES] for at in range(0, len(content), _PART_BYTES)] or [b""]
    for number, part in enumerate(parts, 1):
        tag = "F" if number == len(parts) else "P"
        yield f"{time} {stream} {tag} ".encode() + part + b"\n"


def _docker(line: str, stream: str, time: str) -> Iterator[bytes]:
    parts = [line[at : at + _PART_BYTES] for at in range(0, len(line), _PART_BYTES)] or [""]
    for number, part in enumerate(parts, 1):
        log = part + "\n" * (number == len(parts))
        yield orjson.dumps({"log": log, "stream": stream, "time": time}) + b"\n"


def _batches(block: bytes, sample: Sample, now_ns: int) -> Iterator[Batch]:
    format = sample.cutting.format
    generation = identify(format, block[: HEAD_BYTES[format]], START_NS, final=True)
    assert generation is not None  # there is at least a newline
    cutter = Cutter(sample.cutting)
    for cut in (cutter.push(generation, 0, block, end=True), cutter.flush()):
        if cut is not None:
            pieces: tuple[Span, ...] = cut.pieces
            yield Batch(
                sample.origin, sample.labels, pieces, cut.block, sample.cutting, now_ns,
                _rows=cut.rows,
            )  # fmt: skip
