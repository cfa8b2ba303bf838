"""Pub/Sub's Publish: records are counted by their attribute, blocks read by the code of the loader.

Both wait until the counts are asked for: the sink must not take the agent's core.
"""

from concurrent.futures import ThreadPoolExecutor
from operator import itemgetter
from typing import TYPE_CHECKING

import grpc
from logship_gcp import block_format

from bench.sink.counts import Counts

if TYPE_CHECKING:  # generic for the type checker alone
    Handler = grpc.RpcMethodHandler[bytes, bytes]
    _Generic = grpc.GenericRpcHandler[bytes, bytes]
else:
    Handler, _Generic = grpc.RpcMethodHandler, grpc.GenericRpcHandler

_PUBLISH = "/google.pubsub.v1.Publisher/Publish"
_INSERT_ID = b"\x0a\x09insert_id\x12\x30"
"""Of protobuf's wire format: the key, then the tag and length (48) of the value."""
_ID = itemgetter(slice(0, 48))
_OPTIONS = (("grpc.max_receive_message_length", 64 << 20), ("grpc.so_reuseport", 0))


class Pubsub:
    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._requests: list[bytes] = []
        self.packed_bytes = 0
        self.unpacked_bytes = 0

    def publish(self, body: bytes, context: grpc.ServicerContext) -> bytes:
        if block_format.MAGIC in body[:1024]:
            self._requests.append(body)
            return b""
        self._counts.later(body, self._count_records)
        return b""

    def _count_records(self, body: bytes) -> None:
        _, *found = body.split(_INSERT_ID)
        self._counts.ids(map(_ID, found), len(body), len(body))

    def as_dict(self) -> dict[str, int]:
        self._read_blocks()
        return {"packed_bytes": self.packed_bytes, "unpacked_bytes": self.unpacked_bytes}

    def _read_blocks(self) -> None:
        """Count the rows of all blocks that came."""
        from google.pubsub_v1.types import PublishRequest

        while self._requests:
            body = self._requests.pop()
            self._counts.ids((), 0, len(body))
            for message in PublishRequest.pb().FromString(body).messages:
                batch = block_format.decode(message.data)
                self.packed_bytes += len(message.data)
                self.unpacked_bytes += batch.size()
                self._counts.ids([one.encode() for one in batch.ids()], batch.size(), 0)


def serve(handlers: dict[str, Handler]) -> int:
    """Listen for these methods; the port."""
    server = grpc.server(ThreadPoolExecutor(8), options=_OPTIONS)
    server.add_generic_rpc_handlers((_Raw(handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    _servers.append(server)
    return port


_servers: list[grpc.Server] = []
"""A server ends when nobody knows it."""


class _Raw(_Generic):
    """Bytes in, bytes out."""

    def __init__(self, handlers: dict[str, Handler]) -> None:
        self._handlers = handlers

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        return self._handlers.get(handler_call_details.method)


def publish_handler(pubsub: Pubsub) -> dict[str, Handler]:
    return {_PUBLISH: grpc.unary_unary_rpc_method_handler(pubsub.publish)}
