"""Reads a rotated `.gz` by uncompressed offset.

Reading on from where one stopped is cheap: the decoder stays. Going back starts over. Output is
made in bounded pieces, however much a few input bytes may say.
"""

from isal import isal_zlib
from isal.igzip_lib import IsalError

from logship.world import Disk, World

_INPUT_BYTES = 64 * 1024
_OUTPUT_BYTES = 256 * 1024
_GZIP = 16 + 15  # wbits: gzip header and trailer, largest window


def gzip_size(disk: Disk, fd: int) -> int:
    """The uncompressed size a gzip file states (mod 2**32, RFC 1952 section 2.3.1)."""
    size = disk.fstat(fd).size
    return int.from_bytes(disk.pread(fd, 4, max(0, size - 4)), "little") if size >= 18 else 0


class DamagedFile(Exception):
    """The compressed file is no gzip file, or ends too early: the rest of it cannot be read."""


class GzipReader:
    """Not for concurrent use. Raises DamagedFile, OSError."""

    def __init__(self, world: World, fd: int) -> None:
        self._world = world
        self._fd = fd
        self._restart()

    def _restart(self) -> None:
        self._decoder = isal_zlib.decompressobj(_GZIP)
        self._input_at = 0
        self._input = b""
        self._output_at = 0
        self._output = b""

    def head(self, size: int) -> bytes:
        """The first `size` bytes, or all there are."""
        return self._read(size, 0)

    async def read(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes at `offset`; empty at the end."""
        return await self._world.offload.run(self._read, size, offset)

    def _read(self, size: int, offset: int) -> bytes:
        try:
            return self._decode_to(size, offset)
        except DamagedFile:
            self._restart()
            raise

    def _decode_to(self, size: int, offset: int) -> bytes:
        if offset < self._output_at:
            self._restart()
        while self._output_at + len(self._output) < offset + size:
            if self._output_at + len(self._output) <= offset:
                self._output_at += len(self._output)
                self._output = b""
            piece = self._decode()
            if not piece:
                break
            self._output += piece
        start = offset - self._output_at
        return self._output[start : start + size]

    def _decode(self) -> bytes:
        """The next piece of output; empty at the end."""
        while True:
            if self._decoder.eof:
                rest = bytes(self._decoder.unused_data) or self._more()
                if not rest.rstrip(b"\x00"):
                    return b""
                self._decoder, self._input = isal_zlib.decompressobj(_GZIP), rest
            if not self._input and not (more := self._more()):
                raise DamagedFile("the compressed file ends too early")
            elif not self._input:
                self._input = more
            try:
                piece: bytes = self._decoder.decompress(self._input, _OUTPUT_BYTES)
            except IsalError as error:  # type: ignore[misc]  # a class; its stub says a value
                raise DamagedFile(f"not a gzip file, or damaged: {error}") from error
            self._input = bytes(self._decoder.unconsumed_tail)
            if piece:
                return piece

    def _more(self) -> bytes:
        more = self._world.disk.pread(self._fd, _INPUT_BYTES, self._input_at)
        self._input_at += len(more)
        return more
