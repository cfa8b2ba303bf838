"""The sandbox, the agent and the loader as processes, exactly as a person would start them.

Each writes its output into a file of its own. None outlives the demo: stopping ends with SIGKILL.
Each is in a session of its own, so that Ctrl-C reaches only the demo, which stops them in order.
"""

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

STOP_SECS = 15.0
_PAGE_BYTES = 4096


class Child:
    """`logship <words>`, started as often as wanted."""

    def __init__(
        self, name: str, words: Sequence[str], log: Path, environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self.log = log
        self.starts = 0
        self._words = words
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """None when it does not run."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "logship.cli", *self._words,
                stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
                env=self._environment, start_new_session=True,
            )  # fmt: skip
        self.starts += 1

    async def kill(self) -> None:
        """SIGKILL: it cannot save anything."""
        await self._end(signal.SIGKILL)

    async def stop(self, timeout_secs: float = STOP_SECS) -> int:
        """SIGTERM, and SIGKILL when it takes too long; its exit code, negative for a signal."""
        try:
            async with asyncio.timeout(timeout_secs):
                return await self._end(signal.SIGTERM)
        except TimeoutError:
            return await self._end(signal.SIGKILL)

    async def _end(self, number: signal.Signals) -> int:
        process = self._process
        if process is None:
            return 0
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(number)
        return await process.wait()

    def rss_bytes(self) -> int | None:
        """Resident memory, as Linux counts it."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        except (OSError, IndexError):
            return None
        return int(pages) * _PAGE_BYTES

    def last_words(self, lines: int = 12) -> str:
        """The end of its output, to be shown when it fails."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


async def stop_all(children: Sequence[Child]) -> None:
    """In this order; never longer than a few seconds each, and never failing."""
    for child in children:
        await asyncio.shield(child.stop(timeout_secs=5.0))
