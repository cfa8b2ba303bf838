"""`stdout`: one line per row to the standard output, where a person or a test looks.

A reader that went away or a full pipe is not our end: the write is asked again. What reached the
pipe before it broke may end in the middle of a line; the next write begins on a new one.
"""

from collections.abc import Sequence
from typing import Annotated, BinaryIO, Literal

import msgspec
from msgspec import Meta

from logship.api import DELIVERED, Batch, Context, Outcome, Preview, Retry, Sink
from logship_debug.in_order import InOrder
from logship_debug.lines import encode, previews


class StdoutConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `stdout`."""

    format: Annotated[
        Literal["json", "text"],
        Meta(description="`json`: one JSON object per row. `text`: time, place, stream, text."),
    ] = "json"


class Stdout(Sink):
    """Prints rows to the standard output."""

    config = StdoutConfig
    request_bytes = 64 * 1024
    descriptor = 1
    """Written to by its number, unbuffered: what counts as delivered has left this process."""

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        super().__init__(config, context)
        assert isinstance(config, StdoutConfig)
        self._format = config.format
        self._calls = InOrder(context.world.offload)
        self._torn = False

    async def write(self, batches: Sequence[Batch]) -> Outcome:
        content = encode(batches, self._format)
        if not content:
            return DELIVERED
        try:
            await self._calls.run(self._print, content)
        except OSError as error:
            raise Retry(f"the standard output cannot be written to: {error}") from error
        return DELIVERED

    async def close(self) -> None:
        await self._calls.close()

    def preview(self, batch: Batch) -> Sequence[Preview]:
        return previews(batch, self._format)

    def _print(self, content: bytes) -> None:
        with open(self.descriptor, "wb", buffering=0, closefd=False) as out:
            if self._torn:
                _write_all(out, b"\n")
            self._torn = True
            _write_all(out, content)
            self._torn = False


def _write_all(out: BinaryIO, content: bytes) -> None:
    view = memoryview(content)
    while view:
        written = out.write(view)
        if written is None:
            raise BlockingIOError("its pipe is full and does not wait")
        view = view[written:]
