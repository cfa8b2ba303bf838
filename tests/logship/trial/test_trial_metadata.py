"""Tests that say what the API would have told of a pod: labels of its namespace, its owner."""

from pathlib import Path

import pytest

from logship.cli import main

CONFIG = """\
cluster: prod
sources:
  containers: {type: kubernetes, metadata: {namespace_labels: true}}
routes:
  - {name: retail, from: [containers], match: {namespace_labels: {team: "ret*"}}, to: out}
  - {name: jobs, from: [containers], match: {owner_kind: CronJob, owner_name: bill}, to: out}
  - name: rest
    from: [containers]
    transforms: [{type: add_labels, labels: {team: "{namespace_label:team}"}}]
    to: out
sinks:
  out: {type: "null"}
"""
TESTS = """\
tests:
  - name: of a team
    given: [{namespace: shop, namespace_labels: {team: retail}, texts: [a]}]
    expect: [{route: retail, rows: [a]}]
  - name: of another
    given: [{namespace: shop, namespace_labels: {team: ops}, labels: {team: retail}, texts: [a]}]
    expect: [{route: rest, rows: [{text: a, labels: {team: ops}}]}]
  - name: of a job
    given: [{owner_kind: CronJob, owner_name: bill, texts: [a]}]
    expect: [{route: jobs, rows: [a]}]
  - name: not known in time
    given: [{namespace_labels: {team: ops}, metadata: unknown, texts: [a]}]
    expect: [{route: retail, rows: [a]}]
"""


def run(home: Path, config: str, tests: str) -> int:
    (home / "logship.yaml").write_text(config)
    (home / "tests.yaml").write_text(tests)
    return main(["test", "-c", str(home / "logship.yaml"), str(home / "tests.yaml")])


def test_labels_of_a_namespace_and_owners_decide_about_routes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, CONFIG, TESTS) == 0, capsys.readouterr()
    assert capsys.readouterr().err == ""


def test_labels_of_a_namespace_that_the_source_does_not_ask_for_are_not_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, CONFIG.replace("namespace_labels: true", "keep_secs: 5m"), TESTS) == 1
    said = capsys.readouterr()
    assert "FAIL  of a team\n" in said.out
    assert "asks for labels of a namespace, which `containers` never knows" in said.err
    assert "with `metadata: {namespace_labels: true}`" in said.err


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("namespace_label: {team: a}", "there is no option `namespace_label`"),
        ("namespace_labels: retail", "expected a mapping"),
        ("owner_kind: Job", "an owner has both: `owner_kind` and `owner_name`"),
    ],
)
def test_what_is_wrong_is_refused_at_its_line(
    given: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tests = f"tests:\n  - name: a\n    given:\n      - {{texts: [a], {given}}}\n"
    assert run(tmp_path, CONFIG, tests) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"{tmp_path}/tests.yaml:4:")
    assert why in said
