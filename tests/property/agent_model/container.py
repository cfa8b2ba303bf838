"""A container on a node: the runtime writes its log, the kubelet rotates, compresses and deletes.

The kubelet works in small steps, each of which is one change of the directory, so that the agent
may run, start or crash between any two of them (section 2 of the facts about Kubernetes: rename,
write on to the renamed file, reopen; `.tmp`, rename, unlink; at most five files).
"""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

from logship.rows.address import time_text
from tests.property.agent_model.tree import Tree
from tests.property.agent_model.written import Log, Part, WrittenFile

KEPT_ROTATED = 3
"""containerLogMaxFiles is 5: the live one, and before a rotation at most three others."""
FLUSH_SECS = 0.9
"""How long after a reopen something may still reach the old file."""


class Container:
    def __init__(
        self,
        directory: Path,
        key: str,
        tree: Tree,
        now: Callable[[], float],
        may_delete: Callable[[WrittenFile], bool],
    ) -> None:
        self.directory, self._key, self._tree = directory, key, tree
        self._now, self._may_delete = now, may_delete
        self.logs: list[Log] = []
        self._restart = -1
        self._open: dict[str, Part] = {}
        self._half: tuple[Part, bytes] | None = None
        self._cycle: Iterator[None] | None = None
        self._late: tuple[WrittenFile, float] | None = None
        self._count = 0
        self.reuse = False
        """Whether the next file gets the inode of one that is gone."""
        tree.make_dir(directory)
        self.start()

    @property
    def log(self) -> Log:
        return self.logs[-1]

    def start(self) -> None:
        """A new restart: a log of its own."""
        self._restart += 1
        name = f"{self._restart}.log"
        self.logs.append(Log(f"{self._key}/{self._restart}", self.directory, name))
        self._reopen()

    def write(self, stream: str, tag: str, text: str) -> None:
        self.finish_line()
        self._put(self._part(self.log.current, stream, tag, text))

    def write_half(self, stream: str, text: str, size: int) -> None:
        """The reader sees the line before its end is there."""
        self.finish_line()
        part = self._part(self.log.current, stream, "F", text)
        cut = min(size, len(part.line) - 1)
        self._append(part.file, part.line[:cut])
        self._half = part, part.line[cut:]

    def finish_line(self) -> None:
        if self._half is not None:
            part, rest = self._half
            self._half = None
            self._append(part.file, rest)
            self._note(part)

    def write_late(self, text: str) -> None:
        """The runtime's flush may reach the old file after the new one is there, but soon."""
        if self._late is None or self._half is not None or self._open:
            return
        file, until = self._late
        if self._now() < until and not file.compressing and file.exists:
            self._put(self._part(file, "stdout", "F", text))

    def write_long_after(self, text: str, age: int) -> None:
        """A writer that has not reopened its log; `age`: to which of the rotated files."""
        files = [
            file for file in self.log.existing()[:-1]
            if not (file.compressed or file.compressing or file.ends_open) and file.content
        ]  # fmt: skip
        if files and self._half is None:
            opened, self._open = self._open, {}  # of the live file: it has no part in them
            self._put(self._part(files[-1 - age % len(files)], "stdout", "F", text))
            self._open = opened

    def _part(self, file: WrittenFile, stream: str, tag: str, text: str) -> Part:
        self._count += 1
        text = f"{self._count}:{text};"
        time = time_text(self._tree.tick())
        line = f"{time} {stream} {tag} {text}\n".encode()
        return Part(file, len(file.content), line, text, time, stream, tag, self._now())

    def _put(self, part: Part) -> None:
        self._append(part.file, part.line)
        self._note(part)

    def _append(self, file: WrittenFile, content: bytes) -> None:
        self._tree.append(file.path, content)
        file.content += content

    def _note(self, part: Part) -> None:
        """It is whole now."""
        part.at = self._now()
        part.file.add(part)
        previous = self._open.pop(part.stream, None)
        if previous is not None:
            part.previous, previous.following = previous, part
        if part.tag == "P":
            self._open[part.stream] = part

    def end_records(self) -> None:
        """Nothing stays open: a quiet log must be delivered to its last byte."""
        self.finish_line()
        for stream in list(self._open):
            self.write(stream, "F", "")

    # The kubelet

    def rotate(self) -> None:
        """A whole rotation, or the rest of one that was begun."""
        self.kubelet_step()
        while self._cycle is not None:
            self.kubelet_step()

    def rename(self) -> None:
        """The first part of a rotation: the runtime has not reopened its log yet."""
        if not self.log.current.content:
            self.write("stdout", "F", "")
        while self.log.current.path == self.log.live:
            self.kubelet_step()

    def kubelet_step(self) -> None:
        if self.log.removed_at is not None:
            return
        if self._cycle is None:
            self._cycle = self._rotation()
        if next(self._cycle, self) is self:
            self._cycle = None

    def _rotation(self) -> Iterator[None]:
        log = self.log
        if not log.current.content:
            return
        for left in list(log.directory.glob("*.tmp")):
            self._tree.unlink(left)
            yield
        rotated = log.existing()[:-1]
        for file in rotated[: max(0, len(rotated) - KEPT_ROTATED)]:
            if self._may_delete(file):
                self._delete(file)
                yield
        for file in rotated:
            if file.exists and not file.compressed:
                yield from self._compress(file)
        self._count += 1
        self._rename(log.current, log.directory / f"{log.name}.20261123-{self._count:06d}")
        yield
        self.finish_line()
        # In mid-record nothing can come late: what follows is written after it.
        self._late = None if self._open else (log.current, self._now() + FLUSH_SECS)
        self._reopen()

    def _compress(self, file: WrittenFile) -> Iterator[None]:
        plain = file.path
        temporary, target = Path(f"{plain}.tmp"), Path(f"{plain}.gz")
        file.compressing = True
        self._tree.create(temporary, gzip.compress(file.content, 1), reuse=self.reuse)
        yield
        self._rename(file, target, temporary)
        file.compressed = True
        yield
        self._tree.unlink(plain)
        yield

    def _rename(self, file: WrittenFile, target: Path, source: Path | None = None) -> None:
        self._tree.rename(source or file.path, target)
        file.path = target

    def _reopen(self) -> None:
        log = self.log
        file = WrittenFile(log, len(log.files), log.live, self._now())
        self._tree.create(log.live, reuse=self.reuse)
        log.files.append(file)

    def rename_back(self) -> None:
        """What kubelet does when the runtime could not reopen its log."""
        if self.log.current.path != self.log.live:
            self._rename(self.log.current, self.log.live)
            self._cycle = None

    # Its end

    def restart(self) -> bool:
        """It exits and starts again; of dead ones the kubelet keeps the newest."""
        if not all(self._may_delete(file) for log in self.logs[:-1] for file in log.existing()):
            return False
        self._exit()
        for log in self.logs[:-1]:
            self._remove(log)
        self.start()
        return True

    def remove(self) -> bool:
        if not all(self._may_delete(file) for log in self.logs for file in log.existing()):
            return False
        self._exit()
        for log in self.logs:
            self._remove(log)
        for left in self.directory.iterdir():
            self._tree.unlink(left)
        self._tree.remove_dir(self.directory)
        self._tree.remove_dir(self.directory.parent)
        return True

    def _exit(self) -> None:
        self.finish_line()
        self.rename_back()
        self._cycle, self._open, self._late = None, {}, None

    def _remove(self, log: Log) -> None:
        for file in log.existing():
            self._delete(file)
        if log.removed_at is None:
            log.removed_at = self._now()

    def _delete(self, file: WrittenFile) -> None:
        file.exists = False
        plain = Path(str(file.path).removesuffix(".gz"))
        for path in (file.path, plain):
            if path.exists():
                self._tree.unlink(path)
