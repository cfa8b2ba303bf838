"""Processes of a benchmark: ended by whoever started them, and read as proc(5) shows them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def ended(process: "subprocess.Popen[bytes]") -> Iterator["subprocess.Popen[bytes]"]:
    """The process, which ends with the `with`."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def cpu_ticks(pid: int) -> int:
    """User and system time of all threads, in ticks of the kernel (`stat`)."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return int(fields[11]) + int(fields[12])


def status_bytes(pid: int, name: str) -> int:
    """A size in `status`; 0 where the process has ended.

    The peak is VmHWM, not ru_maxrss: that of a child begins with the process that forked it.
    """
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return 0
