"""An API server for pods on loopback: TLS, tokens, lists, and watches that a test conducts.

Behaves as the real one was recorded to: a list with its resourceVersion, a watch as chunked JSON
lines that stays open, bookmarks, 410 as a status and as an event. A test puts special answers in
front (`answers`), and pieces of the running watch into `stream`.
"""

import asyncio
import datetime
import ipaddress
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class End(Enum):
    CLEAN = "the server ends the watch"
    DROP = "the connection is lost"


def pod(name: str, uid: str, **metadata: object) -> dict[str, object]:
    """As PartialObjectMetadata, with some of what nobody needs."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {
            "namespace": "shop", "name": name, "uid": uid, "resourceVersion": "7",
            "creationTimestamp": "2026-11-23T04:46:31Z", "managedFields": [{"manager": "kubelet"}],
            **metadata,
        },
    }  # fmt: skip


def event(kind: str, thing: dict[str, object]) -> bytes:
    return json.dumps({"type": kind, "object": thing}).encode() + b"\n"


def bookmark(version: str) -> bytes:
    return event("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": version}})


def gone_event() -> bytes:
    return event("ERROR", {"kind": "Status", "code": 410, "message": "too old resource version"})


def answer(status: int, body: bytes = b"{}") -> Answer:
    async def answering(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body)

    return answering


async def drop(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def never(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(3600)
    return web.Response()


class ApiStub:
    def __init__(self) -> None:
        self.url = ""
        self.token = "first"
        self.pods: list[dict[str, object]] = []
        self.version = "1000"
        self.requests: list[web.Request] = []
        self.answers: deque[Answer] = deque()
        self.stream: asyncio.Queue[bytes | End] = asyncio.Queue()
        self.namespaces: list[dict[str, object]] = []
        self.namespace_stream: asyncio.Queue[bytes | End] = asyncio.Queue()
        self.of_namespaces: Answer | None = None

    @property
    def lists(self) -> list[web.Request]:
        return [request for request in self.requests if "watch" not in request.query]

    @property
    def watches(self) -> list[web.Request]:
        return [request for request in self.requests if "watch" in request.query]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"kind": "Status", "code": 401}, status=401)
        if self.answers:
            return await self.answers.popleft()(request)
        return await self._answered(request, self.pods, self.stream)

    async def handle_namespaces(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if self.of_namespaces is not None:
            return await self.of_namespaces(request)
        return await self._answered(request, self.namespaces, self.namespace_stream)

    async def _answered(
        self,
        request: web.Request,
        items: list[dict[str, object]],
        stream: "asyncio.Queue[bytes | End]",
    ) -> web.StreamResponse:
        if "watch" in request.query:
            return await self._watch(request, stream)
        body = {"metadata": {"resourceVersion": self.version}, "items": items}
        return web.json_response(body)

    async def _watch(
        self, request: web.Request, stream: "asyncio.Queue[bytes | End]"
    ) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            piece = await stream.get()
            if piece is End.CLEAN:
                return response
            if piece is End.DROP:
                assert request.transport is not None
                request.transport.abort()
                return response
            await response.write(piece)


@asynccontextmanager
async def serving(directory: Path) -> AsyncIterator[ApiStub]:
    """Writes `ca.crt` and `token` into the directory."""
    stub = ApiStub()
    (directory / "token").write_text(f"{stub.token}\n")
    app = web.Application()
    app.router.add_get("/api/v1/pods", stub.handle)
    app.router.add_get("/api/v1/namespaces", stub.handle_namespaces)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certified(directory))
    await site.start()
    stub.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield stub
    finally:
        await runner.cleanup()


def certified(directory: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "logship test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (directory / "ca.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(directory / "ca.crt", directory / "key.pem")
    return context
