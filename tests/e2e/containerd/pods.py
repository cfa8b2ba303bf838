"""Pods and their containers, started as kubelet starts them."""

from pathlib import Path

import grpc
import msgspec

from tests.e2e.containerd.cri import Cri
from tests.e2e.kubelet import files_of
from tests.e2e.waiting import wait_for

EXIT_SECS = 60.0
_HOST_NETWORK = {"security_context": {"namespace_options": {"network": "NODE"}}}


class _SandboxId(msgspec.Struct):
    pod_sandbox_id: str


class _ContainerId(msgspec.Struct):
    container_id: str


class _State(msgspec.Struct):
    state: str = ""


class _ContainerStatus(msgspec.Struct):
    status: _State


class Pod:
    def __init__(self, cri: Cri, logs: Path, name: str, image: str, namespace: str) -> None:
        self.name, self.namespace, self.uid, self.logs = name, namespace, f"uid-of-{name}", logs
        self._cri, self._image = cri, image
        self._directory = logs / f"{namespace}_{name}_{self.uid}"
        self._config: dict[str, object] = {
            "metadata": {"name": name, "uid": self.uid, "namespace": namespace, "attempt": 0},
            "log_directory": str(self._directory),
            "linux": {"cgroup_parent": "/logship-e2e", **_HOST_NETWORK},
        }
        request = {"config": self._config}
        self._id = cri.call("RunPodSandbox", request, _SandboxId).pod_sandbox_id

    def start(
        self, script: str, *, container: str = "app", attempt: int = 0, tty: bool = False
    ) -> "Container":
        """Run a shell script. kubelet makes the directory of the log, containerd its file."""
        (self._directory / container).mkdir(parents=True, exist_ok=True)
        config: dict[str, object] = {
            "metadata": {"name": container, "attempt": attempt},
            "image": {"image": self._image},
            "command": ["/bin/sh", "-c", script],
            "tty": tty,
            "log_path": f"{container}/{attempt}.log",
            "linux": _HOST_NETWORK,
        }
        request: dict[str, object] = {
            "pod_sandbox_id": self._id, "sandbox_config": self._config, "config": config,
        }  # fmt: skip
        found = self._cri.call("CreateContainer", request, _ContainerId).container_id
        self._cri.do("StartContainer", {"container_id": found})
        return Container(self._cri, found, self._directory / container / f"{attempt}.log")

    def run(self, script: str, *, attempt: int = 0, tty: bool = False) -> "Container":
        """`start`, and wait for its end."""
        container = self.start(script, attempt=attempt, tty=tty)
        container.wait()
        return container

    def remove(self) -> None:
        """With its containers; the log files stay, as kubelet removes them."""
        self._cri.do("StopPodSandbox", {"pod_sandbox_id": self._id})
        self._cri.do("RemovePodSandbox", {"pod_sandbox_id": self._id})


class Container:
    def __init__(self, cri: Cri, container_id: str, log: Path) -> None:
        self._cri, self._id = cri, container_id
        self.log = log

    @property
    def running(self) -> bool:
        request = {"container_id": self._id}
        status = self._cri.call("ContainerStatus", request, _ContainerStatus).status
        return status.state != "CONTAINER_EXITED"

    def wait(self) -> None:
        wait_for("end of the container", EXIT_SECS, lambda: not self.running)

    def reopen_log(self) -> None:
        """What kubelet asks for after it has renamed the file. OSError: it has ended."""
        try:
            self._cri.do("ReopenContainerLog", {"container_id": self._id})
        except grpc.RpcError as error:
            raise OSError(str(error)) from error

    def execute(self, script: str) -> None:
        """`kubectl exec`: a program of its own, whose output is not the container's."""
        command = ["/bin/sh", "-c", script]
        request = {"container_id": self._id, "cmd": command, "timeout": EXIT_SECS}
        self._cri.do("ExecSync", request)

    def stop(self, grace_secs: int = 0) -> None:
        """SIGTERM, and SIGKILL when it has not ended by then."""
        self._cri.do("StopContainer", {"container_id": self._id, "timeout": grace_secs})

    def remove(self) -> None:
        """As kubelet removes it: from the runtime, and then its log, with all that was rotated."""
        self.stop()
        self._cri.do("RemoveContainer", {"container_id": self._id})
        for path in files_of(self.log):
            path.unlink()
