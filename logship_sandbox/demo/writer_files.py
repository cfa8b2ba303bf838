"""The files of a container's log, as the kubelet keeps them.

`<root>/<namespace>_<pod>_<uid>/<container>/<restart>.log`, and what it is rotated to (kubernetes
pkg/kubelet/logs/container_log_manager.go): older files are removed down to `max_files` with the
live one and the one that is rotated now, plain rotated files are compressed (by way of `.tmp`),
then the live file is renamed to `<restart>.log.<local time>`. Of dead containers one is kept.
"""

import gzip
import os
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

MAX_FILES = 5
"""The kubelet's containerLogMaxFiles: the live file, one rotated, three compressed."""
_FILE_MODE = 0o640


@dataclass(frozen=True, slots=True)
class PodName:
    namespace: str
    name: str
    uid: str

    @property
    def directory(self) -> str:
        return f"{self.namespace}_{self.name}_{self.uid}"


@dataclass(slots=True)
class LogFiles:
    root: str
    pod: PodName
    container: str
    max_files: int = MAX_FILES
    restart: int = 0
    directory: Path = field(init=False)

    def __post_init__(self) -> None:
        self.directory = Path(self.root, self.pod.directory, self.container)
        self.directory.mkdir(parents=True, exist_ok=True)

    @property
    def live(self) -> Path:
        return self.directory / f"{self.restart}.log"

    def rotated(self) -> list[Path]:
        """Oldest first: their names carry the time."""
        found = self.directory.glob(f"{self.restart}.log.*")
        return sorted(path for path in found if path.suffix != ".tmp")

    def open(self) -> int:
        """The live file for appending; it is made if need be."""
        return os.open(self.live, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _FILE_MODE)

    def rename(self, now_ns: int) -> None:
        """Make room, compress what is rotated, rename the live file."""
        rotated = self.rotated()
        excess = max(0, len(rotated) - (self.max_files - 2))
        for path in rotated[:excess]:
            path.unlink()
        for path in rotated[excess:]:
            if path.suffix != ".gz":
                _compress(path)
        os.rename(self.live, self._free_name(now_ns))

    def remove_old_restarts(self) -> None:
        """All but the running container's files and those of the one before it."""
        for path in self.directory.iterdir():
            number = path.name.partition(".")[0]
            if number.isdecimal() and int(number) < self.restart - 1:
                path.unlink()

    def remove(self) -> None:
        """All files. The real kubelet removes the directories too, some twenty seconds later."""
        for path in self.directory.iterdir():
            path.unlink()

    def _free_name(self, now_ns: int) -> Path:
        """Names have seconds; the real kubelet looks only every ten of them, tests do not."""
        when = datetime.fromtimestamp(now_ns // 1_000_000_000)
        while True:
            path = Path(f"{self.live}.{when:%Y%m%d-%H%M%S}")
            if not path.exists() and not Path(f"{path}.gz").exists():
                return path
            when += timedelta(seconds=1)


def _compress(path: Path) -> None:
    unfinished = Path(f"{path}.tmp")
    with path.open("rb") as plain, gzip.open(unfinished, "wb", compresslevel=6) as packed:
        shutil.copyfileobj(plain, packed)
    os.rename(unfinished, f"{path}.gz")
    path.unlink()
