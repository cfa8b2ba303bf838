"""The manifests keep their promises, and their configurations start."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from logship.config import Config, load
from logship.registry import Registry
from tests.docs.command import ENVIRONMENT, REPOSITORY, check, validate
from tests.docs.manifests import (
    AGENT,
    AUTOPILOT,
    LOADER,
    ClusterRole,
    ConfigMap,
    EmptyDir,
    HostPath,
    ResourceQuota,
    RollingUpdate,
    Rule,
    all_of,
    config_text,
    workload,
)

ALL = pytest.mark.parametrize(
    "file", [AGENT, AUTOPILOT, LOADER], ids=["agent", "autopilot", "loader"]
)
AGENTS = pytest.mark.parametrize("file", [AGENT, AUTOPILOT], ids=["agent", "autopilot"])
OLDEST, NEWEST = "1.25", "1.37"
"""Of the schemas in kubernetes-validate 1.37."""
needs_schemas = pytest.mark.skipif(
    importlib.util.find_spec("kubernetes_validate") is None,
    reason="kubernetes-validate is not installed (pip install kubernetes-validate)",
)


def config_of(file: Path) -> Config:
    registry = Registry.installed()
    return load(config_text(file), file=file.name, env=ENVIRONMENT, registry=registry)


@ALL
def test_the_configuration_in_a_manifest_is_valid(file: Path, tmp_path: Path) -> None:
    config = tmp_path / "logship.yaml"
    config.write_text(config_text(file))
    check(config, config_text(file))


@AGENTS
def test_the_agents_configuration_is_valid_inside_of_a_cluster(file: Path, tmp_path: Path) -> None:
    config = tmp_path / "logship.yaml"
    config.write_text(config_text(file))
    answer = validate(config, {**ENVIRONMENT, "KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    assert (answer.code, answer.err) == (0, "")


@ALL
def test_a_container_gets_the_variables_that_its_configuration_names(file: Path) -> None:
    given = {variable.name: variable.valueFrom for variable in workload(file).container.env}
    assert {name for name in ENVIRONMENT if f"${{{name}}}" in config_text(file)} == given.keys()
    if "NODE_NAME" in given:
        assert given["NODE_NAME"].fieldRef.fieldPath == "spec.nodeName"


@ALL
def test_a_container_has_no_more_rights_than_it_needs(file: Path) -> None:
    context = workload(file).container.securityContext
    assert context.capabilities.drop == ["ALL"]
    assert context.seccompProfile.type == "RuntimeDefault"
    assert context.readOnlyRootFilesystem
    assert not context.allowPrivilegeEscalation
    assert not context.privileged
    assert not workload(file).pod.hostNetwork
    assert not workload(file).pod.hostPID


def test_the_agent_reads_logs_as_root_and_the_loader_is_not_root() -> None:
    assert workload(AGENT).container.securityContext.runAsUser == 0
    assert workload(AUTOPILOT).container.securityContext.runAsUser == 0
    assert workload(LOADER).container.securityContext.runAsNonRoot


@ALL
def test_a_pod_is_given_longer_than_the_drain_takes(file: Path) -> None:
    drain = config_of(file).drain_timeout_secs
    assert workload(file).pod.terminationGracePeriodSeconds >= drain + 10


@ALL
def test_the_probes_ask_the_port_that_the_configuration_opens(file: Path) -> None:
    container = workload(file).container
    listen = config_of(file).admin.listen
    ports = {port.name: port.containerPort for port in container.ports}
    assert listen is not None
    host, _, port = listen.rpartition(":")
    assert host == "", "the kubelet asks the pod's address, not loopback"
    assert container.livenessProbe.httpGet.path == "/healthz"
    assert container.readinessProbe.httpGet.path == "/readyz"
    for probe in (container.livenessProbe, container.readinessProbe):
        assert ports[probe.httpGet.port] == int(port)


@ALL
def test_a_loaded_node_is_no_reason_to_restart(file: Path) -> None:
    probe = workload(file).container.livenessProbe
    assert probe.timeoutSeconds >= 5
    assert probe.periodSeconds * probe.failureThreshold >= 60


@ALL
def test_the_command_reads_the_mounted_configuration(file: Path) -> None:
    pod, container = workload(file).pod, workload(file).container
    (config_map,) = all_of(file, "ConfigMap", ConfigMap)
    (key,) = config_map.data
    volume = next(v.name for v in pod.volumes if v.configMap is not None)
    mount = next(m for m in container.volumeMounts if m.name == volume)
    assert mount.readOnly
    assert container.args == ["run", "-c", f"{mount.mountPath}/{key}"]


@AGENTS
def test_the_agent_may_read_pods_and_namespaces_and_nothing_else(file: Path) -> None:
    (role,) = all_of(file, "ClusterRole", ClusterRole)
    assert role.rules == [Rule([""], ["pods", "namespaces"], ["get", "list", "watch"])]
    documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    assert {found["kind"] for found in documents if "Role" in found["kind"]} == {
        "ClusterRole", "ClusterRoleBinding",
    }  # fmt: skip


def test_the_loader_asks_nothing_of_the_api() -> None:
    assert all_of(LOADER, "ClusterRole", ClusterRole) == []
    assert workload(LOADER).pod.automountServiceAccountToken is False


def test_the_agent_sees_the_nodes_logs_read_only_and_its_own_state() -> None:
    pod, container = workload(AGENT).pod, workload(AGENT).container
    paths = {v.name: v.hostPath for v in pod.volumes if v.hostPath is not None}
    mounts = {m.name: (m.mountPath, m.readOnly) for m in container.volumeMounts}
    assert paths == {"pod-logs": HostPath("/var/log/pods"), "state": HostPath("/var/lib/logship")}
    assert mounts["pod-logs"] == ("/var/log/pods", True)
    assert mounts["state"] == (config_of(AGENT).state_dir, False)


def test_on_autopilot_nothing_of_the_node_can_be_written() -> None:
    pod, container = workload(AUTOPILOT).pod, workload(AUTOPILOT).container
    volumes = {volume.name: volume for volume in pod.volumes}
    assert volumes["state"].emptyDir == EmptyDir("2Gi")
    for volume in pod.volumes:
        if volume.hostPath is not None:
            assert volume.hostPath.path.startswith("/var/log/")
            assert all(m.readOnly for m in container.volumeMounts if m.name == volume.name)


def test_autopilot_differs_only_where_it_has_to() -> None:
    """Whatever else is changed in one manifest has to be changed in the other."""
    agent, autopilot = (yaml.safe_load_all(file.read_text("utf-8")) for file in (AGENT, AUTOPILOT))
    for ours, theirs in zip(agent, autopilot, strict=True):
        if ours["kind"] == "ConfigMap":
            (mine,), (other,) = ours["data"].values(), theirs["data"].values()
            config, variant = yaml.safe_load(mine), yaml.safe_load(other)
            assert variant["sources"]["containers"].pop("start_from") == "10m"
            assert config == variant
            continue
        for found in (ours, theirs):
            if found["kind"] == "DaemonSet":
                pod = found["spec"]["template"]["spec"]
                pod["containers"][0].pop("resources")
                pod["volumes"] = [v for v in pod["volumes"] if v["name"] != "state"]
        assert ours == theirs


@ALL
def test_memory_is_bounded_and_cpu_is_not(file: Path) -> None:
    resources = workload(file).container.resources
    assert resources.requests.keys() - {"ephemeral-storage"} == {"cpu", "memory"}
    assert resources.limits.keys() - {"ephemeral-storage"} == {"memory"}


def test_memory_is_what_was_measured() -> None:
    """docs/operations.md, "Sizing", says what the figures are made of."""
    agent, loader = workload(AGENT).container.resources, workload(LOADER).container.resources
    page = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    figures = re.search(
        r"`daemonset.yaml` requests (\d+) MiB and allows (\d+), the loader (\d+) MiB and (\d+) GiB",
        page,
    )
    assert figures is not None
    assert [agent.requests["memory"], agent.limits["memory"]] == [
        f"{figures[1]}Mi", f"{figures[2]}Mi",
    ]  # fmt: skip
    assert [loader.requests["memory"], loader.limits["memory"]] == [
        f"{figures[3]}Mi", f"{figures[4]}Gi",
    ]  # fmt: skip


@AGENTS
def test_the_agent_runs_on_every_linux_node(file: Path) -> None:
    pod = workload(file).pod
    assert pod.nodeSelector == {"kubernetes.io/os": "linux"}
    assert pod.tolerations == [{"operator": "Exists"}]
    assert pod.priorityClassName == "system-node-critical"


@AGENTS
def test_the_namespace_has_a_quota_for_the_priority(file: Path) -> None:
    """GKE admits pods of a system's priority only where a ResourceQuota says so."""
    (quota,) = all_of(file, "ResourceQuota", ResourceQuota)
    (scope,) = quota.spec.scopeSelector.matchExpressions
    priority = workload(file).pod.priorityClassName
    assert scope == {"scopeName": "PriorityClass", "operator": "In", "values": [priority]}
    kinds = [found["kind"] for found in yaml.safe_load_all(file.read_text(encoding="utf-8"))]
    assert kinds.index("ResourceQuota") < kinds.index("DaemonSet")


@AGENTS
def test_the_new_agent_of_a_node_is_ready_before_the_old_one_ends(file: Path) -> None:
    strategy = workload(file).spec.updateStrategy
    assert strategy is not None
    assert strategy.type == "RollingUpdate"
    assert strategy.rollingUpdate == RollingUpdate(maxSurge=1, maxUnavailable=0)
    assert "hostPort" not in file.read_text(encoding="utf-8"), "two agents could not both have it"


@AGENTS
def test_the_first_lines_of_the_configuration_are_what_a_newcomer_edits(file: Path) -> None:
    lines = config_text(file).splitlines()
    edits = [number for number, line in enumerate(lines) if "EDIT" in line]
    assert edits == [0, 4]
    said = file.read_text(encoding="utf-8").count("# EDIT")
    assert said == 4, "the service account, the cluster, the topic, the image"


@ALL
def test_all_objects_are_in_one_namespace(file: Path) -> None:
    documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    cluster_wide = ("Namespace", "ClusterRole", "ClusterRoleBinding")
    inside = [found["metadata"] for found in documents if found["kind"] not in cluster_wide]
    assert inside
    assert {metadata["namespace"] for metadata in inside} == {"logship"}


def by_schema(file: Path, minor: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", "-k", minor, str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@needs_schemas
@ALL
@pytest.mark.parametrize("minor", [OLDEST, NEWEST])
def test_a_manifest_fits_the_schemas_of_kubernetes(file: Path, minor: str) -> None:
    done = by_schema(file, minor)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_schemas
def test_the_schemas_would_find_a_misspelt_field(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    text = AGENT.read_text(encoding="utf-8")
    wrong.write_text(text.replace("priorityClassName", "priorityClasName"))
    assert by_schema(wrong, NEWEST).returncode != 0
