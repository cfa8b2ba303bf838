"""Which rows of a parcel are durable, refused, or come again; what a request looks like."""

from typing import Any

import grpc
import grpc.aio
import pyarrow as pa
import pytest
from logship_gcp.appeals import Appeals
from logship_gcp.bigquery.append import Appender
from logship_gcp.bigquery.arrow import SCHEMA, convert
from logship_gcp.bigquery.extract import Extractor
from logship_gcp.bigquery.parcels import Parcel
from logship_gcp.bigquery.writing import Failed, Writer

from logship.api import Refused
from logship.testing import START_NS, context, texts_batch
from tests.plugins.logship_gcp.bigquery.append_server import (
    REQUEST,
    TABLE,
    Server,
    aborting,
    refusing,
    running,
)


def parcel(texts: list[str]) -> Parcel:
    found = convert(texts_batch(texts), range(len(texts)), Extractor(), START_NS).taken[0]
    return Parcel(TABLE, found.columns, [(0, row) for row in found.rows])


def written(server: Server, texts: list[str]) -> Any:
    async def use(appender: Appender) -> Any:
        tested = context()
        try:
            return await Writer(appender, None, Appeals(tested)).write(parcel(texts))
        finally:
            tested.world.offload.close()

    return running(server, use)


def test_bad_rows_are_left_out_until_the_others_are_durable() -> None:
    """BigQuery says itself that its list of bad rows may not be complete."""
    server = Server(refusing(3, 1), refusing(3, 2, 0))
    found = written(server, ["a", "b", "c", "d", "e"])
    assert sorted((refused.row, refused.reason) for refused in found) == [
        (0, "row 0 is bad"), (1, "row 1 is bad"), (3, "row 2 is bad"),
    ]  # fmt: skip
    assert all(isinstance(refused, Refused) for refused in found)
    assert server.texts() == [["a", "b", "c", "d", "e"], ["a", "c", "d", "e"], ["c", "e"]]


def test_when_all_rows_are_bad_nothing_is_sent_again() -> None:
    server = Server(refusing(3, 0, 1))
    assert len(written(server, ["a", "b"])) == 2
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("RESOURCE_EXHAUSTED", "so it is"),
        ("PERMISSION_DENIED", "so it is; grant roles/bigquery.dataEditor"),
        ("NOT_FOUND", "so it is; create it, or set create: true"),
    ],
)
def test_what_concerns_no_row_comes_again_with_advice(code: str, advice: str) -> None:
    status = grpc.StatusCode[code]
    for server in (Server(refusing(status.value[0])), Server(aborting(status))):
        [failed] = written(server, ["a", "b"])
        assert isinstance(failed, Failed)
        assert failed.retry.reason.startswith(f"append to p.logs.app: {code}: {advice}")
        assert len(failed.parcel.rows) == 2


@pytest.mark.parametrize("rows", [(), (99,)])
def test_requests_that_are_all_refused_without_a_row_come_again_with_advice(
    rows: tuple[int, ...],
) -> None:
    server = Server(*[refusing(3, *rows)] * 100)
    found = written(server, list("abcdefghijklmnopqrstuvwxyz"))
    assert all(isinstance(failed, Failed) for failed in found)
    assert sum(len(failed.parcel.rows) for failed in found) == 26
    assert {failed.retry.reason for failed in found} == {
        "append to p.logs.app: INVALID_ARGUMENT: so it is; does the table have all columns that "
        "`create: true` makes?"
    }
    assert len(server.requests) < 30


def test_a_connection_that_ends_for_a_request_tells_nothing_of_its_rows() -> None:
    [failed] = written(Server(aborting(grpc.StatusCode.INVALID_ARGUMENT)), ["a", "b"])
    assert isinstance(failed, Failed)
    assert "does the table have all columns" in failed.retry.reason


def test_the_columns_of_a_request_are_those_of_the_table() -> None:
    server = Server()
    assert written(server, ["a"]) == []
    schema = server.requests[0].arrow_rows.writer_schema.serialized_schema
    assert pa.ipc.read_schema(pa.py_buffer(schema)) == SCHEMA


@pytest.mark.parametrize("size", [0, 1, 100, 127, 128, 16_000, 3_000_000])
def test_a_request_is_what_googles_class_reads(size: int) -> None:
    made = parcel(["x" * size])
    found = REQUEST.FromString(made.body())
    expected = REQUEST(write_stream=TABLE.stream, trace_id="logship")
    expected.arrow_rows.writer_schema.serialized_schema = SCHEMA.serialize().to_pybytes()
    expected.arrow_rows.rows.serialized_record_batch = made.columns.serialize().to_pybytes()
    assert found == expected
    assert 0 <= made.size() - len(made.body()) <= 256
