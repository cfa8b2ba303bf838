"""BigQuery's AppendRows: takes the Arrow column of ids out of each request and forgets the rest."""

from collections.abc import Iterator
from typing import Any

import grpc
import pyarrow as pa
from google.cloud.bigquery_storage_v1 import types

from bench.sink.counts import Counts
from bench.sink.pubsub import Handler

_APPEND = "/google.cloud.bigquery.storage.v1.BigQueryWrite/AppendRows"
_REQUEST: Any = types.AppendRowsRequest.pb()  # made at run time by protobuf: without types


class BigQuery:
    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def append(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        """An empty answer says that all rows are written."""
        schema = pa.schema([])
        for body in requests:
            request = _REQUEST.FromString(body)
            arrow = request.arrow_rows
            if arrow.writer_schema.serialized_schema:
                schema = pa.ipc.read_schema(pa.py_buffer(arrow.writer_schema.serialized_schema))
            batch = pa.ipc.read_record_batch(
                pa.py_buffer(arrow.rows.serialized_record_batch), schema
            )
            ids = batch.column("insert_id").to_pylist()
            self._counts.ids([str(one).encode() for one in ids], batch.nbytes, len(body))
            yield b""


def append_handler(bigquery: BigQuery) -> dict[str, Handler]:
    return {_APPEND: grpc.stream_stream_rpc_method_handler(bigquery.append)}
