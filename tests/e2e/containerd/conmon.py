"""Containers whose logs conmon writes, as it does for CRI-O; started through runc, without either.

conmon reads a container's output, writes its log file and ends with it. `0.log` lies where kubelet
would have it put, so the agent's `kubernetes` source finds it.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.containerd.image import make_root
from tests.e2e.waiting import wait_for

EXIT_SECS = 20.0
_START_SECS = 20.0
_NAMESPACES = ("pid", "mount")
_MOUNTS = ("proc", "tmpfs", "devpts")
TERMINAL = "--terminal"
_REOPEN = b"2 0 0\n"  # conmon's ctl fifo: message type 2 reopens the log


class ConmonHost:
    """A directory for bundles, a root file system, and a runc state of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.logs = home / "pods"
        self.logs.mkdir()
        self.runc = ["runc", "--root", str(home / "runc")]
        make_root(home / "rootfs")

    def start(self, name: str, script: str, *options: str) -> "ConmonContainer":
        """`options`: more of conmon's own."""
        return ConmonContainer(self, name, script, options)


class ConmonContainer:
    def __init__(self, host: ConmonHost, name: str, script: str, options: Sequence[str]) -> None:
        self._host, self._name, self._options = host, name, options
        self._bundle = host.home / name
        (self._bundle / "exits").mkdir(parents=True)
        self.log = host.logs / f"e2e_{name}_uid-of-{name}" / "app" / "0.log"
        self.log.parent.mkdir(parents=True)
        self._write_spec(["/bin/sh", "-c", script])
        subprocess.run(self._command(), check=True, timeout=_START_SECS)
        pid_file = self._bundle / "pid"
        wait_for("container", _START_SECS, lambda: pid_file.exists() and pid_file.stat().st_size)
        self._runc("start", name)

    def _command(self) -> list[str]:
        bundle = str(self._bundle)
        return [
            "conmon", "--api-version", "1", "--cid", self._name, "--cuuid", self._name,
            "--name", self._name, "--runtime", "/usr/sbin/runc",
            "--runtime-arg", f"--root={self._host.home / 'runc'}",
            "--bundle", bundle, "--container-pidfile", f"{bundle}/pid",
            "--conmon-pidfile", f"{bundle}/conmon.pid", "--exit-dir", f"{bundle}/exits",
            "--socket-dir-path", bundle, "--log-path", f"k8s-file:{self.log}",
            "--log-level", "error", *self._options,
        ]  # fmt: skip

    def _write_spec(self, command: list[str]) -> None:
        """runc's own example, with less: no new network, no cgroup limits."""
        subprocess.run(["runc", "spec"], cwd=self._bundle, check=True, timeout=_START_SECS)
        path = self._bundle / "config.json"
        spec = json.loads(path.read_text())
        spec["root"] = {"path": str(self._host.home / "rootfs"), "readonly": True}
        terminal = TERMINAL in self._options
        spec["process"] |= {"terminal": terminal, "args": command, "env": ["PATH=/bin"]}
        del spec["process"]["rlimits"], spec["hostname"], spec["linux"]["resources"]
        linux = spec["linux"]
        linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] in _NAMESPACES]
        linux["cgroupsPath"] = f"/logship-e2e/{self._name}"
        spec["mounts"] = [mount for mount in spec["mounts"] if mount["type"] in _MOUNTS]
        path.write_text(json.dumps(spec))

    def _runc(self, *arguments: str) -> None:
        command = [*self._host.runc, *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=_START_SECS)

    @property
    def pod(self) -> str:
        return self._name

    @property
    def running(self) -> bool:
        """conmon writes the exit code when it has written the log."""
        return not (self._bundle / "exits" / self._name).exists()

    def wait(self) -> None:
        wait_for("end of the container", EXIT_SECS, lambda: not self.running)

    def reopen_log(self) -> None:
        """What CRI-O does when kubelet asks for it. Raises OSError when conmon has ended."""
        control = os.open(self._bundle / "ctl", os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(control, _REOPEN)
        finally:
            os.close(control)

    def remove(self) -> None:
        """Ends it if it still runs; conmon ends with it."""
        self._runc("delete", "--force", self._name)
        wait_for("end of the container", EXIT_SECS, lambda: not self.running)
