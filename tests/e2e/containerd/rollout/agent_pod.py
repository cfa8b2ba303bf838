"""The agent's container under containerd, seen from outside, as the kubelet sees it."""

import http.client
import json
from pathlib import Path

import msgspec

from tests.e2e.agent_process import RouteStatus, Status
from tests.e2e.containerd.cri import Cri
from tests.e2e.containerd.rollout.doors import connect
from tests.e2e.containerd.rollout.manifest import PodRequest, Probe
from tests.e2e.waiting import wait_for

READY_SECS = 30.0
_ANSWER_SECS = 5.0


class _SandboxId(msgspec.Struct):
    pod_sandbox_id: str


class _ContainerId(msgspec.Struct):
    container_id: str


class _Verbose(msgspec.Struct):
    info: dict[str, str]


class Ended(msgspec.Struct):
    """What the runtime says of a container; of how it ended, once it has."""

    state: str = ""
    exit_code: int = 0
    reason: str = ""


class _ContainerStatus(msgspec.Struct):
    status: Ended


class AgentPod:
    def __init__(self, cri: Cri, request: PodRequest, log: Path) -> None:
        """The sandbox alone: its network is there, nothing runs in it."""
        self._cri, self.request, self._log = cri, request, log
        found = cri.call("RunPodSandbox", {"config": request.sandbox}, _SandboxId)
        self._sandbox, self.container_id = found.pod_sandbox_id, ""
        asked = {"pod_sandbox_id": self._sandbox, "verbose": True}
        info = json.loads(cri.call("PodSandboxStatus", asked, _Verbose).info["info"])
        self.network = Path(f"/proc/{info['pid']}/ns/net")
        self.pid = 0
        """Of the agent, on this machine."""

    def start(self) -> None:
        """The kubelet makes the directory of the log, containerd its file."""
        self._log.parent.mkdir(parents=True)
        request: dict[str, object] = {
            "pod_sandbox_id": self._sandbox, "sandbox_config": self.request.sandbox,
            "config": self.request.container,
        }  # fmt: skip
        self.container_id = self._cri.call("CreateContainer", request, _ContainerId).container_id
        self._cri.do("StartContainer", {"container_id": self.container_id})
        asked = {"container_id": self.container_id, "verbose": True}
        info = json.loads(self._cri.call("ContainerStatus", asked, _Verbose).info["info"])
        self.pid = int(info["pid"])

    def ended(self) -> Ended | None:
        """None: it runs."""
        asked = {"container_id": self.container_id}
        status = self._cri.call("ContainerStatus", asked, _ContainerStatus).status
        return status if status.state == "CONTAINER_EXITED" else None

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after the pod's grace; returns when it has ended."""
        asked = {"container_id": self.container_id, "timeout": self.request.grace_secs}
        self._cri.do("StopContainer", asked)

    def remove(self) -> None:
        self._cri.do("StopPodSandbox", {"pod_sandbox_id": self._sandbox})
        self._cri.do("RemovePodSandbox", {"pod_sandbox_id": self._sandbox})

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def probe(self, probe: Probe) -> bool:
        answer = self._get(probe.path)
        return answer is not None and 200 <= answer[0] < 400

    def wait_ready(self) -> None:
        def ready() -> bool:
            ended = self.ended()
            assert ended is None, f"{ended}\n{self.log()}"
            return self.probe(self.request.readiness)

        try:
            wait_for("readiness of the agent", READY_SECS, ready)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self._get('/status')}\n{self.log()}") from None

    def status(self) -> Status:
        """Its routes have to account for every row."""
        answer = self._get("/status")
        assert answer is not None, f"the agent does not answer: {self.ended()}\n{self.log()}"
        status = msgspec.json.decode(answer[1], type=Status)
        unaccounted = {n: r for n, r in status.routes.items() if r.unaccounted_rows}
        assert not unaccounted, f"rows are nowhere, or twice: {unaccounted}"
        return status

    def route(self, name: str) -> RouteStatus:
        return self.status().routes[name]

    def wait_shipped(self, origins: int, secs: float) -> None:
        """Until all is delivered, and no logs are left but so many that may still grow."""

        def shipped() -> bool:
            status = self.status()
            return status.drained and not status.origins_undecided and status.origins == origins

        try:
            wait_for("delivery of everything", secs, shipped)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self._get('/status')}\n{self.log()}") from None

    def _get(self, path: str) -> tuple[int, bytes] | None:
        port = self.request.readiness.port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECS)
        try:
            connection.sock = connect(self.network, port)
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
