"""Application Default Credentials, kept fresh off the event loop.

`header()` gives the value for `Authorization`. The token is cached by google-auth and refreshed in
a thread, one refresh at a time. A token that is about to expire (google-auth calls it stale, 3:45
before its end) is refreshed by one caller while the others still use it, so nobody waits for it;
only a token that is invalid makes everybody wait. A refresh that fails is `Retry`: nothing is lost.

google-auth's own HTTP transports cost 20 MB (requests) or speak no TLS, so it gets one of a few
lines over urllib; certificates are always verified.
"""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Protocol

import google.auth
import google.auth.credentials
import google.auth.exceptions
import google.auth.transport

from logship.api import ConfigError, Retry, World

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_REFRESH_TIMEOUT_SECS = 30.0
_MAX_RESPONSE_BYTES = 1 << 20
_PAUSES_SECS = (1.0, 3.0)


class Authorization(Protocol):
    """What a transport needs to know of credentials."""

    async def header(self) -> str | None:
        """The value of the header, or None where none is sent. Raises Retry."""
        ...

    def reject(self, header: str | None) -> None:
        """The service did not accept it: get a new token before the next request."""
        ...


class Anonymous:
    """No credentials, for emulators on loopback."""

    async def header(self) -> str | None:
        return None

    def reject(self, header: str | None) -> None:
        return None


class Credentials(Protocol):
    """The part of google.auth.credentials.Credentials that is used here."""

    token: str | None

    @property
    def token_state(self) -> google.auth.credentials.TokenState: ...

    def refresh(self, request: google.auth.transport.Request) -> None: ...


class DefaultCredentials:
    """Whatever google-auth finds: Workload Identity, a key file, gcloud."""

    def __init__(self, world: World, credentials: Credentials | None = None) -> None:
        self._offload = world.offload
        self._clock = world.clock
        self._credentials = credentials
        self._refreshing = asyncio.Lock()
        self._rejected: str | None = None

    async def start(
        self, path: str = "credentials", pauses_secs: Sequence[float] = _PAUSES_SECS
    ) -> None:
        """Find the credentials. Raises ConfigError(`path`) where there are none.

        In the first seconds of a pod on GKE there seem to be none, so it looks more than once.
        """
        for pause_secs in (*pauses_secs, None):
            try:
                self._credentials = self._credentials or await self._offload.run(_find)
                return
            except google.auth.exceptions.GoogleAuthError as error:
                if pause_secs is None:
                    raise ConfigError(path, f"{_WHAT_TO_DO} ({_first_line(error)})") from error
            await self._clock.sleep(pause_secs)

    @property
    def found(self) -> Credentials | None:
        """What google-auth found."""
        return self._credentials

    async def header(self) -> str | None:
        credentials = self._credentials
        if credentials is None:
            raise RuntimeError("the credentials are not started")
        if self._must_wait(credentials):
            async with self._refreshing:
                if self._must_wait(credentials):
                    await self._refresh(credentials)
        elif _is_stale(credentials) and not self._refreshing.locked():
            await self._refresh_early(credentials)
        return f"Bearer {credentials.token}"

    def reject(self, header: str | None) -> None:
        if header and self._credentials and header == f"Bearer {self._credentials.token}":
            self._rejected = self._credentials.token

    def _must_wait(self, credentials: Credentials) -> bool:
        invalid = credentials.token_state is google.auth.credentials.TokenState.INVALID
        return invalid or credentials.token is None or credentials.token == self._rejected

    async def _refresh(self, credentials: Credentials) -> None:
        try:
            await self._offload.run(credentials.refresh, UrllibRequest())
        except google.auth.exceptions.GoogleAuthError as error:
            raise Retry(f"no token for Google Cloud: {_first_line(error)}") from error
        self._rejected = None

    async def _refresh_early(self, credentials: Credentials) -> None:
        async with self._refreshing:
            try:
                await self._refresh(credentials)
            except Retry:
                return  # the old token is good for minutes; then it is refreshed with a wait


_WHAT_TO_DO = (
    "there are no Google credentials here: on GKE give the agent's service account Workload "
    "Identity, elsewhere set GOOGLE_APPLICATION_CREDENTIALS to a key file, or run "
    "`gcloud auth application-default login`"
)


def _find() -> Credentials:
    credentials: Credentials
    credentials, _ = google.auth.default(scopes=SCOPES, request=UrllibRequest())
    return credentials


def _is_stale(credentials: Credentials) -> bool:
    return credentials.token_state is google.auth.credentials.TokenState.STALE


def _first_line(error: Exception) -> str:
    """google-auth puts whole responses into its errors; a token is never among the first words."""
    return str(error.args[0] if error.args else error).partition("\n")[0][:300]


def _transport_error(reason: str) -> Exception:
    error: Exception = google.auth.exceptions.TransportError(reason)  # type: ignore[no-untyped-call]
    return error


class UrllibRequest(google.auth.transport.Request):
    """google-auth's transport over the standard library. Blocks: for threads only."""

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **kwargs: object,
    ) -> "UrllibResponse":
        if not url.startswith(("https://", "http://")):
            raise _transport_error(f"not an address of HTTP: {url!r}")
        body = body.encode() if isinstance(body, str) else body
        request = urllib.request.Request(url, body, dict(headers or {}), method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(  # noqa: S310
                request, timeout=timeout or _REFRESH_TIMEOUT_SECS
            ) as answer:
                found = answer.read(_MAX_RESPONSE_BYTES)
                return UrllibResponse(answer.status, dict(answer.headers), found)
        except urllib.error.HTTPError as error:
            found = error.read(_MAX_RESPONSE_BYTES)
            return UrllibResponse(error.code, dict(error.headers), found)
        except (OSError, ValueError) as error:
            raise _transport_error(f"{url}: {error}") from error


class UrllibResponse(google.auth.transport.Response):
    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self._status = status
        self._headers = {name.lower(): value for name, value in headers.items()}
        self._data = data

    @property
    def status(self) -> int:
        return self._status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._headers

    @property
    def data(self) -> bytes:
        return self._data
