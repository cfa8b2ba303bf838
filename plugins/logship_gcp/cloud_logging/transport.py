"""One HTTP exchange with Cloud Logging. Every failure to get an answer is a `Later`.

Import this module when a sink starts: aiohttp takes 20 MB. Answers are read up to 4 MiB (a partial
error may name every entry).
"""

import asyncio
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from isal import igzip

from logship.api import Offload, Retry
from logship_gcp.auth import Authorization
from logship_gcp.cloud_logging.responses import Answer, Later, retry_after

MAX_ANSWER_BYTES = 4 << 20
_CONNECT_SECS = 10.0
_GZIP_LEVEL = 1
_SMALL_BYTES = 64 * 1024
"""Of the body: pieces of this size go out as they are, smaller ones are copied together."""
_JOINED_BYTES = 256 * 1024


class Transport:
    """Sends bodies to one call, at most `concurrency` at once."""

    def __init__(
        self,
        endpoint: str,
        authorization: Authorization,
        offload: Offload,
        *,
        timeout_secs: float,
        concurrency: int,
        gzip: bool,
        call: str = "entries:write",
    ) -> None:
        self._url = f"{endpoint.rstrip('/')}/v2/{call}"
        self._host = urlsplit(endpoint).netloc
        self._authorization = authorization
        self._offload = offload
        self._timeout_secs = timeout_secs
        self._concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        self._gzip = gzip
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._concurrency, keepalive_timeout=60),
            timeout=aiohttp.ClientTimeout(total=self._timeout_secs, sock_connect=_CONNECT_SECS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            headers={"User-Agent": "logship", "Content-Type": "application/json"},
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(self, body: Sequence[bytes]) -> Answer | Later:
        """The answer, or why there is none. The body is all pieces, one after the other."""
        async with self._slots:
            try:
                token = await self._authorization.header()
            except Retry as retry:
                return Later(retry.reason, retry.after)
            headers = {"Authorization": token} if token else {}
            if self._gzip:
                body = [await self._offload.run(_compressed, body)]
                headers["Content-Encoding"] = "gzip"
            answer = await self._exchange(body, headers)
            if isinstance(answer, Answer) and answer.status == 401:
                self._authorization.reject(token)
            return answer

    async def _exchange(self, body: Sequence[bytes], headers: dict[str, str]) -> Answer | Later:
        if self._session is None:
            raise RuntimeError("the transport is not started")
        try:
            async with self._session.post(
                self._url, data=_Body(body), headers=headers, allow_redirects=False
            ) as response:
                content = await _read(response.content)
                after = retry_after(response.headers.get("Retry-After", ""))
                return Answer(response.status, content, after)
        except TimeoutError:
            return Later(f"{self._host} did not answer in {self._timeout_secs:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Later(f"{self._host} cannot be reached: {_why(error)}")


def _why(error: Exception) -> str:
    """aiohttp says `ssl:default` of every address that it cannot connect to, also of http://."""
    if isinstance(error, aiohttp.ClientConnectorError) and not isinstance(
        error, aiohttp.ClientSSLError
    ):
        return str(error.os_error) or type(error).__name__
    return f"{type(error).__name__}: {error}"


class _Body(aiohttp.Payload):
    """Pieces that are sent one by one: aiohttp would copy them together, with its headers."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        super().__init__(pieces, content_type="application/json")
        self._size = sum(map(len, pieces))

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return b"".join(self._value).decode(encoding, errors)

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """`content_length` is that of the pieces: nobody else sets the header."""
        if sum(map(len, self._value)) <= _JOINED_BYTES:
            await writer.write(b"".join(self._value))
            return
        for piece in joined(self._value):
            await writer.write(piece)

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)


def joined(pieces: Sequence[bytes]) -> Iterator[bytes]:
    """The same bytes, the small pieces together: each is a call of the kernel."""
    small: list[bytes] = []
    size = 0
    for piece in pieces:
        if len(piece) < _SMALL_BYTES:
            small.append(piece)
            size += len(piece)
            if size < _JOINED_BYTES:
                continue
            piece = b""
        if small:
            yield b"".join(small)
            small, size = [], 0
        if piece:
            yield piece
    if small:
        yield b"".join(small)


async def _read(stream: aiohttp.StreamReader) -> bytes:
    """At most MAX_ANSWER_BYTES; the rest of a longer answer is not read."""
    parts, size = [], 0
    async for part in stream.iter_any():
        parts.append(part)
        size += len(part)
        if size >= MAX_ANSWER_BYTES:
            break
    return b"".join(parts)[:MAX_ANSWER_BYTES]


def _compressed(body: Sequence[bytes]) -> bytes:
    compressed: bytes = igzip.compress(b"".join(body), _GZIP_LEVEL)
    return compressed
