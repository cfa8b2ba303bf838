"""The cluster's API server over HTTP: a list, and a watch, of one kind of object.

Token and certificates are read for every session, since both rotate. Whatever aiohttp says of a
connection comes out as OSError; an answer that is no success as Failed, or Gone. Redirects are not
followed: they would carry the token elsewhere.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from logship.api import Context

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

MAX_LIST_BYTES = 64 * 1024 * 1024
MAX_TOKEN_BYTES = 64 * 1024
MAX_AFTER_SECS = 300.0
_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
_WATCH = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
_OF_THE_MOMENT = frozenset({401, 403, 408, 429})


@dataclass(frozen=True, slots=True)
class Account:
    """Whom to ask, and as whom."""

    server: str
    token_path: str
    ca_path: str


@dataclass(frozen=True, slots=True)
class Resource:
    """What is asked for."""

    name: str
    """As in the path of the API: `pods`."""
    selector: str = ""
    """A field selector: only these."""


class Failed(Exception):
    """It did not work, and somebody may have to do something; the reason."""

    def __init__(self, reason: str, after: float = 0.0, *, lasting: bool = False) -> None:
        """`after`: the server asks to wait so many seconds. `lasting`: it refused the request as
        such, so the same one need not be tried again."""
        super().__init__(reason)
        self.after, self.lasting = after, lasting


class Gone(Exception):
    """The version to watch from is too old: nobody's fault."""


class Session(Protocol):
    """One connection or a few, as one token."""

    async def list(self, resource: Resource) -> bytes:
        """All of it, from the server's memory. Raises Failed, Gone, OSError."""
        ...

    def watch(
        self, resource: Resource, version: str
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """What happens after this version. Raises Failed, Gone, OSError."""
        ...


class Server(Protocol):
    def session(self) -> AbstractAsyncContextManager[Session]: ...


class ApiServer:
    def __init__(self, account: Account, context: Context) -> None:
        self._account = account
        self._context = context

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Raises OSError, ValueError where token or certificates cannot be read."""
        import aiohttp

        world = self._context.world
        token = world.disk.read_text(self._account.token_path, MAX_TOKEN_BYTES).strip()
        tls = await world.offload.run(ssl.create_default_context, cafile=self._account.ca_path)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, limit=2),
            headers={"Authorization": f"Bearer {token}", "User-Agent": "logship"},
            timeout=aiohttp.ClientTimeout(total=None),  # whoever asks has a timeout of its own
        ) as http:
            yield HttpSession(http, self._account.server)


class HttpSession:
    def __init__(self, http: "ClientSession", server: str) -> None:
        self._http, self._server = http, server

    async def list(self, resource: Resource) -> bytes:
        # `resourceVersion=0`: from memory, 1.5 ms, and without paging, which would ask etcd
        async with self._get(resource, {"resourceVersion": "0"}, _LIST) as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MAX_LIST_BYTES:
                    raise Failed(f"the list of {resource.name} has over {MAX_LIST_BYTES} bytes")
        return bytes(body)

    @asynccontextmanager
    async def watch(self, resource: Resource, version: str) -> AsyncIterator[AsyncIterator[bytes]]:
        query = {"watch": "1", "allowWatchBookmarks": "true", "resourceVersion": version}
        async with self._get(resource, query, _WATCH) as response:
            yield response.content.iter_any()

    @asynccontextmanager
    async def _get(
        self, resource: Resource, query: dict[str, str], accept: str
    ) -> AsyncIterator["ClientResponse"]:
        import aiohttp

        selector = {"fieldSelector": resource.selector} if resource.selector else {}
        try:
            async with self._http.get(
                f"{self._server}/api/v1/{resource.name}",
                params={**selector, **query},
                headers={"Accept": accept},
                allow_redirects=False,
            ) as response:
                await _check(response, resource)
                yield response
        except aiohttp.ClientError as error:
            raise ConnectionError(str(error) or type(error).__name__) from error


async def _check(response: "ClientResponse", resource: Resource) -> None:
    """Raises Gone, Failed."""
    status = response.status
    if status == 200:
        return
    if status == 410:
        raise Gone
    said = (await response.content.read(1000)).decode(errors="replace")
    advice = {
        401: "the token of the service account is not accepted",
        403: f"the service account needs get, list and watch on {resource.name} "
        "(ClusterRole of the DaemonSet)",
    }.get(status, said)
    lasting = 400 <= status < 500 and status not in _OF_THE_MOMENT
    after = retry_after(response.headers.get("Retry-After", ""))
    raise Failed(f"the API server answers {status}: {advice}", after, lasting=lasting)


def retry_after(value: str) -> float:
    """Seconds; 0 where the header says none. A date is not what an API server sends."""
    return min(float(value), MAX_AFTER_SECS) if value.isascii() and value.isdecimal() else 0.0
