"""The kubelet's tree of logs: `<root>/<namespace>_<pod>_<uid>/<container>/<restart>.log`.

Everything about an origin but its pod's metadata is in the path. Each restart of a container is an
origin of its own; `<restart>.log.<anything>` are its rotated files, and a log whose live file is
missing for a moment is still there. Directories are never links here; a log may be one (Docker),
and then has to lead into an allowed root. Names are the pods' owners' choice: what does not look
like a name that Kubernetes would allow is complained about once and left alone.
"""

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from logship.api import Context, Cutting, Joins, LogFile, NotRead, Rotation
from logship_tail.annotations import wish_of
from logship_tail.complaints import Complaints
from logship_tail.formats import first_byte, format_of
from logship_tail.sightings import Sighting, Snapshot
from logship_tail.watching import Watcher

_NAME = r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}"
_POD_DIRECTORY = re.compile(rf"({_NAME})_({_NAME})_({_NAME})")
_CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_LOG = re.compile(r"(0|[1-9][0-9]{0,8})\.log(\..+)?", re.DOTALL)
_DOES_NOT_FIT = "a directory is left alone, because its name does not fit the kubelet's pattern"


@dataclass(frozen=True, slots=True)
class PodTree:
    """What of the tree is wanted, and how it is read."""

    root: str
    exclude_namespaces: tuple[str, ...]
    format: Literal["auto", "cri", "docker"]
    max_row_bytes: int
    roots: tuple[str, ...]
    rotation: Rotation
    joins: Joins | None = None
    annotated: bool = False
    """Whether pods' annotations will be known, and may say how their logs are read."""


class PodScanner:
    """The `Scanner` of the tree; a place is the name of a pod's directory."""

    def __init__(
        self, tree: PodTree, watcher: Watcher, context: Context, complaints: Complaints
    ) -> None:
        self._tree = tree
        self._watcher = watcher
        self._context = context
        self._disk = context.world.disk
        self._complaints = complaints
        globs = "|".join(fnmatch.translate(glob) for glob in tree.exclude_namespaces)
        self._excluded = re.compile(globs or r"(?!)")
        self._roots: tuple[str, ...] = ()

    def places(self, path: str | None) -> Iterable[str]:
        if path is not None:
            below = path.removeprefix(self._tree.root).strip("/").split("/", 1)[0]
            if below:
                return (below,)
        return self._pods()

    def _pods(self) -> Iterable[str]:
        allowed = (self._tree.root, *self._tree.roots)
        self._roots = tuple(dict.fromkeys(map(self._disk.realpath, allowed)))
        names = self._directories(self._tree.root)
        if not names and self._disk.stat(self._tree.root) is None:
            self._complaints.say("the directory of the pods' logs does not exist", self._tree.root)
        for name in names:
            if _POD_DIRECTORY.fullmatch(name) is None:
                self._complaints.say(_DOES_NOT_FIT, repr(name), "wanted: <namespace>_<pod>_<uid>")
        return names

    def look(self, place: str) -> Snapshot:
        pod = _POD_DIRECTORY.fullmatch(place)
        if pod is None or self._excluded.match(pod[1]):
            return {}
        directory = f"{self._tree.root}/{place}"
        containers = self._directories(directory)
        seen = [log for name in containers for log in self._logs(pod, directory, name)]
        return {log.key: log for log in seen}

    def described(self, pod_directory: str, container: str, restart: str) -> Sighting:
        """What a log of this pod would look like. Raises NotRead."""
        pod = _POD_DIRECTORY.fullmatch(pod_directory)
        if pod is None or _CONTAINER.fullmatch(container) is None:
            raise NotRead(
                f"{pod_directory}/{container} does not fit the kubelet's pattern of names"
            )
        if self._excluded.match(pod[1]):
            raise NotRead(f"`exclude_namespaces` takes the namespace {pod[1]}")
        format = "cri" if self._tree.format == "auto" else self._tree.format
        directory = f"{self._tree.root}/{pod_directory}/{container}"
        seen = self._sighting(pod, directory, container, restart, frozenset())
        return replace(seen, log=self._cut_as(seen.log, format))

    def admit(self, seen: Sighting) -> LogFile | None:
        log = seen.log
        name = log.name if any(name == log.name for name, _ in seen.files) else ""
        is_link = name != "" and self._disk.is_link(f"{log.directory}/{name}")
        if is_link:
            target = self._disk.realpath(f"{log.directory}/{name}")
            if not any(target.startswith(root.rstrip("/") + "/") for root in log.roots):
                self._complaints.say(
                    "a link is not followed", f"{log.directory}/{name} leads to {target!r}",
                    "see `roots`",
                )  # fmt: skip
                return None
            # Docker rotates the target, and its rotated files lie beside that.
            directory, _, name = target.rpartition("/")
            log = replace(log, directory=directory, name=name)
        if self._tree.format != "auto":
            return self._cut_as(log, self._tree.format)
        path = f"{log.directory}/{name or min(name for name, _ in seen.files)}"
        try:
            head = b"" if path.endswith(".gz") else first_byte(self._disk, path, log.roots)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._complaints.say("cannot read a log", f"{path!r}: {error.strerror or error}")
            return None
        return self._cut_as(log, format_of(head, is_link))

    def _cut_as(self, log: LogFile, format: str) -> LogFile:
        cutting = Cutting(format, self._tree.max_row_bytes, self._tree.joins)
        wish = partial(wish_of, cutting=cutting) if self._tree.annotated else None
        return replace(log, cutting=cutting, wish=wish)

    def _directories(self, directory: str) -> list[str]:
        self._watcher.watch(directory)
        return [e.name for e in self._disk.scan(directory) if e.is_dir]

    def _files(self, directory: str) -> list[tuple[str, int]]:
        self._watcher.watch(directory)
        return [(e.name, e.inode) for e in self._disk.scan(directory) if not e.is_dir]

    def _logs(self, pod: re.Match[str], pod_directory: str, container: str) -> list[Sighting]:
        if _CONTAINER.fullmatch(container) is None:
            self._complaints.say(_DOES_NOT_FIT, repr(f"{pod[0]}/{container}"))
            return []
        directory = f"{pod_directory}/{container}"
        restarts: dict[str, set[tuple[str, int]]] = {}
        for name, inode in self._files(directory):
            log = _LOG.fullmatch(name)
            if log is not None and not name.endswith(".tmp"):
                restarts.setdefault(log[1], set()).add((name, inode))
        return [
            self._sighting(pod, directory, container, restart, frozenset(files))
            for restart, files in restarts.items()
        ]

    def _sighting(
        self,
        pod: re.Match[str],
        directory: str,
        container: str,
        restart: str,
        files: frozenset[tuple[str, int]],
    ) -> Sighting:
        name = f"{restart}.log"
        labels = {
            "source": self._context.name,
            "cluster": self._context.cluster,
            "namespace": pod[1],
            "pod": pod[2],
            "uid": pod[3],
            "container": container,
            "restart": restart,
            "node": self._context.node,
            "path": f"{directory}/{name}",
        }
        key = f"{self._context.cluster}/{pod[3]}/{container}/{restart}"
        known = {label: value for label, value in labels.items() if value}
        tree = self._tree
        log = LogFile(directory, name, roots=self._roots, rotation=tree.rotation)
        return Sighting(key, known, log, files)
