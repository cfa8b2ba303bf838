"""What Pub/Sub refuses without saying why: the guilty rows are found, or nobody is blamed."""

import logging
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from logship_gcp.pubsub.publishing import MAX_REQUESTS
from logship_gcp.pubsub.sink import PubsubSink
from logship_gcp.suspicion import Suspicion

from logship.api import DELIVERED, Batch, Outcome, Retry
from logship.testing import texts_batch

Run = Callable[..., Any]
GOOD = texts_batch(["good"])


def writing(*writes: list[Batch]) -> Callable[[PubsubSink], Any]:
    """What became of each write."""

    async def use(sink: PubsubSink) -> list[Outcome | Retry]:
        found: list[Outcome | Retry] = []
        for batches in writes:
            try:
                found.append(await sink.write(batches))
            except Retry as retry:
                found.append(retry)
        return found

    return use


@pytest.mark.parametrize("message_format", ["record", "block"])
def test_a_topic_that_refuses_everything_costs_no_row(
    with_sink: Run, publisher: Any, caplog: pytest.LogCaptureFixture, message_format: str
) -> None:
    publisher.poison = b""
    publisher.failing = [grpc.StatusCode.INVALID_ARGUMENT] * 2000
    rows = texts_batch([f"row {n}" for n in range(500)])
    found = with_sink(publisher, writing([rows], [rows], [rows]), format=message_format)
    assert all(isinstance(each, Retry) for each in found)
    assert "has the topic a schema that they do not match?" in found[0].reason
    assert len(publisher.requests) < 3 * 40
    errors = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "rows wait until a person acts" in errors[0].getMessage()


@pytest.mark.parametrize("message_format", ["record", "block"])
def test_a_row_that_is_refused_alone_is_blamed_once_others_are_taken(
    with_sink: Run, publisher: Any, message_format: str
) -> None:
    publisher.poison = b"poison"
    bad = texts_batch(["poison"])
    first, second, third, last = with_sink(
        publisher,
        writing([bad], [bad], [GOOD], [bad]),
        format=message_format, compression="none",
    )  # fmt: skip
    assert isinstance(first, Retry)
    assert isinstance(second, Retry)
    assert third == DELIVERED
    assert [(r.batch, r.row, r.reason) for r in last.refused] == [(0, 0, "a message is poisoned")]


def test_many_refused_rows_take_several_writes(with_sink: Run, publisher: Any) -> None:
    publisher.poison = b"poison"
    rows = texts_batch(["good", *["poison"] * 900])
    [found] = with_sink(publisher, writing([rows]), format="record")
    refused = {each.row for each in found.refused}
    again = {row for each in found.again for row in each.rows}
    assert refused
    assert again
    assert refused | again == set(range(1, 901))
    assert len(publisher.requests) <= MAX_REQUESTS + 1


def test_rows_too_large_for_a_message_are_refused_also_when_nothing_is_taken(
    with_sink: Run, publisher: Any
) -> None:
    rows = texts_batch(["x" * 5000])
    [found] = with_sink(publisher, writing([rows]), format="record", max_message_bytes=4096)
    assert [each.row for each in found.refused] == [0]


@pytest.mark.parametrize("code", ["NOT_FOUND", "PERMISSION_DENIED", "UNAUTHENTICATED"])
def test_what_a_person_must_do_is_an_error_in_the_log_once(
    with_sink: Run, publisher: Any, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    publisher.failing = [grpc.StatusCode[code]] * 5
    found = with_sink(publisher, writing(*([GOOD] for _ in range(5))))
    assert all(isinstance(each, Retry) for each in found)
    errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "grant" in errors[0] or "create the topic" in errors[0]


def test_what_passes_by_itself_is_no_error_in_the_log(
    with_sink: Run, publisher: Any, caplog: pytest.LogCaptureFixture
) -> None:
    publisher.failing = [grpc.StatusCode.UNAVAILABLE]
    with_sink(publisher, writing([GOOD]))
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


def test_nobody_is_blamed_before_something_was_taken_since() -> None:
    suspicion = Suspicion()
    suspicion.took()
    assert not suspicion.blames_rows()
    assert not suspicion.blames_rows()
    suspicion.took()
    assert suspicion.blames_rows()
    assert not suspicion.blames_rows()
