"""Cloud Logging's documented limits, each at limit - 1, limit and limit + 1, over real HTTP.

`ask` is the request that a sender without any care would make; the sandbox answers it as Google
would. `send` is a row of that size given to the sink: it must arrive whole at every size, and the
sandbox must not have refused anything. (Sources: the page "Quotas and limits" of Cloud Logging,
https://cloud.google.com/logging/quotas, and the comments of google/logging/v2 at
https://github.com/googleapis/googleapis.)
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

import aiohttp
import msgspec
import orjson
import pytest
from logship_gcp.cloud_logging import CloudLogging, CloudLoggingConfig

from logship.api import Altered, Batch, Cutting, Outcome, time_ns, time_text
from logship_sandbox.client import Answer, Rest
from logship_sandbox.server import Options, Sandbox
from tests.plugins.logship_gcp.cloud_logging.batches import (
    FIRST_NS,
    LABELS,
    TIME,
    cri,
    make_batch,
    make_context,
    make_encoder,
    run_bounded,
)

RETENTION_SECS = 30 * 86_400
RESOURCE = {"type": "global"}


class Over(Enum):
    """What Google does beyond the limit."""

    REFUSED = "the request is refused"
    CUT = "it is taken, and cut"
    NOT_STORED = "it is taken, and stored nowhere"


class Limit(NamedTuple):
    name: str
    source: str
    value: int
    over: Over
    ask: Callable[[int], bytes]
    send: Callable[[int], tuple[Batch, dict[str, Any]]]
    """(a batch, options of the sink)."""


def asking(**fields: Any) -> bytes:
    entry = {"logName": "projects/p-1/logs/a", "resource": RESOURCE, "textPayload": "x"}
    return orjson.dumps({"entries": [entry | fields]})


def sending(*texts: str, **options: Any) -> tuple[Batch, dict[str, Any]]:
    return large(*texts), options


def large(*texts: str, **more: Any) -> Batch:
    return make_batch(cri(*texts), cutting=Cutting("cri", 4 << 20), **more)


def rows_of_a_request(size: int) -> tuple[Batch, dict[str, Any]]:
    """Of one request of `size` bytes; beyond the limit of two."""
    texts = ["x" * 100_000] * 104
    spare = size - request_size([*texts, ""])
    return sending(*texts, "y" * spare, max_request_bytes=10_485_760, version_label=False)


def request_size(texts: list[str]) -> int:
    encoder = make_encoder(max_request_bytes=10_485_760)
    (request,) = encoder.requests([large(*texts)], FIRST_NS)
    return request.size


def labelled(count: int) -> tuple[Batch, dict[str, Any]]:
    labels = {**LABELS, **{f"label:l{number}": "v" for number in range(count)}}
    return large("x", labels=labels), {}


def nested(levels: int) -> str:
    """An object in an object... as it lies in a request: the request, its list, its entry above."""
    inner = levels - 3
    return '{"a":' * inner + "1" + "}" * inner


def asking_nested(levels: int) -> bytes:
    """The parser counts: orjson, and whoever else writes such a request, does not."""
    payload = b'"jsonPayload":' + nested(levels).encode()
    return asking().replace(b'"textPayload":"x"', payload)


def own_time(ns_from_now: int) -> str:
    return time_text(time_ns(TIME) + ns_from_now)


def row_at(ns_from_now: int) -> tuple[Batch, dict[str, Any]]:
    return sending(orjson.dumps({"time": own_time(ns_from_now), "a": 1}).decode())


LIMITS = [
    Limit(
        "bytes of a request",
        "Quotas: `Size of an entries.write request`, 10 MB; the server's own words are `Request "
        "payload size exceeds the limit: 10485760 bytes.` (fluent/fluent-bit#10220)",
        10_485_760, Over.REFUSED, lambda n: asking().ljust(n), rows_of_a_request,
    ),
    Limit(
        "bytes of an entry",
        "Quotas: `Size of a LogEntry`, 256 KB, an approximate limit on the internal size; what is "
        "counted here is payload and labels (the sandbox's measure)",
        262_144, Over.REFUSED, lambda n: asking(textPayload="x" * n), lambda n: sending("x" * n),
    ),
    Limit(
        "labels of an entry",
        "Quotas: `Number of labels`, 64 per LogEntry",
        64, Over.REFUSED,
        lambda n: asking(labels={f"l{k}": "v" for k in range(n)}), labelled,
    ),
    Limit(
        "bytes of a label's key",
        "Quotas: `Length of a LogEntry label key`, 512 B; log_entry.proto, `labels`: truncated",
        512, Over.CUT,
        lambda n: asking(labels={"k" * n: "v"}), lambda n: (large("x", extra={"k" * n: "v"}), {}),
    ),
    Limit(
        "bytes of a label's value",
        "Quotas: `Length of a LogEntry label value`, 64 KB; log_entry.proto, `labels`: truncated",
        65_536, Over.CUT,
        lambda n: asking(labels={"k": "v" * n}), lambda n: (large("x", extra={"k": "v" * n}), {}),
    ),
    Limit(
        "characters of a log id",
        "log_entry.proto, `log_name`: LOG_ID `must be less than 512 characters long`",
        511, Over.REFUSED,
        lambda n: asking(logName="projects/p-1/logs/" + "a" * n),
        lambda n: sending("x", log_id="a" * n),
    ),
    Limit(
        "levels of JSON",
        "Not on the page: the parser in front of Google's APIs says `Message too deep. Max "
        "recursion depth reached` (protobuf, util/internal/json_stream_parser.cc, "
        "kDefaultMaxRecursionDepth = 100; how it counts is the sandbox's reading)",
        100, Over.REFUSED, asking_nested, lambda n: sending(nested(n)),
    ),
    Limit(
        "nanoseconds in the future",
        "Quotas, footnote on timestamps: more than 24 hours in the future are rejected; "
        "log_entry.proto, `timestamp`",
        86_400 * 10**9, Over.REFUSED,
        lambda n: asking(timestamp=own_time(n)), row_at,
    ),
    Limit(
        "nanoseconds in the past",
        "Quotas, footnote on timestamps: older than the bucket's retention (30 days by default) "
        "are taken, routed, and not stored",
        RETENTION_SECS * 10**9, Over.NOT_STORED,
        lambda n: asking(timestamp=own_time(-n)), lambda n: row_at(-n),
    ),
]  # fmt: skip
EACH = pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
EXTRAS = pytest.mark.parametrize("extra", [-1, 0, 1])


async def started() -> Sandbox:
    sandbox = Sandbox(Options(bigquery=False, retention_secs=RETENTION_SECS))
    sandbox.logging.now = lambda: time_ns(TIME)
    await sandbox.start()
    return sandbox


@EXTRAS
@EACH
def test_google_takes_what_is_within_the_limit(limit: Limit, extra: int) -> None:
    async def asked() -> tuple[Answer, list[Any]]:
        sandbox = await started()
        base = sandbox.environment()["LOGSHIP_LOGGING_ENDPOINT"]
        try:
            async with aiohttp.ClientSession() as session:
                answer = await Rest(session, base).write(limit.ask(limit.value + extra))
            return answer, list(sandbox.logging.store.entries())
        finally:
            await sandbox.close()

    answer, stored = run_bounded(asked())
    over = limit.over if extra > 0 else None
    assert answer.status == (400 if over is Over.REFUSED else 200), answer.body
    assert len(stored) == (0 if over in (Over.REFUSED, Over.NOT_STORED) else 1)
    if stored:
        cut = "…" in str(stored[0].get("labels", {}))
        assert cut == (over is Over.CUT)


def written(batch: Batch, options: dict[str, Any]) -> tuple[Outcome, list[Any], Any]:
    async def run() -> tuple[Outcome, list[Any], Any]:
        sandbox = await started()
        place = {"project": "p-1", "location": "europe-west1", "cluster": "c-1"}
        endpoint = sandbox.environment()["LOGSHIP_LOGGING_ENDPOINT"]
        config = msgspec.convert({**place, "endpoint": endpoint, **options}, CloudLoggingConfig)
        sink = CloudLogging(config, make_context())
        await sink.start()
        try:
            outcome = await sink.write([batch])
            return outcome, list(sandbox.logging.store.entries()), sandbox.logging.counts
        finally:
            await sink.close()
            sink.context.world.offload.close()
            await sandbox.close()

    return run_bounded(run())


@EXTRAS
@EACH
def test_a_row_of_any_size_arrives_whole_and_nothing_is_refused(limit: Limit, extra: int) -> None:
    batch, options = limit.send(limit.value + extra)
    if limit.name == "characters of a log id" and extra > 0:
        with pytest.raises(msgspec.ValidationError, match="log_id"):  # before anything starts
            msgspec.convert(options, CloudLoggingConfig)
        return
    outcome, stored, counts = written(batch, options)
    split = any("split" in entry for entry in stored)
    assert outcome == Outcome(altered=(Altered(1, "split"),) if split else ())
    assert (counts.refused, dict(counts.errors)) == (0, {})
    if limit.name == "bytes of a request":
        assert counts.requests == (2 if extra > 0 else 1)
        unused = limit.value + extra - counts.bytes  # the sink counts one comma too many
        assert extra > 0 or unused == 1
    firsts = [entry for entry in stored if entry.get("split", {}).get("index", 0) == 0]
    assert sorted(entry["insertId"] for entry in firsts) == sorted(batch.ids())
    if all("textPayload" in entry for entry in stored):
        said = "".join(entry["textPayload"] for entry in stored)
        assert len(said) == sum(map(len, batch.rows.texts))
    if limit.name.startswith("nanoseconds"):
        [entry] = stored
        own = orjson.loads(batch.rows.texts[0])["time"]
        assert entry["timestamp"] == (TIME if extra > 0 else own)
        assert ("logship/clamped" in entry["labels"]) == (extra > 0)


def test_requests_cannot_be_made_larger_than_google_takes() -> None:
    with pytest.raises(msgspec.ValidationError, match="max_request_bytes"):
        msgspec.convert({"max_request_bytes": 10_485_761}, CloudLoggingConfig)
