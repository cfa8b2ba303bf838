"""A containerd of our own: its root, state and socket in a temporary directory.

It shares nothing with a containerd of the machine. Pods use the host's network, or one with nothing
but loopback (`cni`); `native` snapshots work on every file system, also inside of a container.
"""

import os
import shutil
import subprocess
from pathlib import Path

import grpc

from tests.e2e.containerd import cni
from tests.e2e.containerd.cri import Cri, Nothing
from tests.e2e.containerd.descriptors import cri_pool
from tests.e2e.containerd.image import BUSYBOX, make_image
from tests.e2e.containerd.pods import Pod
from tests.e2e.waiting import wait_for

IMAGE = "localhost/busybox:1"
_PAUSE = "localhost/pause:1"
_PAUSE_PROGRAM = 'trap "exit 0" TERM INT; while :; do sleep 3600 & wait $!; done'
_START_SECS = 30.0
_CONFIG = """\
version = 2
root = "{home}/root"
state = "{home}/state"
[grpc]
  address = "{home}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{home}/cni"
    conf_dir = "{home}/cni"
"""


def missing(*programs: str) -> str | None:
    """Why tests with these programs cannot run here."""
    if os.geteuid() != 0:
        return "needs root: containers are started"
    absent = [name for name in programs if shutil.which(name) is None]
    if not BUSYBOX.exists():
        absent.append("busybox-static")
    return f"needs {', '.join(absent)} (apt-get install)" if absent else None


class Containerd:
    def __init__(self, home: Path) -> None:
        self._home = home
        self._socket = home / "containerd.sock"
        self.logs = home / "pods"
        cni.install(home / "cni")
        config = home / "config.toml"
        config.write_text(_CONFIG.format(home=home, pause=_PAUSE))
        with (home / "containerd.log").open("wb") as log:
            command = ["containerd", "--config", str(config)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            program = shutil.which("containerd")
            assert program is not None
            self.cri = Cri(self._socket, cri_pool(Path(program).resolve()))
            wait_for("answer of containerd", _START_SECS, self._answers)
            self._load(IMAGE)
            self._load(_PAUSE, "/bin/sh", "-c", _PAUSE_PROGRAM)
        except BaseException:
            self.close()
            raise

    def _answers(self) -> bool:
        said = (self._home / "containerd.log").read_text()
        assert self._process.poll() is None, f"containerd ended:\n{said}"
        try:
            self.cri.call("Version", {}, Nothing)
        except grpc.RpcError:
            return False
        return True

    def _load(self, reference: str, *command: str) -> None:
        archive = self._home / "image.tar"
        make_image(archive, reference, *command)
        self.load(archive)

    def load(self, archive: Path) -> None:
        """An image, under the name that its archive says."""
        ctr = ["ctr", "--address", str(self._socket), "--namespace", "k8s.io"]
        load = [*ctr, "images", "import", "--snapshotter", "native", str(archive)]
        subprocess.run(load, check=True, capture_output=True, timeout=_START_SECS)

    def pod(self, name: str, logs: Path | None = None, namespace: str = "e2e") -> Pod:
        """A new pod, with its log directory below `logs`; default: beside those of all others."""
        return Pod(self.cri, logs or self.logs, name, IMAGE, namespace)

    def close(self) -> None:
        """Its pods must be gone: each container has a process beside containerd."""
        self._process.terminate()
        self._process.wait(_START_SECS)
        shutil.rmtree(self._home / "root")  # images, which pytest would keep
