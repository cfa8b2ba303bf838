"""What `logship test` says: of tests that fail, and of files of tests that are wrong.

Each golden/*.yaml is a file of tests, with beside it the *.txt that a person sees: the exit code,
what goes to stdout, what to stderr. UPDATE_GOLDEN=1 rewrites them; read their difference.
"""

import os
from pathlib import Path

import orjson
import pytest

from logship.cli import main

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(GOLDEN.glob("*.yaml"))
CONFIG = """\
cluster: ${CLUSTER}
sources:
  containers: {type: kubernetes, join: [python]}
  logs: {type: files, paths: [/var/log/app/*.log]}
routes:
  - name: app
    from: [containers]
    match: {annotations: {logship/route: app}}
    on_unknown: skip
    continue: true
    to: records
  - name: web
    from: [containers]
    match: {namespace: web}
    when: {not: {severity: DEBUG}}
    transforms:
      - {type: grep, drop: {contains: healthz}}
    to: entries
  - {name: logs, from: [logs], to: forgotten}
sinks:
  records: {type: pubsub, topic: projects/p/topics/app-logs, format: record}
  entries: {type: cloud_logging, project: p, location: here}
  forgotten: {type: "null"}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "logship.yaml").write_text(CONFIG)
    monkeypatch.setenv("CLUSTER", "prod")
    monkeypatch.chdir(GOLDEN)
    return str(tmp_path / "logship.yaml")


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_what_a_person_sees(file: Path, config: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["test", "-c", config, file.name])
    seen = capsys.readouterr()
    text = f"exit code {code}\n--- stdout\n{seen.out}--- stderr\n{seen.err}"
    golden = file.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_json_has_all_that_was_sent(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "-c", config, "--json", "passing.yaml", "failing.yaml"]) == 1
    found = orjson.loads(capsys.readouterr().out)["tests"]
    assert {test["file"] for test in found} == {"passing.yaml", "failing.yaml"}
    first = found[0]
    assert (first["passed"], first["line"], first["failures"]) == (True, 2, [])
    assert [row["route"] for row in first["sent"]] == ["app", "web"]
    assert first["sent"][1]["sent"]["textPayload"] == "hello"
    assert found[-1]["failures"]


def test_show_prints_what_is_sent_of_tests_that_pass(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["test", "-c", config, "--show", "passing.yaml"]) == 0
    shown = capsys.readouterr().out
    assert 'route web -> sink entries: "hello" [INFO]' in shown
    assert '"textPayload":"hello"' in shown


def test_a_wrong_configuration_is_no_failed_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "logship.yaml"
    file.write_text(CONFIG.replace("type: kubernetes", "type: kubernets"))
    assert main(["test", "-c", str(file), str(GOLDEN / "passing.yaml")]) == 2
    assert "did you mean `kubernetes`?" in capsys.readouterr().err


def test_a_problem_that_a_component_finds_stands_at_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLUSTER", "prod")
    file = tmp_path / "logship.yaml"
    file.write_text(CONFIG.replace("projects/p/topics/app-logs", "no/topic"))
    assert main(["test", "-c", str(file), str(GOLDEN / "passing.yaml")]) == 2
    assert f"{file}:21:" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["config", "tests"])
def test_a_file_that_is_not_there_is_named(
    missing: str, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"config": config, "tests": "passing.yaml", missing: "not-there.yaml"}
    assert main(["test", "-c", files["config"], files["tests"]]) == 2
    assert capsys.readouterr().err == "not-there.yaml: cannot be read: No such file or directory\n"
