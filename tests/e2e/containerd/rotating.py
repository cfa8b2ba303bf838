"""Rotates the log of a real container as kubelet does, and keeps all that this deletes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.e2e.kubelet import files_of, make_room, read_log, rotated_path
from tests.e2e.waiting import wait_for

KUBELET_FILES = 5


class Writer(Protocol):
    """A container whose log a runtime writes."""

    log: Path

    @property
    def running(self) -> bool: ...
    def reopen_log(self) -> None:
        """Raises OSError when the container has ended."""


def _always() -> bool:
    return True


@dataclass
class Rotation:
    container: Writer
    keep_files: int = KUBELET_FILES
    """With the live one."""
    rotations: int = 0
    deleted: list[bytes] = field(default_factory=list)
    """What was in the files that had to go, oldest first, uncompressed."""

    def rotate(self) -> bool:
        """Rename and ask the runtime to reopen; rename back where it refuses, as kubelet does."""
        live = self.container.log
        make_room(live, self.keep_files, self._bury)
        renamed = rotated_path(live, self.rotations)
        live.rename(renamed)
        try:
            self.container.reopen_log()
        except OSError:
            renamed.rename(live)
            return False
        self.rotations += 1
        return True

    def _bury(self, path: Path) -> None:
        self.deleted.append(read_log(path))
        path.unlink()

    def until_exit(
        self,
        size: int,
        *,
        every_secs: float = 0.0,
        secs: float = 60.0,
        may: Callable[[], bool] = _always,
    ) -> None:
        """Whenever the file has this size, but not too often, and only if it `may`."""
        rotated_at = 0.0

        def exited() -> bool:
            nonlocal rotated_at
            due = time.monotonic() - rotated_at >= every_secs
            live = self.container.log
            if due and live.exists() and live.stat().st_size >= size and may():
                self.rotate()
                rotated_at = time.monotonic()
            return not self.container.running

        wait_for("end of the container", secs, exited)

    def files(self) -> list[Path]:
        """Those that are on the disk, oldest first, the live one last."""
        return files_of(self.container.log)

    def texts(self) -> list[str]:
        """What all files on the disk say, line by line. There must be no partial lines."""
        return [text for path in self.files() for text in texts_of(read_log(path))]


def texts_of(content: bytes) -> list[str]:
    return [line.split(b" ", 3)[3].decode() for line in content.splitlines()]


def first_time(content: bytes) -> str:
    return content.split(b" ", 1)[0].decode()
