"""What containerd is asked for is daemonset.yaml, whole, as the kubelet would ask for it."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.containerd.rollout.manifest import Identity, PodRequest, quantity, translate
from tests.e2e.containerd.rollout.node import manifest_of
from tests.e2e.containerd.rollout.volumes import Volumes

IDENTITY = Identity("logship", "logship-x", "uid-x", "node-7")
Change = tuple[str, Any]


@pytest.fixture
def template() -> Any:
    return deepcopy(manifest_of("DaemonSet", "logship")["spec"]["template"])


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    (tmp_path / "node/var/log/pods").mkdir(parents=True)
    files = {"logship": {"logship.yaml": "cluster: here\n"}}
    return Volumes(tmp_path / "node", tmp_path / "pod", tmp_path / "account", files)


def requested(template: Any, volumes: Volumes) -> PodRequest:
    return translate(template, IDENTITY, "image:1", volumes, {"KUBERNETES_SERVICE_HOST": "1.2.3.4"})


def test_the_security_context_and_the_limits_of_the_manifest(
    template: Any, volumes: Volumes
) -> None:
    linux: Any = requested(template, volumes).container["linux"]
    assert linux["resources"] == {
        "cpu_shares": 102, "memory_limit_in_bytes": 320 << 20, "oom_score_adj": -997,
    }  # fmt: skip
    security = linux["security_context"]
    del security["masked_paths"], security["readonly_paths"]
    assert security == {
        "privileged": False,
        "no_new_privs": True,
        "readonly_rootfs": True,
        "seccomp": {"profile_type": "RuntimeDefault"},
        "capabilities": {"add_capabilities": [], "drop_capabilities": ["ALL"]},
        "run_as_user": {"value": 0},
        "run_as_group": {"value": 0},
        "namespace_options": {"network": "POD", "pid": "CONTAINER", "ipc": "POD"},
    }


def test_volumes_are_mounted_where_the_manifest_says(
    template: Any, volumes: Volumes, tmp_path: Path
) -> None:
    mounts: Any = requested(template, volumes).container["mounts"]
    found = {mount["container_path"]: (mount["host_path"], mount["readonly"]) for mount in mounts}
    assert found == {
        "/etc/logship": (f"{tmp_path}/pod/volumes/logship", True),
        "/var/log/pods": (f"{tmp_path}/node/var/log/pods", True),
        "/var/lib/logship": (f"{tmp_path}/node/var/lib/logship", False),
        "/var/run/secrets/kubernetes.io/serviceaccount": (f"{tmp_path}/account", True),
    }
    assert (tmp_path / "pod/volumes/logship/logship.yaml").read_text() == "cluster: here\n"
    assert (tmp_path / "node/var/lib/logship").is_dir()


def test_variables_come_from_the_downward_api_and_from_services(
    template: Any, volumes: Volumes
) -> None:
    assert requested(template, volumes).container["envs"] == [
        {"key": "NODE_NAME", "value": "node-7"},
        {"key": "KUBERNETES_SERVICE_HOST", "value": "1.2.3.4"},
    ]


@pytest.mark.parametrize(
    ("where", "field", "name"),
    [
        ((), ("shareProcessNamespace", True), "pod"),
        (("containers", 0), ("lifecycle", {}), "container"),
        (("containers", 0, "securityContext"), ("procMount", "Unmasked"), "securityContext"),
        (("containers", 0, "securityContext", "capabilities"), ("new", []), "capabilities"),
        (("containers", 0, "resources", "limits"), ("cpu", "1"), "limits"),
        (("containers", 0, "volumeMounts", 0), ("subPath", "x"), "volumeMount"),
    ],
)
def test_a_field_that_is_not_translated_is_refused(
    template: Any, volumes: Volumes, where: tuple[str | int, ...], field: Change, name: str
) -> None:
    found: Any = template["spec"]
    for key in where:
        found = found[key]
    found[field[0]] = field[1]
    with pytest.raises(ValueError, match=f"{name}: .'{field[0]}'. is not translated"):
        requested(template, volumes)


def test_a_directory_of_the_node_that_is_not_there_keeps_the_pod_from_starting(
    template: Any, volumes: Volumes, tmp_path: Path
) -> None:
    (tmp_path / "node/var/log/pods").rmdir()
    with pytest.raises(AssertionError, match="the kubelet would not start"):
        requested(template, volumes)


def test_quantities() -> None:
    assert [quantity(text) for text in ("1Ki", "320Mi", "2Gi")] == [1024, 320 << 20, 2 << 30]
