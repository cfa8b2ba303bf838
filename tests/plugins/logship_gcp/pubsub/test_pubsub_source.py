"""The source `pubsub` against the sandbox, fed by Google's own publisher and by our sink."""

import json
from typing import Any

import pytest
from logship_gcp import block_format
from logship_gcp.pubsub.incoming import ENCODING, REASON
from logship_gcp.pubsub.source import PubsubSource, PubsubSourceConfig

from logship.api import ConfigError
from logship.testing import context, texts_batch
from tests.plugins.logship_gcp.pubsub.one_feed import first, read, write


@pytest.mark.parametrize("pull", ["unary", "streaming"])
def test_a_block_arrives_with_its_origin_and_ids(broker: Any, pull: str) -> None:
    sent = texts_batch(["one", "two"])
    write(broker, sent)
    found = read(broker, first, pull=pull)
    assert found.origin.key == sent.origin.key
    assert found.labels.get("pod") == "web-0"
    assert found.ids() == sent.ids()
    assert found.rows == sent.rows
    assert broker.pull_all() == []


def test_records_arrive_with_ids_times_and_labels(broker: Any) -> None:
    texts = ['{"msg":"hello","n":1}', "plain", '{"no":"message"}']
    sent = texts_batch(texts)
    write(broker, sent, format="record")
    found = read(broker, first)
    assert sorted(found.rows.texts) == sorted(texts)
    assert dict(zip(found.ids(), found.rows.texts, strict=True)) == dict(
        zip(sent.ids(), texts, strict=True)
    )
    assert found.labels.get("namespace") == "shop"
    assert found.rows.times[texts.index("plain")] == "2026-11-23T04:46:31.000000001Z"


def test_records_with_nested_json_arrive_as_the_same_texts(broker: Any) -> None:
    text = '{"msg": "spaces  stay", "n": 1.50}'
    write(broker, texts_batch([text]), format="record", json_columns="value")
    assert read(broker, first).rows.texts == [text]


def test_googles_client_reads_our_records(broker: Any) -> None:
    write(broker, texts_batch(["hello"]), format="record")
    [found] = broker.pull_all()
    assert json.loads(found.message.data)["message"] == "hello"
    assert found.message.attributes["namespace"] == "shop"


def test_a_foreign_message_has_its_message_id_and_time(broker: Any) -> None:
    [message_id] = broker.publish(
        (b'{"timestamp":"2026-01-02T03:04:05Z","a":1}', {"team": "blue", "namespace": "web"})
    )
    found = read(broker, first)
    assert found.ids() == [message_id]
    assert found.rows.times == ["2026-01-02T03:04:05Z"]
    assert found.labels.get("namespace") == "web"
    assert dict(found.extra) == {"team": "blue"}
    assert not found.rows.marks


def test_a_foreign_message_without_a_time_has_that_of_its_publishing(broker: Any) -> None:
    broker.publish((b"hello\nworld", {}))
    found = read(broker, first)
    assert found.rows.texts == ["hello\nworld"]
    assert found.rows.times[0].startswith("20")


@pytest.mark.parametrize(
    ("content", "attributes", "reason"),
    [
        (b"\x8aLSB\x07junk", {"format": "block/1"}, "block format 7"),
        (block_format.encode(texts_batch(["x"]))[:-3], {"format": "block/1"}, "payload is damaged"),
        (b"{}", {"format": "record/1"}, "not a record"),
    ],
)
def test_what_cannot_be_decoded_goes_on_marked_with_the_reason(
    broker: Any, content: bytes, attributes: dict[str, str], reason: str
) -> None:
    broker.publish((content, attributes))
    found = read(broker, first)
    assert found.rows.mark(0).malformed
    assert reason in found.extra[REASON]
    assert (found.extra.get(ENCODING) == "base64") == (content[0] == 0x8A)
    assert broker.pull_all() == []


def test_a_subscription_that_cannot_be_is_said_before_anything_starts() -> None:
    with pytest.raises(ConfigError, match="a name of Pub/Sub"):
        PubsubSource(PubsubSourceConfig(subscription="a"), context("in"))
