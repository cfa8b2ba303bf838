"""Ports of a pod's own loopback that lead to this machine's, and that can be closed.

A pod has a network of its own, as in a cluster, and the servers listen on this machine's loopback.
A door listens in the pod's network namespace and connects in ours: a socket stays in the namespace
it was made in. While a door is closed, connections to it are refused, and those that were open are
cut: what a pod sees of a service whose process has died.
"""

import asyncio
import ctypes
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

_HOST = "127.0.0.1"
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET of setns(2)
_CALL_SECS = 10.0
_CHUNK = 1 << 16

T = TypeVar("T")


def in_network(namespace: Path, call: Callable[[], T]) -> T:
    """Call in the network namespace: in a thread of its own, which ends with it."""

    def entered() -> T:
        with namespace.open("rb") as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _NEW_NETWORK) != 0:
                raise OSError(ctypes.get_errno(), f"setns({namespace})")
        return call()

    with ThreadPoolExecutor(1) as alone:
        return alone.submit(entered).result(_CALL_SECS)


def connect(namespace: Path, port: int) -> socket.socket:
    return in_network(namespace, lambda: socket.create_connection((_HOST, port), _CALL_SECS))


class LoopThread:
    """An event loop that runs beside the test."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(_CALL_SECS)

    def call(self, work: Callable[[], object]) -> None:
        async def calling() -> None:
            work()

        self.run(calling())

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_CALL_SECS)
        self.loop.close()


class Door:
    """The same port number on both sides."""

    def __init__(self, port: int, thread: LoopThread) -> None:
        self.port, self._thread = port, thread
        self._namespaces: list[Path] = []
        self._servers: dict[Path, asyncio.Server] = {}
        self._connections: set[asyncio.StreamWriter] = set()
        self._shut = False
        self._flowing = asyncio.Event()
        self._flowing.set()

    def into(self, namespace: Path) -> None:
        """Also for this pod, open or closed as for the others."""
        self._namespaces.append(namespace)
        if not self._shut:
            self._listen(namespace)

    def _listen(self, namespace: Path) -> None:
        listener = in_network(namespace, lambda: socket.create_server((_HOST, self.port)))
        starting = asyncio.start_server(self._lead, sock=listener)
        self._servers[namespace] = self._thread.run(starting)

    def leave(self, namespace: Path) -> None:
        """The pod is gone."""
        self._namespaces.remove(namespace)
        server = self._servers.pop(namespace, None)
        if server is not None:
            self._thread.call(server.close)

    def shut(self) -> None:
        self._shut = True
        self._thread.call(self._shut_now)

    def _shut_now(self) -> None:
        for server in self._servers.values():
            server.close()
        self._servers.clear()
        for writer in self._connections:
            writer.transport.abort()

    def hold(self) -> None:
        """Whatever is sent waits, in both directions."""
        self._thread.call(self._flowing.clear)

    def let_go(self) -> None:
        self._thread.call(self._flowing.set)

    def open(self) -> None:
        self._shut = False
        for namespace in self._namespaces:
            self._listen(namespace)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner, outer = await asyncio.open_connection(_HOST, self.port)
        except OSError:
            writer.transport.abort()
            return
        self._connections |= {writer, outer}
        try:
            await asyncio.gather(self._pump(reader, outer), self._pump(inner, writer))
        finally:
            self._connections -= {writer, outer}
            writer.transport.abort()
            outer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(_CHUNK):
                await self._flowing.wait()
                writer.write(chunk)
                await writer.drain()
            writer.write_eof()
        except OSError:
            writer.transport.abort()
