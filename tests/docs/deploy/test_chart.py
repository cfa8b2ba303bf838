"""The Helm chart renders the objects of the manifests, and what its values say beside them."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import yaml

from tests.docs.command import check
from tests.docs.deploy.chart import CHART, helm, in_files, needs_helm, objects, render
from tests.docs.manifests import AGENT, AUTOPILOT, DEPLOY, LOADER
from tests.docs.test_manifests import NEWEST, OLDEST, needs_schemas

CUSTOM_KINDS = ("PodMonitor", "PrometheusRule")
"""Of Prometheus Operator: kubernetes-validate has no schemas of them."""
EVERYTHING = (
    "namespace.create=true", "loader.enabled=true", "monitoring.podMonitor=true",
    "monitoring.alerts=true", "monitoring.dashboard=true",
)  # fmt: skip


@needs_helm
def test_the_chart_renders_the_manifest_of_the_agent() -> None:
    assert objects(render("namespace.create=true")) == in_files(AGENT)


@needs_helm
def test_the_chart_renders_the_manifest_for_autopilot() -> None:
    rendered = render("namespace.create=true", file="values-autopilot.yaml")
    assert objects(rendered) == in_files(AUTOPILOT)


@needs_helm
def test_the_chart_renders_the_manifest_of_the_loader() -> None:
    rendered = objects(render("namespace.create=true", "loader.enabled=true"))
    assert rendered == in_files(AGENT, LOADER)


@needs_helm
def test_the_chart_renders_the_objects_of_prometheus_operator() -> None:
    settings = ("namespace.create=true", "monitoring.podMonitor=true", "monitoring.alerts=true")
    files = (AGENT, DEPLOY / "podmonitor.yaml", DEPLOY / "alerts.yaml")
    assert objects(render(*settings)) == in_files(*files)


@needs_helm
def test_the_chart_brings_the_dashboard() -> None:
    config = objects(render("monitoring.dashboard=true"))["ConfigMap", "logship-dashboard"]
    shown = yaml.safe_load((DEPLOY / "dashboard.json").read_text(encoding="utf-8"))
    assert config["data"] == {"logship.json": shown}


@needs_helm
def test_a_release_of_another_name_shares_nothing_with_the_first() -> None:
    first, other = (objects(render(*EVERYTHING, release=name)) for name in ("logship", "audit"))
    names = {key for key in first if key[0] != "Namespace"}
    assert names.isdisjoint(other)
    assert len(first) == len(other)
    alert = str(other["PrometheusRule", "audit"])
    assert 'daemonset="audit"' in alert
    assert 'daemonset="logship"' not in alert


@needs_helm
@needs_schemas
@pytest.mark.parametrize("minor", [OLDEST, NEWEST])
@pytest.mark.parametrize("file", [None, "values-autopilot.yaml"])
def test_what_the_chart_renders_fits_the_schemas_of_kubernetes(
    minor: str, file: str | None, tmp_path: Path
) -> None:
    rendered = render(*EVERYTHING, "loader.autoscaling.enabled=true", file=file)
    known = [one for one in yaml.safe_load_all(rendered) if one["kind"] not in CUSTOM_KINDS]
    manifest = tmp_path / "all.yaml"
    manifest.write_text(yaml.safe_dump_all(known))
    done = subprocess.run(
        [sys.executable, "-m", "kubernetes_validate", "--strict", "-k", minor, str(manifest)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" passed for resource ") == len(known)


@needs_helm
def test_an_autoscaled_loader_has_no_number_of_replicas_of_its_own() -> None:
    rendered = objects(render("loader.enabled=true", "loader.autoscaling.enabled=true"))
    assert ("HorizontalPodAutoscaler", "logship-loader") in rendered
    assert "replicas" not in str(rendered["Deployment", "logship-loader"]["spec"])


@needs_helm
def test_values_that_are_set_reach_the_configuration(tmp_path: Path) -> None:
    rendered = render("clusterName=prod", "topic=projects/my-project/topics/rows", "startFrom=1h")
    (text,) = re.findall(r"logship\.yaml: \|\n((?:    .*\n|\n)+)", rendered)
    config = tmp_path / "logship.yaml"
    config.write_text(text)
    check(config, text)
    said = yaml.safe_load(text)
    assert said["cluster"] == "prod"
    assert said["sinks"]["app-events"]["topic"] == "projects/my-project/topics/rows"
    assert said["sources"]["containers"]["start_from"] == "1h"


@needs_helm
@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("clusterNme=prod", "additional properties 'clusterNme' not allowed"),
        ("loader.replica=3", "additional properties 'replica' not allowed"),
        ("clusterName=", "clusterName"),
        ("terminationGracePeriodSeconds=long", "got string, want integer"),
        ("googleServiceAccount=logship", "googleServiceAccount"),
        ("resources.limits.memory=lots", "memory"),
        ("startFrom=yesterday", "startFrom"),
    ],
)
def test_a_wrong_value_is_refused(setting: str, said: str) -> None:
    done = helm("template", "logship", str(CHART), "-n", "logship", "--set", setting)
    assert done.returncode != 0
    assert said in done.stderr


@needs_helm
def test_helm_finds_nothing_to_complain_of() -> None:
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout


@needs_helm
def test_a_package_of_the_chart_has_the_files_that_are_links_here(tmp_path: Path) -> None:
    done = helm("package", str(CHART), "-d", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (package,) = tmp_path.glob("*.tgz")
    shown = helm(
        "template", "logship", str(package), "-n", "logship", "--set", ",".join(EVERYTHING)
    )
    assert objects(shown.stdout) == objects(render(*EVERYTHING))


@needs_helm
def test_the_notes_say_what_has_not_been_edited() -> None:
    words = ("install", "logship", str(CHART), "-n", "logship", "--dry-run=client")
    fresh = helm(*words).stdout.split("NOTES:")[1]
    assert "googleServiceAccount is still logship@PROJECT_ID" in fresh
    assert "clusterName is still my-cluster" in fresh
    edited = ("--set", "googleServiceAccount=logship@p.iam.gserviceaccount.com,clusterName=prod")
    notes = helm(*words, *edited).stdout.split("NOTES:")[1]
    assert "still" not in notes
    assert "rollout status daemonset/logship" in notes


class Values(msgspec.Struct):
    properties: dict[str, "Values"] = {}
    description: str = ""


def described(values: Values, path: str = "") -> set[str]:
    return {
        name
        for key, value in values.properties.items()
        for name in {f"{path}{key}", *described(value, f"{path}{key}.")}
    }


def named(values: dict[str, object], path: str = "") -> set[str]:
    found = set()
    for key, value in values.items():
        found.add(f"{path}{key}")
        if isinstance(value, dict) and key not in ("resources", "nodeSelector"):
            found |= named(value, f"{path}{key}.")
    return found


def test_the_schema_knows_every_value_and_no_other() -> None:
    schema = msgspec.json.decode((CHART / "values.schema.json").read_bytes(), type=Values)
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    assert described(schema) - {"global"} == named(values)


def test_the_readme_names_every_value() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    readme = (CHART / "README.md").read_text(encoding="utf-8")
    assert [key for key in values if not re.search(rf"`{key}[`.]", readme)] == []


@needs_helm
def test_a_configuration_of_ones_own_takes_the_place_of_the_charts(tmp_path: Path) -> None:
    file = tmp_path / "logship.yaml"
    file.write_text("cluster: {{ .Values.clusterName }}\nnode: ${NODE_NAME}\n")
    words = ["template", "logship", str(CHART), "-n", "logship", "--set-file", f"config={file}"]
    config = objects(helm(*words).stdout)["ConfigMap", "logship"]["data"]
    assert config == {"logship.yaml": {"cluster": "my-cluster", "node": "${NODE_NAME}"}}


def test_the_charts_version_is_the_projects() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = (DEPLOY.parent / "pyproject.toml").read_text(encoding="utf-8")
    (version,) = re.findall(r'^version = "(.+)"$', project, re.M)
    assert chart["version"] == chart["appVersion"] == version
    assert chart["kubeVersion"] == f">={OLDEST}.0-0"
