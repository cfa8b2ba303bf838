"""AppendRows where the sandbox is stricter than other emulators: limits, types, streams."""

import threading

import pyarrow as pa
import pytest
from google.api_core.exceptions import InvalidArgument, NotFound
from google.cloud import bigquery as gbq
from google.cloud.bigquery_storage_v1 import types
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logship_sandbox.bigquery_connection import MAX_REQUEST_BYTES
from tests.sandbox.bigquery_harness import (
    BASE_TIME,
    UTC_MICROS,
    Warehouse,
    log_batch,
    request,
)

INVALID_ARGUMENT = 3


def request_of(bq: Warehouse, size: int) -> types.AppendRowsRequest:
    """A request of exactly `size` bytes on the wire."""
    trial = request(bq.stream("logs"), log_batch(1, message=["x"]))
    text = "x" * (size - types.AppendRowsRequest.pb(trial).ByteSize() - 200)
    made = request(bq.stream("logs"), log_batch(1, message=[text]))
    missing = size - types.AppendRowsRequest.pb(made).ByteSize()
    made.trace_id = "t" * (missing - 2 - (missing > 129))
    assert types.AppendRowsRequest.pb(made).ByteSize() == size
    return made


def test_a_request_of_ten_million_bytes_is_too_large(bigquery: Warehouse) -> None:
    bigquery.create_log_table()
    at_limit, below = (request_of(bigquery, MAX_REQUEST_BYTES - n) for n in (0, 1))
    first, second = bigquery.append(at_limit, below)
    assert (first.error.code, second.error.code) == (INVALID_ARGUMENT, 0)
    assert "too large" in first.error.message
    assert bigquery.count("logs") == 1


def test_every_bad_row_is_named_once(bigquery: Warehouse) -> None:
    bigquery.create_log_table()
    times = pa.array([BASE_TIME, None, BASE_TIME, None], UTC_MICROS)
    batch = log_batch(
        4, timestamp=times, event_time=pa.array([0, 2**60, 2**60, 0]).cast(UTC_MICROS)
    )
    response = bigquery.append_batch("logs", batch)
    assert [e.index for e in response.row_errors] == [1, 2, 3]
    assert "event_time" in response.row_errors[1].message


@pytest.mark.parametrize(
    ("column", "named"),
    [
        ({"timestamp": pa.array([1], pa.timestamp("us"))}, "timestamp[us, tz=UTC]"),
        ({"timestamp": pa.array([1], pa.timestamp("ns", "UTC"))}, "timestamp[us, tz=UTC]"),
        ({"nanos": ["x"]}, "int64"),
        ({"message": pa.array([1])}, "string"),
    ],
)
def test_a_type_that_does_not_fit_is_refused_with_the_one_that_does(
    bigquery: Warehouse, column: dict[str, object], named: str
) -> None:
    bigquery.create_log_table()
    response = bigquery.append_batch("logs", log_batch(1, **column))
    assert response.error.code == INVALID_ARGUMENT
    assert named in response.error.message
    assert bigquery.count("logs") == 0


def test_extra_columns_are_told_apart_by_a_storage_error(bigquery: Warehouse) -> None:
    bigquery.create_log_table()
    error = bigquery.append_batch("logs", log_batch(1, team=["red"])).error
    detail = types.StorageError.pb()()
    assert error.details[0].Unpack(detail)
    code = types.StorageError.StorageErrorCode.SCHEMA_MISMATCH_EXTRA_FIELDS
    assert detail.code == code
    assert "team" in error.message


def test_bad_utf8_is_refused(bigquery: Warehouse) -> None:
    bigquery.create_log_table()
    raw = pa.array([b"\xff\xfe"]).view(pa.string())
    response = bigquery.append_batch("logs", log_batch(1, message=raw))
    assert response.error.code == INVALID_ARGUMENT
    assert bigquery.count("logs") == 0


def test_offsets_that_run_backwards_are_refused(bigquery: Warehouse) -> None:
    bigquery.create_log_table()
    offsets = pa.array([0, 3, 1], pa.int32()).buffers()[1]
    assert offsets is not None
    texts = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"abc"))
    response = bigquery.append_batch("logs", log_batch(2, message=texts))
    assert "invalid" in response.error.message
    assert bigquery.count("logs") == 0


def test_a_batch_that_is_not_arrow_is_refused(bigquery: Warehouse) -> None:
    bigquery.create_log_table()
    broken = request(bigquery.stream("logs"), log_batch(1))
    broken.arrow_rows.rows.serialized_record_batch = b"\x00" * 64
    good = request(bigquery.stream("logs"), log_batch(1))
    assert [r.error.code for r in bigquery.append(broken, good)] == [INVALID_ARGUMENT, 0]


def test_the_first_request_must_name_its_stream(bigquery: Warehouse) -> None:
    with pytest.raises(InvalidArgument, match="write_stream is missing"):
        bigquery.append(request("", log_batch(1)))


def test_a_stream_name_that_is_none_is_refused(bigquery: Warehouse) -> None:
    with pytest.raises(InvalidArgument, match="Invalid stream name"):
        bigquery.append(request("projects/p/datasets/d/tables/t", log_batch(1)))


def test_another_stream_needs_its_schema_again(bigquery: Warehouse) -> None:
    bigquery.create_log_table("a")
    bigquery.create_log_table("b")
    a, b = bigquery.stream("a"), bigquery.stream("b")
    responses = bigquery.append(
        request(a, log_batch(1)), request(b, log_batch(1), schema=False), request(b, log_batch(1))
    )
    assert [r.error.code for r in responses] == [0, INVALID_ARGUMENT, 0]
    assert "writer_schema is missing" in responses[1].error.message


def test_an_offset_on_the_default_stream_is_refused(bigquery: Warehouse) -> None:
    bigquery.create_log_table()
    (response,) = bigquery.append(request(bigquery.stream("logs"), log_batch(1), offset=0))
    assert response.error.code == INVALID_ARGUMENT


def test_a_finalized_or_unknown_stream_takes_no_rows(bigquery: Warehouse) -> None:
    bigquery.create_log_table()
    parent = bigquery.stream("logs").removesuffix("/streams/_default")
    wanted = types.WriteStream(type_=types.WriteStream.Type.COMMITTED)
    stream = bigquery.write.create_write_stream(parent=parent, write_stream=wanted).name
    bigquery.append(request(stream, log_batch(3)))
    assert bigquery.write.finalize_write_stream(name=stream).row_count == 3
    (response,) = bigquery.append(request(stream, log_batch(1)))
    assert response.error.code == INVALID_ARGUMENT
    with pytest.raises(NotFound):
        bigquery.append(request(f"{parent}/streams/nothing", log_batch(1)))


def test_connections_append_side_by_side(bigquery: Warehouse) -> None:
    bigquery.create_log_table()
    stream = bigquery.stream("logs")
    codes: list[int] = []

    def write() -> None:
        responses = bigquery.append(*[request(stream, log_batch(50)) for _ in range(10)])
        codes.extend(r.error.code for r in responses)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert codes == [0] * 40
    assert bigquery.count("logs") == 2000


def test_columns_are_added_while_rows_arrive(bigquery: Warehouse) -> None:
    table = bigquery.create_log_table()
    stream = bigquery.stream("logs")
    codes: list[int] = []

    def write() -> None:
        responses = bigquery.append(*[request(stream, log_batch(20)) for _ in range(60)])
        codes.extend(r.error.code for r in responses)

    writer = threading.Thread(target=write)
    writer.start()
    for i in range(5):
        table = bigquery.rest.get_table(table)
        table.schema = [*table.schema, gbq.SchemaField(f"extra_{i}", "STRING")]
        bigquery.rest.update_table(table, ["schema"])
    writer.join(30)
    assert codes == [0] * 60
    assert bigquery.count("logs") == 1200


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MICROS = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(MICROS, TEXTS | st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=5))
def test_any_rows_come_back_equal(
    bigquery: Warehouse, rows: list[tuple[int, str | None, int]]
) -> None:
    bigquery.create_log_table(name := f"t{len(list(bigquery.rest.list_tables(bigquery.dataset)))}")
    times, texts, numbers = ([row[i] for row in rows] for i in range(3))
    columns = {
        "timestamp": pa.array(times, pa.int64()).cast(UTC_MICROS),
        "message": pa.array(texts, pa.string()),
        "nanos": pa.array(numbers, pa.int64()),
    }
    assert not bigquery.append_batch(name, pa.record_batch(columns)).error.code
    back = bigquery.rows(f"SELECT UNIX_MICROS(timestamp), message, nanos FROM DS.{name}")
    assert back == rows
