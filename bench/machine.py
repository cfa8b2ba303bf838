"""The machine and what runs on it, for the head of every report."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from logship.rows import kernel


def machine() -> dict[str, str | int | float]:
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": _system(),
        "linux": platform.release(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "logship": version("logship"),
        "commit": _commit(),
        "kernel": kernel.in_use(),
        "load_average": round(os.getloadavg()[0], 2),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return platform.system()


def _commit() -> str:
    """Of the checkout that is measured; empty outside of one."""
    git = shutil.which("git")
    if git is None:
        return ""
    found = subprocess.run(
        [git, "describe", "--always", "--dirty"], cwd=Path(__file__).parent,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.strip()
