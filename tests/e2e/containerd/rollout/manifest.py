"""A pod of daemonset.yaml as the kubelet would ask the runtime for it.

Every field of the pod has to be translated here, or named as one that the runtime is not told of:
whatever else comes into the manifest raises, so that nothing of it is left out unseen.
(kubelet: pkg/kubelet/kuberuntime, `kuberuntime_container*.go`, `security_context.go`)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from tests.e2e.containerd.rollout.volumes import Volumes

Values = Mapping[str, Any]

_UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
_SYSTEM_CRITICAL = ("system-node-critical", "system-cluster-critical")
_CRITICAL_OOM_SCORE = -997
_MASKED = (
    "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware",
)  # fmt: skip
_READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


@dataclass(frozen=True)
class Identity:
    """What the API server, the scheduler and the node give a pod."""

    namespace: str
    name: str
    uid: str
    node: str

    def field(self, path: str) -> str:
        """Of the downward API."""
        return {
            "metadata.name": self.name,
            "metadata.namespace": self.namespace,
            "metadata.uid": self.uid,
            "spec.nodeName": self.node,
        }[path]


@dataclass(frozen=True)
class Probe:
    path: str
    port: int


@dataclass(frozen=True)
class PodRequest:
    """What the runtime is asked for, in the JSON form of the CRI's messages."""

    sandbox: dict[str, object]
    container: dict[str, object]
    grace_secs: int
    readiness: Probe
    liveness: Probe


class Fields:
    """A mapping of which every key has to be asked for before the end."""

    def __init__(self, name: str, values: Values) -> None:
        self._name, self._left = name, dict(values)

    def take(self, key: str, default: Any = None) -> Any:
        return self._left.pop(key, default)

    def skip(self, *keys: str) -> None:
        """What the runtime is not told of."""
        for key in keys:
            self._left.pop(key, None)

    def __enter__(self) -> "Fields":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        if kind is None and self._left:
            raise ValueError(f"{self._name}: {sorted(self._left)} is not translated for the CRI")


@dataclass(frozen=True)
class _Pod:
    """What the pod says of all its containers."""

    grace_secs: int
    critical: bool
    namespaces: dict[str, str]
    volumes: dict[str, Values]
    container: Values


def translate(
    template: Values, identity: Identity, image: str, volumes: Volumes, services: Mapping[str, str]
) -> PodRequest:
    """`template`: the DaemonSet's pod, as YAML. `services`: variables of the cluster's services."""
    pod = _pod(template["spec"])
    with Fields("container", pod.container) as fields:
        fields.skip("image", "imagePullPolicy")
        name = str(fields.take("name"))
        ports = {port["name"]: int(port["containerPort"]) for port in fields.take("ports", [])}
        readiness = _probe(fields.take("readinessProbe"), ports)
        liveness = _probe(fields.take("livenessProbe"), ports)
        mounts = [_mount(one, pod.volumes, volumes) for one in fields.take("volumeMounts", [])]
        security = _security(fields.take("securityContext", {}))
        container: dict[str, object] = {
            "metadata": {"name": name, "attempt": 0},
            "image": {"image": image},
            "command": fields.take("command", []),
            "args": fields.take("args", []),
            "envs": [*_environment(fields.take("env", []), identity), *_pairs(services)],
            "mounts": [*mounts, volumes.account()],
            "log_path": f"{name}/0.log",
            "linux": {
                "resources": _resources(fields.take("resources", {}), critical=pod.critical),
                "security_context": security | {"namespace_options": pod.namespaces},
            },
        }
    sandbox = _sandbox(template, identity, volumes, pod)
    return PodRequest(sandbox, container, pod.grace_secs, readiness, liveness)


def _pod(values: Values) -> _Pod:
    with Fields("pod", values) as pod:
        # of the scheduler, the API server and the kubelet itself
        pod.skip("serviceAccountName", "nodeSelector", "tolerations")
        (only,) = pod.take("containers")
        return _Pod(
            grace_secs=int(pod.take("terminationGracePeriodSeconds", 30)),
            critical=pod.take("priorityClassName", "") in _SYSTEM_CRITICAL,
            namespaces={
                "network": "NODE" if pod.take("hostNetwork", False) else "POD",
                "pid": "NODE" if pod.take("hostPID", False) else "CONTAINER",
                "ipc": "POD",
            },
            volumes={str(volume["name"]): volume for volume in pod.take("volumes", [])},
            container=only,
        )


def _sandbox(
    template: Values, identity: Identity, volumes: Volumes, pod: _Pod
) -> dict[str, object]:
    place = {"name": identity.name, "uid": identity.uid, "namespace": identity.namespace}
    logs = volumes.log_directory(identity.namespace, identity.name, identity.uid)
    return {
        "metadata": {**place, "attempt": 0},
        "hostname": identity.name,
        "log_directory": str(logs),
        "labels": template["metadata"]["labels"],
        "linux": {
            "cgroup_parent": "/logship-e2e",
            "security_context": {
                "namespace_options": pod.namespaces, "seccomp": {"profile_type": "RuntimeDefault"},
            },
        },
    }  # fmt: skip


def _probe(values: Values, ports: Mapping[str, int]) -> Probe:
    with Fields("probe", values) as probe:
        probe.skip("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold")
        get = probe.take("httpGet")
    return Probe(get["path"], ports[get["port"]])


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": name, "value": value} for name, value in values.items()]


def _environment(variables: list[Values], identity: Identity) -> list[dict[str, str]]:
    found = {}
    for values in variables:
        with Fields("env", values) as variable:
            name, source = variable.take("name"), variable.take("valueFrom")
            if source is None:
                found[name] = str(variable.take("value", ""))
            else:
                found[name] = identity.field(source["fieldRef"]["fieldPath"])
    return _pairs(found)


def _mount(values: Values, sources: Mapping[str, Values], volumes: Volumes) -> dict[str, object]:
    with Fields("volumeMount", values) as mount:
        return volumes.mount(
            sources[mount.take("name")],
            mount.take("mountPath"),
            read_only=bool(mount.take("readOnly", False)),
        )


def quantity(text: str) -> int:
    """Bytes of `320Mi`."""
    return int(text[:-2]) * _UNITS[text[-2:]]


def _resources(values: Values, *, critical: bool) -> dict[str, object]:
    with Fields("resources", values) as resources:
        requests, limits = resources.take("requests", {}), resources.take("limits", {})
    found: dict[str, object] = {"oom_score_adj": _CRITICAL_OOM_SCORE} if critical else {}
    with Fields("requests", requests) as request:
        request.skip("memory")  # of the scheduler, and of who is evicted first
        cpu = request.take("cpu")
        found["cpu_shares"] = int(cpu.removesuffix("m")) * 1024 // 1000
    with Fields("limits", limits) as limit:
        found["memory_limit_in_bytes"] = quantity(limit.take("memory"))
    return found


def _security(values: Values) -> dict[str, object]:
    with Fields("securityContext", values) as security:
        found: dict[str, object] = {
            "privileged": security.take("privileged", False),
            "no_new_privs": not security.take("allowPrivilegeEscalation", True),
            "readonly_rootfs": security.take("readOnlyRootFilesystem", False),
            "seccomp": {"profile_type": security.take("seccompProfile")["type"]},
            "masked_paths": _MASKED,
            "readonly_paths": _READ_ONLY,
        }
        with Fields("capabilities", security.take("capabilities", {})) as capabilities:
            found["capabilities"] = {
                "add_capabilities": capabilities.take("add", []),
                "drop_capabilities": capabilities.take("drop", []),
            }
        for key, name in (("runAsUser", "run_as_user"), ("runAsGroup", "run_as_group")):
            if (number := security.take(key)) is not None:
                found[name] = {"value": number}
    return found
