"""One gRPC channel to a Google service, and what its failures mean.

A channel of our own has no receive limit of 4 MB, keeps the connection alive, and carries bytes
that are already encoded. Loopback and `http://` endpoints (sandbox, emulator) are plain text
without credentials; everything else is TLS with Application Default Credentials, so that a token
never travels in clear. One event loop owns all channels (grpc/grpc#25364).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

import grpc
import grpc.aio

from logship.api import ConfigError, Offload, Retry
from logship_gcp.pubsub.wire import retry_delay_secs

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

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
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_LOOPBACK = ("localhost:", "127.", "[::1]:")
_PASSING = {
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


def open_channel(endpoint: Endpoint, credentials: "Credentials | None") -> grpc.aio.Channel:
    """Connects when it is first used. `credentials` are needed unless the endpoint is plain."""
    if endpoint.plain:
        return grpc.aio.insecure_channel(endpoint.target, options=OPTIONS)
    # Only here: google-auth costs memory that tests and the sandbox do not need.
    from google.auth.transport.grpc import AuthMetadataPlugin
    from google.auth.transport.requests import Request

    plugin: grpc.AuthMetadataPlugin = AuthMetadataPlugin(  # type: ignore[no-untyped-call]
        credentials, Request()
    )
    call = grpc.metadata_call_credentials(plugin)
    whole = grpc.composite_channel_credentials(grpc.ssl_channel_credentials(), call)
    return grpc.aio.secure_channel(endpoint.target, whole, options=OPTIONS)


async def find_credentials(
    offload: Offload, path: str, *, needs_project: bool
) -> "tuple[Credentials, str]":
    """(Application Default Credentials, their project or ""). Raises ConfigError at `path`."""
    import google.auth
    from google.auth.exceptions import GoogleAuthError

    try:
        found, project = await offload.run(google.auth.default, scopes=[SCOPE])
    except GoogleAuthError as error:
        raise ConfigError(path, f"no credentials: {error}") from error
    if needs_project and not project:
        raise ConfigError(f"{path}.project", "needed: the default credentials name no project")
    return found, project or ""


def routing(key: str, name: str) -> tuple[tuple[str, str]]:
    """The header by which Google's frontends route a call; generated clients add it by themselves.

    https://google.aip.dev/client-libraries/4222
    """
    return (("x-goog-request-params", f"{key}={quote(name, safe='')}"),)


def retry_of(error: grpc.aio.AioRpcError, doing: str, advice: str) -> Retry:
    """The call's failure as one that is tried again: `advice` where a person must act first."""
    code, details = error.code(), error.details() or ""
    trailing = cast("Iterable[tuple[str, str | bytes]]", error.trailing_metadata() or ())
    status = dict(trailing).get("grpc-status-details-bin")
    after = retry_delay_secs(status) if isinstance(status, bytes) else None
    reason = f"{doing}: {code.name}: {details}"
    return Retry(reason if code in _PASSING else f"{reason}; {advice}", after)
