"""The stages that `micro` measures, each as what is prepared and what is timed.

read           pread(2) from the page cache
scan           lines of a block, their columns not yet made
index          the rows of a block: `Batch.rows`
ids            the id of every row, as texts: `Batch.ids`
text           entries of Cloud Logging, of texts
json_plain     the same of JSON objects without special fields
json_severity  with a severity alone
json_special   with severity, time, trace, span and request
gzip           level 1 of the encoded entries of texts
parse_json     the transform, on objects with special fields
record         messages for Pub/Sub, a row each, of objects with special fields
zstd           a block as a message: header, zstd level 1
unpack         a message as a batch again, its rows found: what the loader does first
arrow          columns for BigQuery, of objects with special fields; needs the extra `loader`
calibrate      `limits.calibrate`, nothing of ours: what the short form compares with
settle         a ledger's account of taking and settling, per batch, divided by its rows
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from isal import igzip
from logship_gcp import block_format
from logship_gcp.bigquery.extract import Extractor
from logship_gcp.cloud_logging.config import CloudLoggingConfig
from logship_gcp.cloud_logging.frames import Place
from logship_gcp.cloud_logging.sink import BatchEncoder
from logship_gcp.pubsub.framed import frames_of
from logship_gcp.pubsub.record import encode_rows
from logship_transforms.parse_json import ParseJson, ParseJsonConfig

from bench.limits import BLOCK, blocks, columns
from bench.workload import make
from logship.api import Batch, Cutting, Generation, Labels, Origin, Span
from logship.rows import kernel
from logship.rows.lines import cri
from logship.tail.ledger import Ledger
from logship.testing import context

T = TypeVar("T")
_FIRST_NS = 1_795_406_400 * 10**9  # the time of the workloads' first rows
_NOW_NS = _FIRST_NS + 3600 * 10**9
_GENERATION = Generation(_FIRST_NS, 1)
_LABELS = Labels({"namespace": "shop", "pod": "cart-1", "container": "app", "label:app": "cart"})
_ORIGIN = Origin("bench/uid/app/0", _LABELS)
_CONFIG = CloudLoggingConfig(project="p", location="l", cluster="c", endpoint="http://127.0.0.1:1")
Work = Callable[[], object]
Batches = Sequence[Batch]


@dataclass(frozen=True)
class Stage:
    """`prepare` makes everything fresh for one round and gives what is timed."""

    rows: int
    prepare: Callable[[], Work]


@dataclass(frozen=True)
class Sample:
    """Some megabytes of one workload."""

    path: Path
    blocks: Sequence[bytes]
    rows: int

    def batches(self) -> list[Batch]:
        """Fresh: nobody has asked them for anything."""
        found, at = [], 0
        for block in self.blocks:
            span = Span(_GENERATION, at, at + len(block))
            found.append(Batch(_ORIGIN, _LABELS, (span,), block, Cutting()))
            at += len(block)
        return found

    def indexed(self) -> list[Batch]:
        batches = self.batches()
        _index(batches)
        return batches


def stages(directory: Path, size: int) -> Mapping[str, Stage]:
    """Of samples of so many bytes, by name."""
    text, special, plain = (_sample(kind, directory, size) for kind in ("A", "B", "B-plain"))
    found = {
        "read": _stage(text, lambda: text.path, _read),
        "scan": _stage(text, lambda: text.blocks, _scan),
        "index": _stage(text, text.batches, _index),
        "ids": _stage(text, text.indexed, _ids),
        "text": _stage(text, text.indexed, _encode),
        "json_plain": _stage(plain, plain.indexed, _encode),
        "json_severity": _stage(plain, _with_severity(plain).indexed, _encode),
        "json_special": _stage(special, special.indexed, _encode),
        "gzip": _stage(text, lambda: [b"".join(r) for r in _encode(text.indexed())], _gzip),
        "parse_json": _stage(special, special.indexed, _parse),
        "record": _stage(special, special.indexed, _records),
        "zstd": _stage(text, text.batches, _pack),
        "unpack": _stage(text, lambda: _pack(text.batches()), _unpack),
        "calibrate": _stage(text, lambda: text.blocks, _calibrate),
        "settle": _stage(text, text.batches, _settle),
    }
    if find_spec("pyarrow") is not None:
        found["arrow"] = _stage(special, special.indexed, _arrow)
    return found


def _stage(sample: Sample, prepare: Callable[[], T], work: Callable[[T], object]) -> Stage:
    def prepared() -> Work:
        made = prepare()
        return lambda: work(made)

    return Stage(sample.rows, prepared)


def _sample(kind: str, directory: Path, size: int) -> Sample:
    work = make(kind, directory / kind, 1, size)
    return Sample(work.paths[0], list(blocks(work.paths)), work.rows)


def _with_severity(plain: Sample) -> Sample:
    changed = [b.replace(b'{"msg":', b'{"severity":"INFO","msg":') for b in plain.blocks]
    return replace(plain, blocks=changed)


def _read(path: Path) -> None:
    descriptor, at = os.open(path, os.O_RDONLY), 0
    try:
        while found := os.pread(descriptor, BLOCK, at):
            at += len(found)
    finally:
        os.close(descriptor)


def _scan(blocks: Sequence[bytes]) -> None:
    for block in blocks:
        if kernel.scan(block) is None:
            cri(block)


def _index(batches: Batches) -> None:
    for batch in batches:
        len(batch.rows)


def _ids(batches: Batches) -> None:
    for batch in batches:
        batch.ids()


def _encode(batches: Batches) -> list[list[bytes]]:
    """Requests in pieces, as they are sent; one per batch."""
    encoder = BatchEncoder(_CONFIG, Place("p", "l", "c"))
    found = [encoder.requests([batch], _NOW_NS) for batch in batches]
    return [request.pieces() for requests in found for request in requests]


def _gzip(bodies: Sequence[bytes]) -> None:
    for body in bodies:
        igzip.compress(body, 1)


def _parse(batches: Batches) -> None:
    transform = ParseJson(ParseJsonConfig(), context())
    for batch in batches:
        transform.apply(batch)


def _records(batches: Batches) -> None:
    extractor = Extractor()
    for batch in batches:
        if frames_of(batch, extractor, "text", _NOW_NS, b"") is None:
            for _ in encode_rows(batch, extractor, "text", _NOW_NS):
                pass


def _pack(batches: Batches) -> list[bytes]:
    return [block_format.encode(batch) for batch in batches]


def _unpack(messages: Sequence[bytes]) -> None:
    _index([block_format.decode(message) for message in messages])


def _arrow(batches: Batches) -> None:
    from logship_gcp.bigquery.arrow import convert

    extractor = Extractor()
    for batch in batches:
        convert(batch, range(len(batch.rows)), extractor, _NOW_NS)


def _calibrate(blocks: Sequence[bytes]) -> None:
    for block in blocks:
        columns(block)


def _settle(batches: Batches) -> None:
    ledger = Ledger(None)
    for batch in batches:
        ledger.taken(batch.pieces[0])
    for batch in batches:
        ledger.settle(batch.pieces)
