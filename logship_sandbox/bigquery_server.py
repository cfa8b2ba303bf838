"""BigQuery on loopback: its REST API and its Storage Write API over one DuckDB.

What it answers is listed in the modules: bigquery_rest and bigquery_queries (REST), bigquery_sql
(queries), bigquery_write (appends). It checks no credentials, so it belongs on loopback only.
"""

from typing import cast

import grpc
from aiohttp import web
from google.protobuf.message import Message

from logship_sandbox import bigquery_protos as protos
from logship_sandbox.bigquery_jobs import Jobs
from logship_sandbox.bigquery_json import MAX_BODY_BYTES, google_errors
from logship_sandbox.bigquery_queries import QueryApi
from logship_sandbox.bigquery_rest import TableApi
from logship_sandbox.bigquery_service import Service
from logship_sandbox.bigquery_trouble import Trouble, Verdicts
from logship_sandbox.bigquery_write import Sized, WriteApi

_BASE = "/bigquery/v2/projects/{project}"
_WRITE = "google.cloud.bigquery.storage.v1.BigQueryWrite"
_CLOSE_SECS = 1.0
# Above the API's own limit, so that the client gets our error and not gRPC's.
_MAX_MESSAGE_BYTES = 64 << 20
_GRPC_OPTIONS = [
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),  # a taken port is an error, not shared
]


class BigQueryServer:
    """A running BigQuery; `close` it."""

    def __init__(
        self, service: Service, jobs: Jobs, runner: web.AppRunner, server: grpc.aio.Server
    ) -> None:
        self.http_port = 0
        self.grpc_port = 0
        self._service = service
        self._jobs = jobs
        self._runner = runner
        self._server = server

    async def listen(self, host: str, http_port: int, grpc_port: int) -> None:
        """Take the ports; OSError names the one that is taken."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, http_port)
        await site.start()
        self.http_port = int(self._runner.addresses[0][1])
        try:
            self.grpc_port = self._server.add_insecure_port(f"{host}:{grpc_port}")
        except RuntimeError as error:
            raise OSError(f"cannot listen on {host}:{grpc_port}: {error}") from None
        await self._server.start()

    async def close(self) -> None:
        """End every call, wait for the statements that run, close the database."""
        await self._server.stop(_CLOSE_SECS)
        await self._runner.cleanup()
        await self._jobs.close()
        self._service.close()


async def start(
    host: str,
    http_port: int,
    grpc_port: int,
    data_dir: str | None,
    faults: Verdicts | None = None,
) -> BigQueryServer:
    """Serve on `host`; a port of 0 takes a free one; without `data_dir` tables live in memory."""
    service = Service(data_dir)
    jobs = Jobs(service)
    trouble = Trouble(faults)
    app = web.Application(
        middlewares=[google_errors, trouble.middleware], client_max_size=MAX_BODY_BYTES
    )
    app.add_routes(TableApi(service, trouble).routes(_BASE))
    app.add_routes(QueryApi(service, jobs, trouble).routes(_BASE))
    # handler_cancellation: a client that goes away ends the handler that a fault keeps hanging.
    runner = web.AppRunner(
        app, handler_cancellation=True, access_log=None, shutdown_timeout=_CLOSE_SECS
    )
    server = grpc.aio.server(options=_GRPC_OPTIONS)
    server.add_generic_rpc_handlers((_handlers(WriteApi(service, trouble)),))
    running = BigQueryServer(service, jobs, runner, server)
    try:
        await running.listen(host, http_port, grpc_port)
    except BaseException:
        await running.close()
        raise
    return running


def _handlers(api: WriteApi) -> "grpc.GenericRpcHandler[object, Message]":
    handlers = {
        "AppendRows": grpc.stream_stream_rpc_method_handler(
            api.append_rows, request_deserializer=_sized, response_serializer=_serialized
        ),
        "GetWriteStream": _unary(api.get, protos.GET_REQUEST),
        "CreateWriteStream": _unary(api.create, protos.CREATE_REQUEST),
        "FinalizeWriteStream": _unary(api.finalize, protos.FINALIZE_REQUEST),
    }
    return grpc.method_handlers_generic_handler(_WRITE, handlers)


def _unary(call: object, request: protos.UpbClass) -> "grpc.RpcMethodHandler[object, Message]":
    return grpc.unary_unary_rpc_method_handler(
        call,  # type: ignore[arg-type]  # the stubs know the synchronous server only
        request_deserializer=request.FromString,
        response_serializer=_serialized,
    )


def _sized(raw: bytes) -> Sized:
    return cast(protos.AppendRequest, protos.APPEND_REQUEST.FromString(raw)), len(raw)


def _serialized(message: Message) -> bytes:
    return message.SerializeToString()
