"""The sink `pubsub` against a Publisher on loopback that answers what the test says."""

import json
import random
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from logship_gcp import block_format
from logship_gcp.pubsub.sink import PubsubSink, PubsubSinkConfig

from logship.api import DELIVERED, Batch, ConfigError, Outcome, Refused, Retry
from logship.testing import batch_of, context, cri_line, origin_of, texts_batch

Run = Callable[..., Any]


def sending(*batches: Batch) -> Callable[[PubsubSink], Any]:
    return lambda sink: sink.write(batches)


def routed(batch: Batch) -> Batch:
    batch.route = "app"
    return batch


def test_a_block_goes_out_as_it_was_read_with_attributes_for_filters(
    with_sink: Run, publisher: Any
) -> None:
    batch = routed(texts_batch(["one", "two"]))
    assert with_sink(publisher, sending(batch)) == DELIVERED
    [message] = publisher.messages
    assert block_format.decode(message.data).block == batch.block
    assert dict(message.attributes) == {
        "cluster": "test", "namespace": "shop", "pod": "web-0", "container": "app",
        "route": "app", "format": "block/1",
    }  # fmt: skip


def test_an_untouched_block_is_published_without_looking_at_its_rows(
    with_sink: Run, publisher: Any
) -> None:
    batch = texts_batch(["one"])
    with_sink(publisher, sending(batch))
    assert batch._rows is None


def test_requests_name_the_topic_in_the_routing_header(with_sink: Run, publisher: Any) -> None:
    with_sink(publisher, sending(texts_batch(["one"])))
    assert publisher.requests[0].topic == "projects/shop/topics/app-logs"
    header = publisher.metadata[0]["x-goog-request-params"]
    assert header == "topic=projects%2Fshop%2Ftopics%2Fapp-logs"


def test_batches_of_a_write_share_a_request(with_sink: Run, publisher: Any) -> None:
    with_sink(publisher, sending(texts_batch(["one"]), texts_batch(["two"])))
    assert len(publisher.requests) == 1


def test_records_are_rows_of_the_table(with_sink: Run, publisher: Any) -> None:
    batch = routed(texts_batch(['{"level":"warn","msg":"slow","n":1}', "plain"]))
    assert with_sink(publisher, sending(batch), format="record") == DELIVERED
    first, second = (json.loads(message.data) for message in publisher.messages)
    ingest_time = first.pop("ingest_time")
    assert ingest_time.endswith("Z")
    assert first == {
        "timestamp": "2026-11-23T04:46:31.000000Z", "severity": "WARNING", "message": "slow",
        "payload": '{"level":"warn","msg":"slow","n":1}', "cluster": "test", "namespace": "shop",
        "pod": "web-0", "container": "app", "node": "node-1", "stream": "stdout",
        "insert_id": batch.ids()[0],
    }  # fmt: skip
    assert second["message"] == "plain"
    assert second["nanos"] == 1
    assert publisher.messages[1].attributes["insert_id"] == batch.ids()[1]
    assert publisher.messages[1].attributes["format"] == "record/1"


def test_a_request_has_at_most_a_thousand_messages_and_ten_megabytes(
    with_sink: Run, publisher: Any
) -> None:
    many = texts_batch(["x"] * 2500)
    large = texts_batch(["y" * 200_000] * 60)
    assert with_sink(publisher, sending(many, large), format="record") == DELIVERED
    assert len(publisher.messages) == 2560
    assert max(len(request.messages) for request in publisher.requests) == 1000
    assert max(request.ByteSize() for request in publisher.requests) <= 10_000_000


def test_a_poisoned_record_is_refused_alone(with_sink: Run, publisher: Any) -> None:
    publisher.poison = b"poison"
    texts = ["fine"] * 40
    texts[17] = "poison"
    found = with_sink(publisher, sending(texts_batch(["a"]), texts_batch(texts)), format="record")
    assert found == Outcome(refused=(Refused(1, 17, "a message is poisoned"),))
    assert len(publisher.messages) == 40


def test_a_poisoned_row_of_a_block_is_refused_and_its_neighbours_land(
    with_sink: Run, publisher: Any
) -> None:
    publisher.poison = b"poison"
    batch = texts_batch([f"row {n}" if n != 9 else "poison" for n in range(20)])
    found = with_sink(publisher, sending(batch), compression="none")
    assert found == Outcome(refused=(Refused(0, 9, "a message is poisoned"),))
    parts = [block_format.decode(message.data) for message in publisher.messages]
    landed = {
        insert_id: text
        for part in parts
        for insert_id, text in zip(part.ids(), part.rows.texts, strict=True)
    }
    expected = dict(zip(batch.ids(), batch.rows.texts, strict=True))
    del expected[batch.ids()[9]]
    assert landed == expected


def test_a_block_too_large_for_a_message_goes_in_parts(with_sink: Run, publisher: Any) -> None:
    noise = random.Random(1)
    batch = texts_batch([noise.randbytes(1500).hex() for _ in range(20)])
    assert with_sink(publisher, sending(batch), max_message_bytes=9000) == DELIVERED
    assert len(publisher.messages) > 1
    texts = [t for m in publisher.messages for t in block_format.decode(m.data).rows.texts]
    assert sorted(texts) == sorted(batch.rows.texts)


def test_a_record_too_large_for_a_message_is_refused_among_others(
    with_sink: Run, publisher: Any
) -> None:
    batch = texts_batch(["a", "x" * 5000, "b"])
    found = with_sink(publisher, sending(batch), format="record", max_message_bytes=4096)
    assert [(refused.batch, refused.row) for refused in found.refused] == [(0, 1)]
    assert len(publisher.messages) == 2


def test_a_row_too_large_for_a_message_is_refused(with_sink: Run, publisher: Any) -> None:
    batch = texts_batch([random.Random(1).randbytes(5000).hex(), "small"])
    found = with_sink(publisher, sending(batch), max_message_bytes=4096)
    [refused] = found.refused
    assert (refused.batch, refused.row) == (0, 0)
    assert refused.reason.endswith("bytes; 4096 are allowed")
    assert len(publisher.messages) == 1


@pytest.mark.parametrize(
    "code",
    ["RESOURCE_EXHAUSTED", "UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "INTERNAL", "UNKNOWN"],
)
def test_a_passing_failure_comes_again(with_sink: Run, publisher: Any, code: str) -> None:
    publisher.failing = [grpc.StatusCode[code]]
    with pytest.raises(Retry, match=f"publish to projects/shop/topics/app-logs: {code}: not now"):
        with_sink(publisher, sending(texts_batch(["one"])))


def test_the_servers_retry_time_is_kept(with_sink: Run, publisher: Any) -> None:
    publisher.failing, publisher.retry_secs = [grpc.StatusCode.RESOURCE_EXHAUSTED], 17
    with pytest.raises(Retry) as caught:
        with_sink(publisher, sending(texts_batch(["one"])))
    assert caught.value.after == 17


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("NOT_FOUND", "gcloud pubsub topics create projects/shop/topics/app-logs"),
        ("PERMISSION_DENIED", "grant roles/pubsub.publisher"),
        ("UNAUTHENTICATED", "grant roles/pubsub.publisher"),
    ],
)
def test_what_a_person_must_do_is_said(
    with_sink: Run, publisher: Any, code: str, advice: str
) -> None:
    publisher.failing = [grpc.StatusCode[code]]
    with pytest.raises(Retry, match=advice):
        with_sink(publisher, sending(texts_batch(["one"])))


def test_of_a_write_only_what_failed_comes_again(with_sink: Run, publisher: Any) -> None:
    publisher.failing = [grpc.StatusCode.UNAVAILABLE]
    batch = texts_batch(["x"] * 1500)
    found = with_sink(publisher, sending(batch), format="record", concurrency=1)
    [again] = found.again
    assert found.refused == ()
    assert list(again.rows) == list(range(1000))
    assert len(publisher.messages) == 500


def test_a_server_that_is_not_there_is_a_retry(with_sink: Run, publisher: Any) -> None:
    async def use(sink: PubsubSink) -> None:
        await sink.close()
        dead = PubsubSink(
            PubsubSinkConfig(
                topic="app-logs", project="shop", endpoint="127.0.0.1:1", request_timeout_secs=0.5
            ),
            sink.context,
        )
        await dead.start()
        try:
            with pytest.raises(Retry, match=r"UNAVAILABLE|DEADLINE_EXCEEDED"):
                await dead.write([texts_batch(["one"])])
        finally:
            await dead.close()
            await sink.start()

    with_sink(publisher, use)


def test_long_labels_are_cut_to_what_an_attribute_may_hold(with_sink: Run, publisher: Any) -> None:
    origin = origin_of("é" * 600)
    with_sink(publisher, sending(batch_of([cri_line("one")], origin)))
    pod = publisher.messages[0].attributes["pod"]
    assert pod == "é" * 512


@pytest.mark.parametrize("topic", ["", "ab", "1abc", "goog-x", "projects/p/subscriptions/s"])
def test_a_topic_that_cannot_be_is_said_before_anything_starts(topic: str) -> None:
    with pytest.raises(ConfigError, match=r"sinks\.out\.topic"):
        PubsubSink(PubsubSinkConfig(topic=topic), context("out"))


def test_an_endpoint_without_credentials_needs_a_project() -> None:
    with pytest.raises(ConfigError, match=r"sinks\.out\.project"):
        PubsubSink(PubsubSinkConfig(topic="logs", endpoint="127.0.0.1:1"), context("out"))
