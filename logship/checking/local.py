"""What the agent itself needs of this machine. Nothing is made but the lock, as an agent does."""

import errno
import socket
from collections.abc import Iterator

from logship.config import Config
from logship.finding import Finding
from logship.tail.descriptors import RESERVED
from logship.world import Disk
from logship.world.notices import Inotify

_WATCHES = "/proc/sys/fs/inotify/max_user_watches"
_FEW_WATCHES = 8192
_RUNS = "an agent is running on it"
_WRITE = "let the agent's user write to it, or choose another directory"


def findings(config: Config, disk: Disk) -> Iterator[Finding]:
    state_dir = _state_dir(config.state_dir, disk)
    yield state_dir
    if config.dead_letters.dir:
        yield _directory("dead_letters.dir", config.dead_letters.dir, disk)
    if config.admin.listen is not None:
        yield _address(config.admin.listen, beside_agent=state_dir.reason == _RUNS)
    yield _descriptors(config.held.max_files, disk)
    yield _inotify(disk)


def _directory(option: str, path: str, disk: Disk) -> Finding:
    about, at = f"{option} {path}", path
    while disk.stat(at) is None and at not in ("/", "."):
        at = at.rstrip("/").rpartition("/")[0] or ("/" if at.startswith("/") else ".")
    if not disk.writable(at):
        said = "it cannot be written to" if at == path else f"it cannot be made in {at}"
        return Finding(about, "failed", said, _WRITE)
    return Finding(about, "ok", "it can be written to" if at == path else "it will be made")


def _state_dir(path: str, disk: Disk) -> Finding:
    found = _directory("state_dir", path, disk)
    if found.level != "ok" or disk.stat(path) is None:
        return found
    try:
        disk.close(disk.lock(f"{path}/lock"))
    except BlockingIOError:
        return Finding(found.about, "ok", _RUNS)
    except OSError as error:
        return Finding(found.about, "failed", f"it cannot be locked: {error.strerror}", _WRITE)
    return found


def _address(listen: str, *, beside_agent: bool) -> Finding:
    about = f"admin.listen {listen}"
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((host.strip("[]"), int(port)))
    except OSError as error:
        if error.errno == errno.EADDRINUSE and beside_agent:
            return Finding(about, "ok", "it is in use, it seems by the agent that is running")
        if error.errno == errno.EADDRINUSE:
            reason = "it is in use, though no agent runs on state_dir"
            return Finding(about, "warning", reason, "choose another port, or end who uses it")
        reason = f"it cannot be listened on: {error.strerror or error}"
        return Finding(about, "failed", reason, "choose another address")
    return Finding(about, "ok", "it is free")


def _descriptors(max_held: int, disk: Disk) -> Finding:
    limit, needed = disk.max_open_files(), max_held + RESERVED
    reason = f"{limit} may be open; held.max_files and all else but logs need {needed}"
    if limit > needed:
        return Finding("open files", "ok", reason)
    advice = "raise the hard limit of open files (ulimit -Hn), or lower held.max_files"
    return Finding("open files", "warning", reason, advice)


def _inotify(disk: Disk) -> Finding:
    slow = "without it new logs are looked for every second, which costs more"
    try:
        Inotify().close()
    except OSError as error:
        advice = "sysctl -w fs.inotify.max_user_instances=1024"
        return Finding("inotify", "warning", f"{error.strerror or error}: {slow}", advice)
    try:
        watches = int(disk.read_text(_WATCHES, 100))
    except (OSError, ValueError):
        return Finding("inotify", "ok", "it works")
    if watches < _FEW_WATCHES:
        advice = "sysctl -w fs.inotify.max_user_watches=65536"
        return Finding("inotify", "warning", f"only {watches} watches are allowed: {slow}", advice)
    return Finding("inotify", "ok", f"{watches} watches are allowed")
