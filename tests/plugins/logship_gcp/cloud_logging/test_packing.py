"""Requests: packed by exact size, taken apart without losing a row."""

from itertools import pairwise

import orjson
from hypothesis import given
from hypothesis import strategies as st
from logship_gcp.cloud_logging.requests import Part, Request, pack

from logship.api import Batch
from tests.plugins.logship_gcp.cloud_logging.batches import (
    FIRST_NS,
    cri,
    kept_entries,
    make_batch,
    make_encoder,
)

DEFAULTS = b'"logName":"projects/p/logs/stdout"'


def part(batch: int, sizes: list[int]) -> Part:
    bodies = [orjson.dumps({"insertId": f"{batch}.{row}", "textPayload": "x" * size})
              for row, size in enumerate(sizes)]  # fmt: skip
    return Part(batch, range(len(sizes)), b",".join(bodies))


def ids(request: Request) -> list[str]:
    return [entry["insertId"] for entry in orjson.loads(request.body())["entries"]]


def named(request: Request) -> list[str]:
    return ["{}.{}".format(*request.row(entry)) for entry in range(len(request))]


sizes = st.lists(st.lists(st.integers(0, 400), max_size=12), min_size=1, max_size=6)


@given(sizes, st.integers(600, 4000))
def test_requests_hold_every_entry_once_in_order_and_within_the_size(
    found: list[list[int]], max_bytes: int
) -> None:
    requests = pack([part(n, one) for n, one in enumerate(found)], DEFAULTS, max_bytes)
    wanted = [f"{n}.{row}" for n, one in enumerate(found) for row in range(len(one))]
    assert [name for request in requests for name in ids(request)] == wanted
    for request in requests:
        assert named(request) == ids(request)
        assert len(request.body()) <= request.size <= max_bytes


@given(sizes, st.integers(600, 4000))
def test_full_requests_leave_no_room_for_the_next_part(
    found: list[list[int]], max_bytes: int
) -> None:
    parts = [part(n, one) for n, one in enumerate(found)]
    requests = pack(parts, DEFAULTS, max_bytes)
    for first, second in pairwise(requests):
        entry = Request(DEFAULTS, [second.parts[0]])
        assert first.size + len(entry.parts[0].body) + 1 > max_bytes


@given(sizes)
def test_halves_are_the_whole(found: list[list[int]]) -> None:
    request = Request(DEFAULTS, [p for n, one in enumerate(found) if (p := part(n, one)).rows])
    if len(request) < 2:
        return
    left, right = request.halves()
    assert ids(left) + ids(right) == ids(request)
    assert named(left) + named(right) == named(request)
    assert abs(len(left) - len(right)) <= 1


def big(key: str, mebibytes: float) -> Batch:
    return make_batch(cri(*["x" * 1000] * int(mebibytes * 1024)), key=key)


def test_an_origin_with_much_to_say_gets_requests_of_its_own() -> None:
    batches = [big("a", 0.3), make_batch(cri("b"), key="b"), make_batch(cri("c"), key="c")]
    requests = make_encoder().requests(batches, FIRST_NS)
    assert [[part.batch for part in request.parts] for request in requests] == [[0], [1, 2]]
    assert b'"resource"' in requests[0].body().partition(b'"entries"')[0]


def test_batches_of_one_origin_share_their_frame() -> None:
    batches = [make_batch(cri("a"), key="a"), make_batch(cri("b"), key="a", start=5000)]
    batches[1].labels = batches[0].labels
    (request,) = make_encoder().requests(batches, FIRST_NS)
    assert [entry["textPayload"] for entry in kept_entries(request)] == ["a", "b"]
    assert b'"resource"' in request.body().partition(b'"entries"')[0]


def test_a_batch_larger_than_a_request_is_divided() -> None:
    batch = big("a", 5)
    requests = make_encoder(max_request_bytes=2 << 20).requests([batch], FIRST_NS)
    assert len(requests) == 3
    assert all(len(request.body()) <= 2 << 20 for request in requests)
    assert [i for r in requests for i in ids(r)] == batch.ids()


def test_columns_are_given_back_once_the_bytes_are_there() -> None:
    batch = make_batch(cri("a"))
    make_encoder().requests([batch], FIRST_NS)
    assert batch._rows is None
