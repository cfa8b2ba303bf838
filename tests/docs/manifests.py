"""The manifests as values: what the tests look at, and nothing else.

A field that is missing or has another type does not convert, so most of a manifest's shape is
checked by reading it.
"""

from pathlib import Path
from typing import TypeVar

import msgspec
import yaml

from tests.docs.command import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
AGENT, LOADER = REPOSITORY / "daemonset.yaml", DEPLOY / "loader.yaml"
AUTOPILOT = DEPLOY / "autopilot.yaml"

T = TypeVar("T")


class Metadata(msgspec.Struct):
    name: str
    namespace: str = ""
    annotations: dict[str, str] = {}


class ConfigMap(msgspec.Struct):
    metadata: Metadata
    data: dict[str, str]


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    apiGroups: list[str]
    resources: list[str]
    verbs: list[str]


class ClusterRole(msgspec.Struct):
    metadata: Metadata
    rules: list[Rule]


class Capabilities(msgspec.Struct, forbid_unknown_fields=True):
    drop: list[str]


class Seccomp(msgspec.Struct):
    type: str


class SecurityContext(msgspec.Struct, forbid_unknown_fields=True):
    runAsUser: int
    runAsGroup: int
    privileged: bool
    allowPrivilegeEscalation: bool
    readOnlyRootFilesystem: bool
    capabilities: Capabilities
    seccompProfile: Seccomp
    runAsNonRoot: bool = False


class Resources(msgspec.Struct, forbid_unknown_fields=True):
    requests: dict[str, str]
    limits: dict[str, str]


class HttpGet(msgspec.Struct):
    path: str
    port: str


class Probe(msgspec.Struct):
    httpGet: HttpGet
    periodSeconds: int
    timeoutSeconds: int
    failureThreshold: int = 3


class Port(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    containerPort: int


class Mount(msgspec.Struct):
    name: str
    mountPath: str
    readOnly: bool = False


class FieldRef(msgspec.Struct):
    fieldPath: str


class ValueFrom(msgspec.Struct):
    fieldRef: FieldRef


class Variable(msgspec.Struct):
    name: str
    valueFrom: ValueFrom


class Container(msgspec.Struct):
    image: str
    args: list[str]
    ports: list[Port]
    livenessProbe: Probe
    readinessProbe: Probe
    resources: Resources
    securityContext: SecurityContext
    volumeMounts: list[Mount]
    env: list[Variable] = []


class HostPath(msgspec.Struct):
    path: str


class ConfigMapVolume(msgspec.Struct):
    name: str


class EmptyDir(msgspec.Struct):
    sizeLimit: str


class Volume(msgspec.Struct):
    name: str
    hostPath: HostPath | None = None
    configMap: ConfigMapVolume | None = None
    emptyDir: EmptyDir | None = None


class PodSpec(msgspec.Struct):
    serviceAccountName: str
    terminationGracePeriodSeconds: int
    nodeSelector: dict[str, str]
    containers: list[Container]
    volumes: list[Volume]
    tolerations: list[dict[str, str]] = []
    priorityClassName: str = ""
    hostNetwork: bool = False
    hostPID: bool = False
    automountServiceAccountToken: bool = True


class TemplateMetadata(msgspec.Struct):
    labels: dict[str, str]


class Template(msgspec.Struct):
    metadata: TemplateMetadata
    spec: PodSpec


class RollingUpdate(msgspec.Struct, forbid_unknown_fields=True):
    maxSurge: int
    maxUnavailable: int


class UpdateStrategy(msgspec.Struct):
    type: str
    rollingUpdate: RollingUpdate


class WorkloadSpec(msgspec.Struct):
    template: Template
    updateStrategy: UpdateStrategy | None = None


class ScopeSelector(msgspec.Struct):
    matchExpressions: list[dict[str, str | list[str]]]


class QuotaSpec(msgspec.Struct):
    hard: dict[str, str]
    scopeSelector: ScopeSelector


class ResourceQuota(msgspec.Struct):
    metadata: Metadata
    spec: QuotaSpec


class Workload(msgspec.Struct):
    """A DaemonSet or a Deployment."""

    metadata: Metadata
    spec: WorkloadSpec

    @property
    def pod(self) -> PodSpec:
        return self.spec.template.spec

    @property
    def container(self) -> Container:
        (only,) = self.pod.containers
        return only


def all_of(file: Path, kind: str, shape: type[T]) -> list[T]:
    """The objects of this kind in a manifest."""
    documents = yaml.safe_load_all(file.read_text(encoding="utf-8"))
    return [msgspec.convert(found, shape) for found in documents if found["kind"] == kind]


def workload(file: Path) -> Workload:
    (only,) = [*all_of(file, "DaemonSet", Workload), *all_of(file, "Deployment", Workload)]
    return only


def config_text(file: Path) -> str:
    """The logship.yaml in a manifest."""
    (only,) = all_of(file, "ConfigMap", ConfigMap)
    (text,) = only.data.values()
    return text
