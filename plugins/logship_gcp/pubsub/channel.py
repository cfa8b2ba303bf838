"""One gRPC channel to a Google service, and what its failures mean.

A channel of our own has no receive limit of 4 MB, keeps the connection alive, and carries bytes
that are already encoded. Loopback and `http://` endpoints (sandbox, emulator) are plain text
without credentials; everything else is TLS with Application Default Credentials, so that a token
never travels in clear. One event loop owns all channels (grpc/grpc#25364).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote

import google.auth
import google.auth.exceptions
import grpc
import grpc.aio

from logship.api import ConfigError, Retry, World
from logship_gcp.auth import Anonymous, Authorization, DefaultCredentials, UrllibRequest
from logship_gcp.pubsub.wire import retry_delay_secs

OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Pings without calls in flight are answered with GOAWAY by Google's servers.
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 30_000),
    ("grpc.primary_user_agent", "logship"),
)
_LOOPBACK = ("localhost:", "127.", "[::1]:")
PASSING = {
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service is, and whether it is reached without TLS."""

    target: str
    """`host:port`, or whatever else gRPC takes."""
    plain: bool

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """`host`, `host:port`, with or without `https://` or `http://`."""
        scheme, separator, rest = text.rpartition("://")
        target = rest.rstrip("/")
        plain = scheme == "http" or (not separator and target.startswith(_LOOPBACK))
        if not target.rpartition(":")[2].isdigit():
            target += ":80" if plain else ":443"
        return cls(target, plain)


class Link:
    """A channel, and what every call over it must carry. It connects when it is first used."""

    def __init__(self, channel: grpc.aio.Channel, auth: Authorization) -> None:
        self.channel = channel
        self._auth = auth
        self._header: str | None = None

    @classmethod
    async def open(cls, endpoint: Endpoint, world: World, path: str) -> "Link":
        """Raises ConfigError at `path` where there are no credentials."""
        if endpoint.plain:
            return cls.over(endpoint, Anonymous())
        auth = DefaultCredentials(world)
        await auth.start(path)
        return cls.over(endpoint, auth)

    @classmethod
    def over(cls, endpoint: Endpoint, auth: Authorization) -> "Link":
        if endpoint.plain:
            return cls(grpc.aio.insecure_channel(endpoint.target, options=OPTIONS), auth)
        tls = grpc.ssl_channel_credentials()
        return cls(grpc.aio.secure_channel(endpoint.target, tls, options=OPTIONS), auth)

    async def metadata(self, key: str, name: str) -> tuple[tuple[str, str], ...]:
        """The header by which Google's frontends route a call, and the token. Raises Retry.

        Generated clients add the first by themselves: https://google.aip.dev/client-libraries/4222
        """
        route = ("x-goog-request-params", f"{key}={quote(name, safe='')}")
        self._header = await self._auth.header()
        return (route,) if self._header is None else (route, ("authorization", self._header))

    def failed(self, error: grpc.aio.AioRpcError) -> None:
        """A token that was not accepted is not used again."""
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            self._auth.reject(self._header)

    async def close(self) -> None:
        await self.channel.close(None)


async def default_project(world: World, path: str) -> str:
    """The project of the default credentials. Raises ConfigError at `path`.project."""
    try:
        _, project = await world.offload.run(google.auth.default, request=UrllibRequest())
    except google.auth.exceptions.GoogleAuthError as error:
        raise ConfigError(path, f"no credentials: {error}") from error
    if not project:
        raise ConfigError(f"{path}.project", "needed: the default credentials name no project")
    return project


def retry_of(error: grpc.aio.AioRpcError, doing: str, advice: str) -> Retry:
    """The call's failure as one that is tried again: `advice` where a person must act first."""
    code, details = error.code(), error.details() or ""
    trailing = cast("Iterable[tuple[str, str | bytes]]", error.trailing_metadata() or ())
    status = dict(trailing).get("grpc-status-details-bin")
    after = retry_delay_secs(status) if isinstance(status, bytes) else None
    reason = f"{doing}: {code.name}: {details}"
    told = reason if code in PASSING else f"{reason}; {advice}"
    return Retry(told, after, throttled=code is grpc.StatusCode.RESOURCE_EXHAUSTED)
