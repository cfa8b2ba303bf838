"""What the kernel holds a process to: what was really applied, whatever was asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Confinement:
    """Of a process, as /proc shows it."""

    command: list[str]
    environment: list[str]
    user: int
    group: int
    capabilities: frozenset[str]
    """All of its sets that are not empty, with their bits."""
    no_new_privileges: bool
    seccomp_filter: bool
    mounts: dict[str, bool]
    """By path: whether it can be written to."""


def confinement(pid: int) -> Confinement:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}
    sets = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    return Confinement(
        command=_words(f"/proc/{pid}/cmdline"),
        environment=_words(f"/proc/{pid}/environ"),
        user=int(status["Uid"][1]),
        group=int(status["Gid"][1]),
        capabilities=frozenset(
            f"{name} {status[name][0]}" for name in sets if int(status[name][0], 16)
        ),
        no_new_privileges=status["NoNewPrivs"] == ["1"],
        seccomp_filter=status["Seccomp"] == ["2"],
        mounts=dict(_mounts(pid)),
    )


def _words(path: str) -> list[str]:
    return Path(path).read_bytes().decode().rstrip("\0").split("\0")


def _mounts(pid: int) -> Iterator[tuple[str, bool]]:
    """Fields of proc(5), mountinfo: the mount's own options are the sixth, the disk's come last."""
    for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines():
        words = line.split()
        yield words[4], "rw" in words[5].split(",")


@dataclass(frozen=True)
class Memory:
    """Of a cgroup."""

    limit_bytes: int
    peak_bytes: int
    """With the page cache of what it read and wrote first."""
    killed: int
    """Processes that the limit has cost."""


def memory_controller() -> str | None:
    """Why limits of memory cannot be set or seen here; None where they can."""
    unified = _CGROUPS / "cgroup.controllers"
    if unified.exists():
        usable = "memory" in unified.read_text().split()
    else:
        usable = (_CGROUPS / "memory" / "memory.limit_in_bytes").exists()
    return None if usable else "the kernel has no memory controller for cgroups here"


def seccomp() -> str | None:
    """The same of seccomp."""
    usable = Path("/proc/sys/kernel/seccomp/actions_avail").exists()
    return None if usable else "the kernel has no seccomp here"


def memory(pid: int) -> Memory:
    """Of the cgroup that the process is in; version 1 or 2."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            return _memory_v1(_CGROUPS / "memory" / path.lstrip("/"))
        if controllers == "" and (_CGROUPS / "cgroup.controllers").exists():
            return _memory_v2(_CGROUPS / path.lstrip("/"))
    raise LookupError(f"process {pid} is in no cgroup that knows memory")


def _memory_v1(group: Path) -> Memory:
    control = _numbers(group / "memory.oom_control")
    return Memory(
        int((group / "memory.limit_in_bytes").read_text()),
        int((group / "memory.max_usage_in_bytes").read_text()),
        control.get("oom_kill", 0),
    )


def _memory_v2(group: Path) -> Memory:
    """`memory.peak` is there since Linux 5.19; before, what is used now has to do."""
    peak = group / "memory.peak"
    used = peak if peak.exists() else group / "memory.current"
    return Memory(
        int((group / "memory.max").read_text()),
        int(used.read_text()),
        _numbers(group / "memory.events").get("oom_kill", 0),
    )


def _numbers(file: Path) -> dict[str, int]:
    lines = (line.split() for line in file.read_text().splitlines())
    return {name: int(value) for name, value in lines}
