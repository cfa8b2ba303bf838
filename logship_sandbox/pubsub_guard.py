"""Around every Pub/Sub call: counts, faults, and errors as gRPC statuses.

The raw message classes are the (de)serializers, so that a call costs what it costs to parse.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn, Protocol, TypeAlias, TypeVar

import grpc
from google.protobuf import empty_pb2

from logship_sandbox.faults import Action, Counts, Faults, Verdict
from logship_sandbox.pubsub_messages import PubsubError
from logship_sandbox.retry_info import RetryMetadata, retry_info

_CODES = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}


class _Sized(Protocol):
    def ByteSize(self) -> int: ...


class Context(Protocol):
    """A grpc.aio.ServicerContext, as far as it is used here."""

    async def abort(
        self, code: grpc.StatusCode, details: str, trailing_metadata: RetryMetadata = ()
    ) -> NoReturn: ...
    async def write(self, message: object) -> None: ...
    def time_remaining(self) -> float | None: ...


class MessageType(Protocol):
    """A message class of google.pubsub_v1.types."""

    def pb(self) -> "RawType": ...


class RawType(Protocol):
    """The generated class that a message class wraps."""

    def FromString(self, raw: bytes) -> object: ...
    def SerializeToString(self, message: object) -> bytes: ...


Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # gRPC's own tables want Any

_Request = TypeVar("_Request", bound=_Sized)


class Guard:
    """Makes gRPC handlers of plain calls."""

    def __init__(self, faults: Faults, counts: Counts) -> None:
        self._faults = faults
        self._counts = counts
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End the calls that a fault keeps hanging."""
        self._closing.set()

    def need(self, permission: str) -> None:
        """PERMISSION_DENIED where a fault says that callers lack it; as Google words it."""
        if self._faults.current("pubsub").denies(permission):
            raise PubsubError(
                grpc.StatusCode.PERMISSION_DENIED,
                "User not authorized to perform this action.",
            )

    def unary(
        self,
        call: Callable[[_Request], Awaitable[object]],
        request: MessageType,
        response: MessageType | None,
    ) -> Handler:
        """A call with one request and one response; None is google.protobuf.Empty."""

        async def impatient(message: _Request, client_secs: float | None) -> object:
            return await call(message)

        return self.waiting(impatient, request, response)

    def waiting(
        self,
        call: Callable[[_Request, float | None], Awaitable[object]],
        request: MessageType,
        response: MessageType | None,
    ) -> Handler:
        """The same for a call that may wait: it is told how many seconds its client gives it."""

        async def handler(message: _Request, context: Context) -> object:
            self._counts.bytes += message.ByteSize()
            try:
                verdict = await self._admit()
                result = await call(message, context.time_remaining())
                if verdict.action is Action.LOSE:
                    raise self._broken(verdict)
            except PubsubError as error:
                await self._abort(context, error)
            return empty_pb2.Empty() if response is None else result

        raw = empty_pb2.Empty if response is None else response.pb()
        return grpc.unary_unary_rpc_method_handler(
            handler,
            request_deserializer=request.pb().FromString,
            response_serializer=raw.SerializeToString,
        )

    def stream(
        self,
        call: Callable[[AsyncIterator[_Request], Context], Awaitable[None]],
        request: MessageType,
        response: MessageType,
    ) -> Handler:
        """A call with a stream each way; a fault decides when it opens."""

        async def handler(requests: AsyncIterator[_Request], context: Context) -> None:
            try:
                verdict = await self._admit()
                if verdict.action is Action.LOSE:
                    raise self._broken(verdict)
                await call(requests, context)
            except PubsubError as error:
                await self._abort(context, error)

        return grpc.stream_stream_rpc_method_handler(
            handler,
            request_deserializer=request.pb().FromString,
            response_serializer=response.pb().SerializeToString,
        )

    async def _admit(self) -> Verdict:
        """Count a call and let it in, late or not at all."""
        self._counts.requests += 1
        verdict = self._faults.next("pubsub")
        if verdict.delay_secs:
            await asyncio.sleep(verdict.delay_secs)
        if verdict.action is Action.FAIL:
            code = _CODES[verdict.code]
            raise PubsubError(code, "a fault on request", verdict.retry_after_secs)
        if verdict.action is Action.DROP:
            raise self._broken(verdict)
        if verdict.action is Action.HANG:
            self._counts.errors[verdict.action.value] += 1
            await self._closing.wait()
            raise PubsubError(grpc.StatusCode.UNAVAILABLE, "the sandbox is closing")
        return verdict

    def _broken(self, verdict: Verdict) -> PubsubError:
        """What a client sees when its connection breaks; the real one is shared by all its calls,
        so it is left alone."""
        self._counts.errors[verdict.action.value] += 1
        return PubsubError(grpc.StatusCode.UNAVAILABLE, "Socket closed")

    async def _abort(self, context: Context, error: PubsubError) -> NoReturn:
        self._counts.errors[error.code.name] += 1
        metadata = retry_info(error.code, error.message, error.retry_after_secs)
        await context.abort(error.code, error.message, metadata)
