"""A container's log as containerd writes it and kubelet rotates it, without either.

Rotation is kubelet's: the oldest files go, the older ones are compressed, `0.log` is renamed, the
runtime writes on to the renamed file for a moment, and then begins a new one.
"""

import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from logship.api import time_text

_FIRST_ROTATION = 1_795_400_000


def line(text: str | bytes, *, stream: str = "stdout", tag: str = "F") -> bytes:
    """One line, written now. containerd cuts trailing zeros of the time."""
    content = text.encode() if isinstance(text, str) else text
    when = time_text(time.time_ns()).rstrip("Z").rstrip("0").rstrip(".")
    return b"%sZ %s %s %s\n" % (when.encode(), stream.encode(), tag.encode(), content)


@dataclass(eq=False)
class ContainerLog:
    """`<root>/<namespace>_<pod>_<uid>/<container>/<restart>.log` and what it is rotated to."""

    root: Path
    pod: str
    namespace: str = "shop"
    container: str = "app"
    restart: int = 0
    keep_files: int = 5
    """With the live one; kubelet's containerLogMaxFiles."""
    rotations: int = 0
    _file: BinaryIO | None = field(default=None, repr=False)

    @property
    def directory(self) -> Path:
        return self.root / f"{self.namespace}_{self.pod}_uid-of-{self.pod}" / self.container

    @property
    def path(self) -> Path:
        return self.directory / f"{self.restart}.log"

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def append(self, content: bytes) -> None:
        if self._file is None:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
        self._file.write(content)

    def say(self, *texts: str, stream: str = "stdout") -> None:
        self.append(b"".join(line(text, stream=stream) for text in texts))

    def rotate(self, meanwhile: bytes = b"") -> None:
        """`meanwhile`: written between the rename and the runtime's reopening of its log."""
        make_room(self.path, self.keep_files)
        self.path.rename(rotated_path(self.path, self.rotations))
        self.rotations += 1
        if meanwhile:
            self.append(meanwhile)
        self.close()
        self.append(b"")

    def remove(self) -> None:
        """The pod was deleted."""
        self.close()
        for path in self.directory.iterdir():
            path.unlink()
        self.directory.rmdir()
        self.directory.parent.rmdir()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def make_room(live: Path, keep_files: int, delete: Callable[[Path], None] = Path.unlink) -> None:
    """What kubelet does before it renames the live file, in its order."""
    for unfinished in live.parent.glob(f"{live.name}.*.tmp"):
        unfinished.unlink()
    for path in _rotated(live):
        if path.with_name(path.name + ".gz").exists():
            path.unlink()
    rotated = _rotated(live)
    for old in rotated[: max(0, len(rotated) - (keep_files - 2))]:
        delete(old)
    for path in _rotated(live):
        if path.suffix != ".gz":
            compress(path)


def _rotated(live: Path) -> list[Path]:
    """Oldest first."""
    return sorted(live.parent.glob(f"{live.name}.*"))


def files_of(live: Path) -> list[Path]:
    """All files of the log, oldest first, the live one last."""
    return [*_rotated(live), live]


def read_log(path: Path) -> bytes:
    """What the runtime wrote into this file."""
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def rotated_path(live: Path, number: int) -> Path:
    """kubelet rotates every ten seconds at most; here names must differ when it is sooner."""
    when = time.localtime(_FIRST_ROTATION + number)
    return live.with_name(f"{live.name}.{time.strftime('%Y%m%d-%H%M%S', when)}")


def compress(path: Path) -> None:
    """As kubelet does it: into a `.tmp`, which gets its name when it is whole."""
    unfinished = path.with_name(path.name + ".tmp")
    with gzip.open(unfinished, "wb", compresslevel=1) as file:
        file.write(path.read_bytes())
    unfinished.rename(path.with_name(path.name + ".gz"))
    path.unlink()
