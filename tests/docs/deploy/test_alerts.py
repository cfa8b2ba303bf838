"""Alerts fire when they should, name what exists, and lead to a section that helps."""

import re
import subprocess
from pathlib import Path
from shutil import copy, which

import msgspec
import pytest
import yaml

from tests.docs.command import REPOSITORY
from tests.docs.deploy.promql import labels_of_metrics, named, problems
from tests.docs.manifests import AGENT, DEPLOY, LOADER, workload

PROMTOOL = which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not on PATH (.ci/deploy-tools fetches it)"
)
CASES = Path(__file__).parent / "alerts_test.yaml"
PAGE = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")


class Rule(msgspec.Struct, forbid_unknown_fields=True, rename={"for_": "for"}):
    alert: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]
    for_: str = "0m"


class Group(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    rules: list[Rule]


class Spec(msgspec.Struct, forbid_unknown_fields=True):
    groups: list[Group]


class PrometheusRule(msgspec.Struct):
    apiVersion: str
    kind: str
    spec: Spec


def of_file() -> PrometheusRule:
    text = (DEPLOY / "alerts.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), PrometheusRule)


RULES = [rule for group in of_file().spec.groups for rule in group.rules]
each = pytest.mark.parametrize("rule", RULES, ids=[rule.alert for rule in RULES])


def promtool(directory: Path, *words: str, change: tuple[str, str] = ("", "")) -> str:
    """What it says of the groups (with one text replaced), after `SUCCESS` or `FAILED`."""
    assert PROMTOOL is not None
    groups = yaml.safe_dump(msgspec.to_builtins(of_file().spec))
    assert change[0] in groups
    (directory / "groups.yaml").write_text(groups.replace(*change))
    copy(CASES, directory)
    done = subprocess.run(
        [PROMTOOL, *words], cwd=directory, capture_output=True, text=True, timeout=60, check=False
    )
    return f"{'FAILED' if done.returncode else 'SUCCESS'}\n{done.stdout}{done.stderr}"


@needs_promtool
def test_prometheus_understands_the_rules(tmp_path: Path) -> None:
    said = promtool(tmp_path, "check", "rules", "groups.yaml")
    assert said.startswith("SUCCESS\n"), said


@needs_promtool
def test_each_alert_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    said = promtool(tmp_path, "test", "rules", CASES.name)
    assert said.startswith("SUCCESS\n"), said


@needs_promtool
def test_a_rule_that_never_fires_would_be_found(tmp_path: Path) -> None:
    said = promtool(tmp_path, "test", "rules", CASES.name, change=("- alert: ", "- alert: No"))
    assert said.startswith("FAILED\n"), said
    missed = set(re.findall(r'expr: ".*?alertname=\\"(\w+)\\"', said))
    assert missed == {rule.alert for rule in RULES}


@each
def test_an_alert_has_a_test(rule: Rule) -> None:
    assert f'ALERTS{{alertname="{rule.alert}"' in CASES.read_text(encoding="utf-8")


@each
def test_an_alert_names_only_what_exists(rule: Rule) -> None:
    texts = " ".join(rule.annotations.values())
    shown = re.findall(r"\$labels\.(\w+)", texts)
    assert problems(rule.expr, shown) == []
    for metric in re.findall(r"\blogship_\w+", texts):
        assert metric in labels_of_metrics()


@each
def test_an_alert_leads_to_its_section(rule: Rule) -> None:
    page, _, anchor = rule.annotations["runbook"].partition("#")
    assert page == "docs/operations.md"
    assert f"\n### {rule.alert}\n" in PAGE
    assert anchor == rule.alert.lower()


def test_the_page_has_no_section_of_an_alert_that_does_not_exist() -> None:
    assert re.findall(r"^### (Logship\w+)$", PAGE, re.M) == [rule.alert for rule in RULES]


@each
def test_an_alert_says_how_bad_it_is_and_what_it_means(rule: Rule) -> None:
    assert rule.labels.keys() == {"severity"}
    assert rule.labels["severity"] in ("warning", "critical")
    assert rule.annotations.keys() == {"summary", "description", "runbook"}


def test_metrics_and_labels_that_do_not_exist_are_found() -> None:
    assert problems("sum by (node, pid) (logship_origins{rout='x'} > logship_orgins)") == [
        "there is no metric logship_orgins",
        "logship_origins has no label rout",
        "nothing here has a label pid",
    ]
    assert problems("max by (node) (logship_origins)", ["route"]) == [
        "the result has no label route"
    ]
    assert named('rate(up{job=~"a{2}"}[5m]) unless up offset 5m').metrics == {"up": {"job"}}


class Endpoint(msgspec.Struct, forbid_unknown_fields=True):
    port: str
    path: str
    interval: str
    honorLabels: bool = False
    relabelings: list[dict[str, str | list[str]]] = []


class Requirement(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    operator: str
    values: list[str]


class Selector(msgspec.Struct, forbid_unknown_fields=True):
    matchExpressions: list[Requirement]


class MonitorSpec(msgspec.Struct, forbid_unknown_fields=True):
    selector: Selector
    podMetricsEndpoints: list[Endpoint] = []
    endpoints: list[Endpoint] = []
    targetLabels: dict[str, list[str]] = {}


class Monitor(msgspec.Struct):
    apiVersion: str
    kind: str
    spec: MonitorSpec


@pytest.mark.parametrize("name", ["podmonitor.yaml", "podmonitoring.yaml"])
def test_a_monitor_scrapes_the_agents_and_the_loaders(name: str) -> None:
    text = (DEPLOY / name).read_text(encoding="utf-8")
    spec = msgspec.convert(yaml.safe_load(text), Monitor).spec
    (wanted,) = spec.selector.matchExpressions
    (endpoint,) = [*spec.podMetricsEndpoints, *spec.endpoints]
    assert (wanted.key, wanted.operator) == ("app.kubernetes.io/name", "In")
    for file in (AGENT, LOADER):
        labels = workload(file).spec.template.metadata.labels
        assert labels[wanted.key] in wanted.values
        assert endpoint.port in {port.name for port in workload(file).container.ports}
    assert endpoint.path == "/metrics"
    added = {"node", *spec.targetLabels.get("metadata", ())}
    assert added >= {"node"}
