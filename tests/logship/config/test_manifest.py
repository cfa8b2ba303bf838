"""A configuration that is inside of a manifest of Kubernetes."""

from pathlib import Path

import pytest

from logship.cli import main
from logship.cli.configuration import read
from logship.config import Report
from logship.config.manifest import Found, find, is_manifest

CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: logship}
data:
  other: text
  logship.yaml: |
    # a comment
    sources:
      logs: {type: files, paths: [/var/log/*.log]}

    routes: [{name: all, from: [logs], to: out}]
    sinks: {out: {type: "null"}}
    node: ${NODE_NAME}
"""
DAEMON_SET = """\
kind: DaemonSet
spec:
  template:
    spec:
      containers:
        - env:
            - {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
            - {name: CLUSTER, value: prod}
"""
FIRST = "# Apply it with kubectl.\nkind: Namespace\nmetadata: {name: logship}\n"
MANIFEST = f"{FIRST}---\n{CONFIG_MAP}---\n{DAEMON_SET}"


def found(text: str) -> Found:
    report = Report("m.yaml", text)
    inside = find(text, report)
    assert inside is not None, report.problems
    return inside


def message(text: str) -> str:
    report = Report("m.yaml", text)
    assert find(text, report) is None
    (problem,) = report.problems
    return problem.message


def test_lines_stay_where_they_are() -> None:
    inside = found(MANIFEST)
    assert inside.name == "logship"
    lines, whole = inside.text.split("\n"), MANIFEST.split("\n")
    kept = {number for number, line in enumerate(lines) if line.strip()}
    assert [whole[number] for number in sorted(kept)] == CONFIG_MAP.split("\n")[6:9] + (
        CONFIG_MAP.split("\n")[10:13]
    )
    assert all(lines[number] == whole[number] for number in kept)


@pytest.mark.parametrize("end", ["", "\n", "\n---\n", "\n  more: text\n"])
def test_whatever_follows_the_block(end: str) -> None:
    inside = found(CONFIG_MAP.rstrip("\n") + end)
    assert inside.text.strip().endswith("node: ${NODE_NAME}")


def test_variables_of_the_containers() -> None:
    assert found(MANIFEST).env == {"NODE_NAME": "NODE_NAME", "CLUSTER": "prod"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FIRST, "no ConfigMap in it has `logship.yaml`"),
        (CONFIG_MAP.replace("logship.yaml", "config.yaml"), "no ConfigMap in it has"),
        (f"{CONFIG_MAP}---\n{CONFIG_MAP}", "several ConfigMaps have `logship.yaml`"),
        (CONFIG_MAP.replace("logship.yaml: |", "logship.yaml: >"), "written as a block"),
        ("kind: ConfigMap\ndata: {logship.yaml: 'sources: 1'}\n", "written as a block"),
        ("kind: List\nitems: [", "not valid YAML"),
        ("kind: " + "[" * 100, "nested deeper than 50 levels"),
    ],
)
def test_what_cannot_be_found_is_explained(text: str, said: str) -> None:
    assert said in message(text)


def test_a_configuration_is_no_manifest() -> None:
    assert not is_manifest("sources: {}\n  kind: x\n# kind: y\n")
    assert is_manifest(MANIFEST)


def test_validate_tells_the_line_of_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NODE_NAME", raising=False)
    file = tmp_path / "m.yaml"
    file.write_text(MANIFEST)
    assert main(["validate", "-c", str(file)]) == 0
    said = capsys.readouterr().out
    assert said == f"{file} (logship.yaml of the ConfigMap logship) is valid: all -> out\n"
    file.write_text(MANIFEST.replace("to: out", "to: outt"))
    assert main(["validate", "-c", str(file)]) == 2
    assert capsys.readouterr().err.startswith(f"{file}:15:44: error: routes[0].to: there is no")


def test_what_runs_takes_no_variable_from_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NODE_NAME", raising=False)
    file = tmp_path / "m.yaml"
    file.write_text(MANIFEST)
    assert read(str(file)) is None
    assert "variable `NODE_NAME` is not set" in capsys.readouterr().err


def test_a_manifest_without_a_configuration_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(FIRST)
    assert main(["validate", "-c", str(file)]) == 2
    assert "give it a ConfigMap with the key `logship.yaml`" in capsys.readouterr().err
