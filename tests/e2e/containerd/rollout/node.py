"""One node of a cluster: its directories, its API server, Google's services, and its agents.

Agents are made from daemonset.yaml and the image of the Dockerfile. What is not the manifest's: the
four edits that it asks for, the project and location that the metadata server of GKE would tell,
and where Google's services are (the sandbox's, on loopback, through doors).
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from logship.world import Clock
from tests.e2e.containerd.daemon import Containerd
from tests.e2e.containerd.rollout.agent_pod import AgentPod
from tests.e2e.containerd.rollout.build import REPOSITORY
from tests.e2e.containerd.rollout.doors import Door, LoopThread
from tests.e2e.containerd.rollout.manifest import Identity, PodRequest, translate
from tests.e2e.containerd.rollout.volumes import Volumes
from tests.e2e.containerd.rollout.writers import Writer
from tests.e2e.sandbox_process import SandboxProcess
from tests.plugins.logship_tail.cluster import Cluster
from tests.plugins.logship_tail.cluster_http import Front, fronting

NODE, NAMESPACE = "node-1", "logship"
TOPIC = "app-logs"


def uid_of(pod: str) -> str:
    return f"uid-of-{pod}"


def manifest_of(kind: str, name: str) -> Mapping[str, Any]:
    documents = yaml.safe_load_all((REPOSITORY / "daemonset.yaml").read_text(encoding="utf-8"))
    (found,) = [one for one in documents if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return dict(found)


class Node:
    def __init__(self, home: Path, containerd: Containerd, sandbox: SandboxProcess) -> None:
        self._home, self._containerd, self._sandbox = home, containerd, sandbox
        self.logs = home / "node/var/log/pods"
        self.logs.mkdir(parents=True)
        self._account = home / "account"
        self._account.mkdir()
        self._thread, self._servers = LoopThread(), AsyncExitStack()
        self.front: Front = self._thread.run(self._serve())
        self.logging = Door(_port(sandbox.logging_endpoint), self._thread)
        self.pubsub = Door(_port(f"//{sandbox.environment['PUBSUB_EMULATOR_HOST']}"), self._thread)
        self._api = Door(_port(self.front.url), self._thread)
        self._pods: list[AgentPod] = []
        self._writers: list[Writer] = []

    async def _serve(self) -> Front:
        return await self._servers.enter_async_context(fronting(Cluster(Clock()), self._account))

    def write(self, name: str, *, route: str = "", **how: Any) -> Writer:
        """Start a pod; the API server knows it, with an annotation that asks for the route."""
        writer = Writer(self._containerd, self.logs, name, **how)
        self._writers.append(writer)
        pod, annotations = writer.pod, {"logship/route": route} if route else {}
        self._tell(name, pod.uid, namespace=pod.namespace, annotations=annotations)
        return writer

    def _tell(self, name: str, uid: str, **metadata: object) -> None:
        """The API server knows the pod."""
        cluster = self.front.cluster
        self._thread.call(lambda: cluster.put(NODE, name, name, uid, **metadata))

    def forget(self, writer: Writer, after_secs: float) -> None:
        """The API server deletes the pod, so much later."""
        loop, cluster = self._thread.loop, self.front.cluster
        self._thread.call(lambda: loop.call_later(after_secs, cluster.delete, writer.name))

    def followed(self) -> int:
        """Logs that are there, without those of the namespaces that the manifest leaves out."""
        return sum(not one.parent.name.startswith("kube-") for one in self.logs.glob("*/*"))

    def agent(self, name: str, image: str) -> AgentPod:
        """A pod of the DaemonSet; it is not started."""
        request = self.request(name, image)
        log = Path(str(request.sandbox["log_directory"])) / "logship/0.log"
        self._tell(name, uid_of(name), namespace=NAMESPACE)
        pod = AgentPod(self._containerd.cri, request, log)
        self._pods.append(pod)
        for door in (self.logging, self.pubsub, self._api):
            door.into(pod.network)
        return pod

    def request(self, name: str, image: str) -> PodRequest:
        daemon_set = manifest_of("DaemonSet", "logship")
        identity = Identity(NAMESPACE, name, uid_of(name), NODE)
        config_maps = {"logship": {"logship.yaml": self.config()}}
        volumes = Volumes(self._home / "node", self._home / name, self._account, config_maps)
        host, port = urlsplit(self.front.url).netloc.split(":")
        services = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
        return translate(daemon_set["spec"]["template"], identity, image, volumes, services)

    def config(self) -> str:
        """The manifest's, edited."""
        config = yaml.safe_load(manifest_of("ConfigMap", "logship")["data"]["logship.yaml"])
        environment = self._sandbox.environment
        project = environment["GOOGLE_CLOUD_PROJECT"]
        config["cluster"] = "e2e"
        config["sinks"]["app-events"] |= {
            "project": project, "endpoint": environment["PUBSUB_EMULATOR_HOST"], "topic": TOPIC,
        }  # fmt: skip
        config["sinks"]["cloud-logging"] |= {
            "project": project, "location": "europe-west1",
            "endpoint": self._sandbox.logging_endpoint,
        }  # fmt: skip
        return str(yaml.safe_dump(config, sort_keys=False))

    def remove(self, pod: AgentPod) -> None:
        """It has ended."""
        self._pods.remove(pod)
        for door in (self.logging, self.pubsub, self._api):
            door.leave(pod.network)
        pod.remove()

    def close(self) -> None:
        for pod in list(self._pods):
            pod.remove()
        for writer in self._writers:
            writer.pod.remove()
        self._thread.run(self._servers.aclose())
        self._thread.close()


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None, url
    return port
