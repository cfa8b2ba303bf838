"""The manifests keep their promises, and their configurations start."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from logship.config import Config, load
from logship.registry import Registry
from tests.docs.command import ENVIRONMENT, check, validate
from tests.docs.manifests import (
    AGENT,
    LOADER,
    ClusterRole,
    ConfigMap,
    HostPath,
    Rule,
    all_of,
    config_text,
    workload,
)

BOTH = pytest.mark.parametrize("file", [AGENT, LOADER], ids=["agent", "loader"])
OLDEST, NEWEST = "1.25", "1.37"
"""Of the schemas in kubernetes-validate 1.37."""
needs_schemas = pytest.mark.skipif(
    importlib.util.find_spec("kubernetes_validate") is None,
    reason="kubernetes-validate is not installed (pip install kubernetes-validate)",
)


def config_of(file: Path) -> Config:
    registry = Registry.installed()
    return load(config_text(file), file=file.name, env=ENVIRONMENT, registry=registry)


@BOTH
def test_the_configuration_in_a_manifest_is_valid(file: Path, tmp_path: Path) -> None:
    config = tmp_path / "logship.yaml"
    config.write_text(config_text(file))
    check(config, config_text(file))


def test_the_agents_configuration_is_valid_inside_of_a_cluster(tmp_path: Path) -> None:
    config = tmp_path / "logship.yaml"
    config.write_text(config_text(AGENT))
    answer = validate(config, {**ENVIRONMENT, "KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    assert (answer.code, answer.err) == (0, "")


@BOTH
def test_a_container_gets_the_variables_that_its_configuration_names(file: Path) -> None:
    given = {variable.name: variable.valueFrom for variable in workload(file).container.env}
    assert {name for name in ENVIRONMENT if f"${{{name}}}" in config_text(file)} == given.keys()
    if "NODE_NAME" in given:
        assert given["NODE_NAME"].fieldRef.fieldPath == "spec.nodeName"


@BOTH
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
    assert workload(LOADER).container.securityContext.runAsNonRoot


@BOTH
def test_a_pod_is_given_longer_than_the_drain_takes(file: Path) -> None:
    drain = config_of(file).drain_timeout_secs
    assert workload(file).pod.terminationGracePeriodSeconds >= drain + 10


@BOTH
def test_the_probe_asks_the_port_that_the_configuration_opens(file: Path) -> None:
    container = workload(file).container
    listen = config_of(file).admin.listen
    ports = {port.name: port.containerPort for port in container.ports}
    assert listen is not None
    host, _, port = listen.rpartition(":")
    assert host == "", "the kubelet asks the pod's address, not loopback"
    assert container.livenessProbe.httpGet.path == "/healthz"
    assert ports[container.livenessProbe.httpGet.port] == int(port)


@BOTH
def test_the_command_reads_the_mounted_configuration(file: Path) -> None:
    pod, container = workload(file).pod, workload(file).container
    (config_map,) = all_of(file, "ConfigMap", ConfigMap)
    (key,) = config_map.data
    volume = next(v.name for v in pod.volumes if v.configMap is not None)
    mount = next(m for m in container.volumeMounts if m.name == volume)
    assert mount.readOnly
    assert container.args == ["run", "-c", f"{mount.mountPath}/{key}"]


def test_the_agent_may_read_pods_and_nothing_else() -> None:
    (role,) = all_of(AGENT, "ClusterRole", ClusterRole)
    assert role.rules == [Rule([""], ["pods"], ["get", "list", "watch"])]
    assert all_of(LOADER, "ClusterRole", ClusterRole) == []


def test_the_agent_sees_the_nodes_logs_read_only_and_its_own_state() -> None:
    pod, container = workload(AGENT).pod, workload(AGENT).container
    paths = {v.name: v.hostPath for v in pod.volumes if v.hostPath is not None}
    mounts = {m.name: (m.mountPath, m.readOnly) for m in container.volumeMounts}
    assert paths == {"pod-logs": HostPath("/var/log/pods"), "state": HostPath("/var/lib/logship")}
    assert mounts["pod-logs"] == ("/var/log/pods", True)
    assert mounts["state"] == (config_of(AGENT).state_dir, False)


@BOTH
def test_memory_is_bounded_and_cpu_is_not(file: Path) -> None:
    resources = workload(file).container.resources
    assert resources.requests.keys() == {"cpu", "memory"}
    assert resources.limits.keys() == {"memory"}


def test_the_agent_runs_on_every_linux_node() -> None:
    pod = workload(AGENT).pod
    assert pod.nodeSelector == {"kubernetes.io/os": "linux"}
    assert pod.tolerations == [{"operator": "Exists"}]
    assert pod.priorityClassName == "system-node-critical"


def test_no_two_agents_of_a_node_run_at_once() -> None:
    strategy = workload(AGENT).spec.updateStrategy
    assert strategy is not None
    assert (strategy.type, strategy.rollingUpdate.maxUnavailable) == ("RollingUpdate", "10%")


@BOTH
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
@BOTH
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
