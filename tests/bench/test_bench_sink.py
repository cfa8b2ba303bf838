"""The sink counts what came, and tells copies and gaps."""

import http.client
import socket

import grpc
import pytest
from google.pubsub_v1.types import PublishRequest, PubsubMessage
from isal import igzip

from bench.destinations import Arrived
from bench.process import Cost
from bench.sink import http as sink_http
from bench.sink import pubsub as sink_pubsub
from bench.sink.counts import Counts
from bench.throughput import checked
from bench.workload import Workload

ID = "{:048x}"


def entries(*numbers: int) -> bytes:
    found = ",".join(
        f'{{"insertId":"{ID.format(n)}","textPayload":"rid={n:012x}"}}' for n in numbers
    )
    return f'{{"entries":[{found}]}}'.encode()


def post(port: int, body: bytes, **headers: str) -> int:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    link.request("POST", "/v2/entries:write", body, {"User-Agent": "logship", **named})
    answer = link.getresponse()
    assert answer.read() == b"{}"
    link.close()
    return answer.status


@pytest.fixture
def counts() -> Counts:
    return Counts()


def test_entries_are_counted_and_copies_are_seen(counts: Counts) -> None:
    port = sink_http.serve(counts, counts.as_dict)
    assert post(port, entries(1, 2, 3)) == 200
    packed = igzip.compress(entries(3, 4))
    assert post(port, packed, Content_Encoding="gzip") == 200
    found = counts.as_dict()
    assert (found["rows"], found["distinct_ids"], found["tokens"]) == (5, 4, 5)
    assert found["wire_bytes"] == len(entries(1, 2, 3)) + len(packed)
    assert found["body_bytes"] == len(entries(1, 2, 3)) + len(entries(3, 4))


def test_a_body_in_chunks_is_read_whole(counts: Counts) -> None:
    port = sink_http.serve(counts, counts.as_dict)
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    body = entries(1, 2)
    chunks = iter((body[:70], body[70:]))
    link.request("POST", "/lines", chunks, {"User-Agent": "other"}, encode_chunked=True)
    assert link.getresponse().read() == b"{}"
    assert counts.as_dict()["distinct_tokens"] == 2
    link.close()


def test_lines_over_tcp_are_counted_wherever_they_are_cut(counts: Counts) -> None:
    port = sink_http.serve_lines(counts)
    with socket.create_connection(("127.0.0.1", port)) as link:
        for piece in (b"a rid=000000000001\nb rid=0000", b"00000002\nc rid=000000000002", b"\n"):
            link.sendall(piece)
        link.shutdown(socket.SHUT_WR)
        assert link.recv(1) == b""  # the sink has read all and hung up
    found = counts.as_dict()
    assert (found["tokens"], found["distinct_tokens"]) == (3, 2)


def test_records_are_counted_by_the_attribute_that_names_their_row(counts: Counts) -> None:
    port = sink_pubsub.serve(sink_pubsub.publish_handler(sink_pubsub.Pubsub(counts)))
    messages = [
        PubsubMessage(data=b"x", attributes={"namespace": "n", "insert_id": ID.format(n)})
        for n in (1, 2, 2)
    ]
    body = PublishRequest.serialize(PublishRequest(topic="projects/p/topics/t", messages=messages))
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        publish = channel.unary_unary("/google.pubsub.v1.Publisher/Publish", None, None)
        publish(body, timeout=10)
    found = counts.as_dict()
    assert (found["rows"], found["distinct_ids"]) == (3, 2)


def test_what_is_too_much_to_keep_is_counted_at_once(
    counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.sink.counts.KEPT_BYTES", len(entries(1)))
    seen: list[bytes] = []
    counts.later(entries(1), seen.append)
    counts.later(entries(2), seen.append)
    assert seen == [entries(2)]
    counts.as_dict()
    assert seen == [entries(2), entries(1)]


@pytest.mark.parametrize(
    ("rows", "distinct", "tokens", "lost", "doubled"),
    [(10, 10, 12, 0, 0), (9, 9, 11, 1, 0), (11, 10, 12, 0, 1), (10, 10, 9, 3, 0), (8, 8, 0, 2, 0)],
)
def test_what_is_missing_is_lost_and_what_came_twice_is_doubled(
    rows: int, distinct: int, tokens: int, lost: int, doubled: int, tmp_path: object
) -> None:
    work = Workload("A", tmp_path, tmp_path, 1, 1000, 10, 12)  # type: ignore[arg-type]
    run = checked(Cost(1.0, 1.0, 1), work, Arrived(rows, distinct, tokens, 0, 1, 5, 5))
    assert (run.lost, run.doubled) == (lost, doubled)
