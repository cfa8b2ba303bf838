"""Bytes written by hand are what Google's own classes read, and the other way round."""

from typing import Any

from google.pubsub_v1 import types
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st
from logship_gcp.pubsub import wire

REQUEST: Any = types.PublishRequest.pb()
texts = st.text(st.characters(codec="utf-8"), max_size=200)
attribute_maps = st.dictionaries(texts, texts, max_size=4)


@given(
    texts,
    st.lists(st.tuples(st.binary(max_size=300), attribute_maps), max_size=5),
    st.integers(0, 300_000),
)
def test_a_publish_request_is_what_googles_class_reads(
    topic: str, messages: list[tuple[bytes, dict[str, str]]], large: int
) -> None:
    messages = [*messages, (bytes(large), {})]
    body = wire.publish_start(topic) + b"".join(
        wire.message(content, wire.attributes(values)) for content, values in messages
    )
    expected = REQUEST(
        topic=topic, messages=[{"data": data, "attributes": values} for data, values in messages]
    )
    assert REQUEST.FromString(body) == expected


@given(st.integers(0, 10**6), st.integers(0, 999_999_999), texts)
def test_the_time_of_a_retry_info_is_read(seconds: int, nanos: int, text: str) -> None:
    status = status_pb2.Status(code=8, message=text)
    status.details.add().Pack(error_details_pb2.DebugInfo(detail=text))
    info = error_details_pb2.RetryInfo()
    info.retry_delay.seconds, info.retry_delay.nanos = seconds, nanos
    status.details.add().Pack(info)
    assert wire.retry_delay_secs(status.SerializeToString()) == seconds + nanos / 1e9


def test_a_status_without_a_time_has_none() -> None:
    assert wire.retry_delay_secs(status_pb2.Status(code=8).SerializeToString()) is None


@given(st.binary(max_size=60))
def test_hostile_bytes_of_a_status_are_no_time_and_no_crash(status: bytes) -> None:
    found = wire.retry_delay_secs(b"\x1a" + bytes((len(status),)) + status)
    assert found is None or found >= 0
