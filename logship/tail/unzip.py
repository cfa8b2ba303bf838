"""Reads a rotated `.gz` by uncompressed offset.

Reading on from where one stopped is cheap: the decoder stays. Going back starts over. Output is
made in bounded pieces, however much a few input bytes may say. Members follow each other; what
follows a whole member and begins none is no log, and is left out, as gzip(1) does.
"""

from isal import isal_zlib
from isal.igzip_lib import IsalError

from logship.world import Disk, World

_INPUT_BYTES = 64 * 1024
_OUTPUT_BYTES = 256 * 1024
_GZIP = 16 + 15  # wbits: gzip header and trailer, largest window
_TRAILER_BYTES = 8  # CRC-32 and size, the same
_MAGIC = b"\x1f\x8b"  # RFC 1952 section 2.3.1


def gzip_size(disk: Disk, fd: int) -> int:
    """The uncompressed size a gzip file states: of its last member, mod 2**32 (RFC 1952, 2.3.1).

    A hint: files of several members or more than 4 GiB have more, and a damaged one may lie.
    """
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
        self._at = 0
        self._ended = False
        self._damage = ""

    async def read(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes at `offset`; empty at the end."""
        return await self._world.offload.run(self.peek, size, offset)

    def peek(self, size: int, offset: int) -> bytes:
        """The same at once: blocks for as long as it takes to decode what comes before."""
        if offset < self._at:
            self._restart()
        while self._at < offset and self._decode(offset - self._at):
            pass  # thrown away
        pieces: list[bytes] = []
        end = self._at + size
        try:
            while self._at < end and (piece := self._decode(end - self._at)):
                pieces.append(piece)
        except DamagedFile:
            if not pieces:
                raise  # next time, otherwise: what comes before the damage is given
        return b"".join(pieces)

    def _decode(self, max_bytes: int) -> bytes:
        """The next piece of output; empty at the end."""
        piece = b""
        while not piece:
            if self._ended or (self._decoder.eof and not self._next_member()):
                self._ended = True
                return b""
            piece = self._decode_input(min(max_bytes, _OUTPUT_BYTES))
        self._at += len(piece)
        return piece

    def _decode_input(self, max_bytes: int) -> bytes:
        self._input = self._input or self._more()
        if not self._input:
            self._damage = self._damage or "the compressed file ends too early"
        if self._damage:
            raise DamagedFile(self._damage)
        try:
            piece: bytes = self._decoder.decompress(self._input, max_bytes)
        except IsalError as error:  # type: ignore[misc]  # a class; its stub says a value
            self._damage = f"not a gzip file, or damaged: {error}"
            raise DamagedFile(self._damage) from error
        self._input = bytes(self._decoder.unconsumed_tail)
        return piece

    def _next_member(self) -> bool:
        rest = bytes(self._decoder.unused_data)
        if len(rest) < len(_MAGIC):
            rest += self._more()
        if not rest.startswith(_MAGIC):
            return False
        self._decoder, self._input = isal_zlib.decompressobj(_GZIP), rest
        return True

    def _more(self) -> bytes:
        """The trailer comes alone: where it is wrong, the bytes before it are given."""
        trailer = self._world.disk.fstat(self._fd).size - _TRAILER_BYTES
        size = min(_INPUT_BYTES, trailer - self._input_at)
        more = self._world.disk.pread(self._fd, size if size > 0 else _INPUT_BYTES, self._input_at)
        self._input_at += len(more)
        return more
