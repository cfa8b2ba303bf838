"""The patches of the migration fit the DaemonSets they are for, and run commands that exist."""

import argparse
import subprocess
import sys
from pathlib import Path
from shutil import which

import msgspec
import pytest
import yaml

from logship.cli.positions import add_arguments
from tests.docs.deploy.chart import in_files, needs_helm, objects, render
from tests.docs.manifests import AGENT, DEPLOY, Container, Mount, Volume
from tests.docs.test_manifests import NEWEST, OLDEST, needs_schemas

KUBECTL = which("kubectl")
needs_kubectl = pytest.mark.skipif(
    KUBECTL is None, reason="kubectl is not on PATH (.ci/deploy-tools fetches it)"
)
PATCHES = DEPLOY / "migrate"
FLUENTD = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: fluentd, namespace: kube-system}
spec:
  selector: {matchLabels: {app: fluentd}}
  template:
    metadata: {labels: {app: fluentd}}
    spec:
      containers:
        - name: fluentd
          image: fluentd
          volumeMounts: [{name: varlog, mountPath: /var/log}]
      volumes: [{name: varlog, hostPath: {path: /var/log}}]
"""


class InitContainer(msgspec.Struct):
    image: str
    args: list[str]
    volumeMounts: list[Mount]


class Pod(msgspec.Struct):
    containers: list[dict[str, object]]
    volumes: list[Volume]
    initContainers: list[InitContainer] = []
    nodeSelector: dict[str, str] = {}
    affinity: dict[str, object] = {}


class Template(msgspec.Struct):
    spec: Pod


class Spec(msgspec.Struct):
    template: Template


class DaemonSet(msgspec.Struct):
    spec: Spec


def agents_daemonset() -> str:
    documents = yaml.safe_load_all(AGENT.read_text(encoding="utf-8"))
    return yaml.safe_dump(next(one for one in documents if one["kind"] == "DaemonSet"))


TARGETS = {
    "logship-takes-over.yaml": agents_daemonset(),
    "fluentd-makes-room.yaml": FLUENTD,
    "fluentd-takes-back.yaml": FLUENTD,
}


def patched(name: str, directory: Path) -> Path:
    """The DaemonSet with the patch, as the API server would merge it."""
    assert KUBECTL is not None
    target = directory / "daemonset.yaml"
    target.write_text(TARGETS[name])
    words = ["patch", "--local", "-f", str(target), "--patch-file", str(PATCHES / name)]
    done = subprocess.run(
        [KUBECTL, *words, "-o", "yaml"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    result = directory / "patched.yaml"
    result.write_text(done.stdout)
    return result


def pod_of(file: Path) -> Pod:
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    return msgspec.convert(found, DaemonSet).spec.template.spec


def test_all_patches_are_looked_at() -> None:
    assert {file.name for file in PATCHES.iterdir()} == TARGETS.keys()


@needs_kubectl
@needs_schemas
@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("minor", [OLDEST, NEWEST])
def test_what_a_patch_makes_fits_the_schemas(name: str, minor: str, tmp_path: Path) -> None:
    file = patched(name, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "kubernetes_validate", "--strict", "-k", minor, str(file)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@needs_kubectl
@pytest.mark.parametrize("name", ["logship-takes-over.yaml", "fluentd-takes-back.yaml"])
def test_an_init_container_finds_what_its_command_names(name: str, tmp_path: Path) -> None:
    pod = pod_of(patched(name, tmp_path))
    (one,) = pod.initContainers
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = parser.parse_args(one.args[1:])
    assert one.args[0] == "positions"
    assert options.yes
    assert options.if_newer
    mounts = {mount.mountPath: mount for mount in one.volumeMounts}
    volumes = {volume.name: volume for volume in pod.volumes}
    assert volumes[mounts["/etc/logship"].name].configMap is not None
    for path in ("/var/log", "/var/lib/logship"):
        found = volumes[mounts[path].name].hostPath
        assert found is not None
        assert found.path == path
    assert options.config == "/etc/logship/logship.yaml"
    theirs = options.fluentd[0] if options.action == "import" else options.fluentd
    assert theirs.startswith("/var/log/")
    assert mounts["/var/log"].readOnly == (options.action == "import")


@needs_kubectl
def test_the_agent_goes_only_to_nodes_that_are_labelled_for_it(tmp_path: Path) -> None:
    pod = pod_of(patched("logship-takes-over.yaml", tmp_path))
    assert pod.nodeSelector == {"kubernetes.io/os": "linux", "logs": "logship"}
    agent = msgspec.convert(pod.containers[0], Container)
    assert pod.initContainers[0].image == agent.image


@needs_kubectl
@needs_helm
def test_the_chart_can_do_the_same(tmp_path: Path) -> None:
    patch = yaml.safe_load((PATCHES / "logship-takes-over.yaml").read_text(encoding="utf-8"))
    pod = patch["spec"]["template"]["spec"]
    values = {
        "nodeSelector": pod["nodeSelector"],
        "initContainers": pod["initContainers"],
        "extraVolumes": pod["volumes"],
    }
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    rendered = objects(render(file=str(file)))["DaemonSet", "logship"]
    merged = in_files(patched("logship-takes-over.yaml", tmp_path))["DaemonSet", "logship"]
    pods = [msgspec.convert(one, DaemonSet).spec.template.spec for one in (rendered, merged)]
    for found in pods:
        found.volumes.sort(key=lambda volume: volume.name)  # kubectl puts new ones first
    assert pods[0] == pods[1]


@needs_kubectl
def test_fluentd_leaves_exactly_the_nodes_that_logship_comes_to(tmp_path: Path) -> None:
    pod = pod_of(patched("fluentd-makes-room.yaml", tmp_path))
    assert "{'key': 'logs', 'operator': 'NotIn', 'values': ['logship', 'none']}" in str(
        pod.affinity
    )
