"""Runs the agent as a process over a workload and reads its costs from the operating system."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_SECS = 180


@dataclass(frozen=True)
class Cost:
    """Of the whole process, from its start to its end, children not included."""

    cpu_secs: float
    wall_secs: float
    peak_rss_bytes: int


def ship(config: Path, status_url: str, size: int) -> Cost:
    """Run the agent until it has delivered `size` bytes of log, then stop it cleanly."""
    started = time.monotonic()
    agent = subprocess.Popen(
        [sys.executable, "-m", "logship.cli", "run", "-c", str(config)],
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_delivered(status_url, size, agent)
        wall = time.monotonic() - started
        peak = _peak_rss(agent.pid)
        agent.send_signal(signal.SIGTERM)
        _, status, usage = os.wait4(agent.pid, 0)
        agent.returncode = os.waitstatus_to_exitcode(status)
    finally:
        if agent.returncode is None:
            agent.kill()
            agent.wait()
    if agent.returncode != 0:
        raise RuntimeError(f"the agent ended with {agent.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, peak)


def _peak_rss(pid: int) -> int:
    """VmHWM of proc(5); the ru_maxrss of a child begins with that of the process that forked it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("proc(5) names no VmHWM")


def _wait_until_delivered(url: str, size: int, agent: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + TIMEOUT_SECS
    while time.monotonic() < end:
        if agent.poll() is not None:
            raise RuntimeError(f"the agent ended early, with {agent.returncode}")
        time.sleep(0.25)
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                routes = json.load(answer)["routes"].values()
        except OSError:
            continue
        if sum(route["delivered_bytes"] for route in routes) >= size:
            return
    raise TimeoutError(f"the agent has not delivered {size} bytes in {TIMEOUT_SECS} s")
