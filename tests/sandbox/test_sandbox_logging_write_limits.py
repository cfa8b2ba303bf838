"""entries:write of the sandbox: how large and how late things may be, and a bit beyond."""

import gzip
import time

import orjson
import pytest

from logship_sandbox.client import Rest
from logship_sandbox.logging_limits import (
    ELLIPSIS,
    MAX_ENTRY_BYTES,
    MAX_LABEL_KEY_BYTES,
    MAX_LABEL_VALUE_BYTES,
    MAX_REQUEST_BYTES,
)
from logship_sandbox.logging_time import SECOND, format_time
from logship_sandbox.server import Sandbox
from tests.sandbox.logging_writing import LOG, RESOURCE, Run, entry, write_and_list


def padded_body(size: int) -> bytes:
    """A valid request of exactly `size` bytes (spaces after it are part of the request)."""
    return orjson.dumps({"entries": [entry()]}).ljust(size)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_a_request_has_at_most_10485760_bytes(with_sandbox: Run, extra: int) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        answer = await rest.write(padded_body(MAX_REQUEST_BYTES + extra))
        assert answer.status == (200 if extra <= 0 else 400)
        if extra > 0:
            assert answer.message == "Request payload size exceeds the limit: 10485760 bytes."

    with_sandbox(test)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_gzip_is_accepted_up_to_the_same_size(with_sandbox: Run, extra: int) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        body = gzip.compress(padded_body(MAX_REQUEST_BYTES + extra), 1)
        answer = await rest.write(body, {"Content-Encoding": "gzip"})
        assert answer.status == (200 if extra <= 0 else 400), answer.body

    with_sandbox(test)


@pytest.mark.parametrize(
    "body", [b"not gzip", gzip.compress(b"{}")[:-9], gzip.compress(padded_body(400))[:-1]]
)
def test_a_broken_gzip_body_is_refused(with_sandbox: Run, body: bytes) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        assert (await rest.write(body, {"Content-Encoding": "gzip"})).status == 400

    with_sandbox(test)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_an_entry_has_at_most_256_kib(with_sandbox: Run, extra: int) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        text = "é" * (MAX_ENTRY_BYTES // 2 - 10) + "x" * (20 - len("kv") + extra)
        answer = await rest.write({"entries": [entry(textPayload=text, labels={"k": "v"})]})
        assert answer.status == (200 if extra <= 0 else 400)
        if extra > 0:
            assert "exceeds maximum size of 256.0K" in answer.message

    with_sandbox(test)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_a_json_payload_counts_as_compact_json(with_sandbox: Run, extra: int) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        payload = {"m": "x" * (MAX_ENTRY_BYTES - len('{"m":""}') + extra)}
        one = {"logName": LOG, "resource": RESOURCE, "jsonPayload": payload}
        assert (await rest.write({"entries": [one]})).status == (200 if extra <= 0 else 400)

    with_sandbox(test)


@pytest.mark.parametrize("count", [63, 64, 65])
def test_an_entry_has_at_most_64_labels(with_sandbox: Run, count: int) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        labels = {f"k{n}": "v" for n in range(count - 1)}
        # The request's own labels count too: they are merged first.
        answer = await rest.write({"labels": {"last": "v"}, "entries": [entry(labels=labels)]})
        assert answer.status == (200 if count <= 64 else 400)

    with_sandbox(test)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_long_label_keys_and_values_are_cut_with_an_ellipsis(with_sandbox: Run, extra: int) -> None:
    key, value = "k" * (MAX_LABEL_KEY_BYTES + extra), "v" * (MAX_LABEL_VALUE_BYTES + extra)
    (stored,) = write_and_list(with_sandbox, {"entries": [entry(labels={key: value})]})
    ((kept_key, kept_value),) = stored["labels"].items()  # type: ignore[attr-defined]
    if extra <= 0:
        assert (kept_key, kept_value) == (key, value)
    else:
        assert kept_key.endswith(ELLIPSIS)
        assert len(kept_key.encode()) == MAX_LABEL_KEY_BYTES
        assert kept_value.endswith(ELLIPSIS)
        assert len(kept_value.encode()) == MAX_LABEL_VALUE_BYTES


@pytest.mark.parametrize("chars", [510, 511, 512])
def test_a_log_id_has_less_than_512_characters(with_sandbox: Run, chars: int) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        name = "projects/p/logs/" + "%2F" + "a" * (chars - 1)
        answer = await rest.write({"entries": [entry(logName=name)]})
        assert answer.status == (200 if chars < 512 else 400)

    with_sandbox(test)


@pytest.mark.parametrize(("secs", "status"), [(86_390, 200), (86_410, 400)])
def test_a_timestamp_may_be_a_day_in_the_future(with_sandbox: Run, secs: int, status: int) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        stamp = format_time(time.time_ns() + secs * SECOND)
        answer = await rest.write({"entries": [entry(timestamp=stamp)]})
        assert answer.status == status
        if status == 400:
            assert answer.message == "Timestamp is over a day in the future"

    with_sandbox(test)
