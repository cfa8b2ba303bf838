"""`logship test --junit`: what CI shows of each test, whatever its texts are."""

from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from logship.cli import main

CONFIG = """\
sources: {logs: {type: files, paths: [/logs/*.log]}}
routes: [{name: all, from: [logs], to: out}]
sinks: {out: {type: "null"}}
"""
TESTS = """\
tests:
  - name: passes
    given: [{path: /logs/a.log, texts: [a]}]
    expect: [{sink: out, rows: [a]}]
  - name: "fails \\x07 <&>"
    given: [{path: /logs/a.log, texts: ["b \\uFFFE ü"]}]
    expect: [{sink: out, rows: ["<a>"]}]
"""


def run(home: Path, tests: str, junit: Path) -> int:
    (home / "logship.yaml").write_text(CONFIG)
    (home / "tests.yaml").write_text(tests)
    files = ["-c", str(home / "logship.yaml"), str(home / "tests.yaml")]
    return main(["test", *files, "--junit", str(junit)])


def test_each_test_is_a_case_and_says_why_it_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, TESTS, tmp_path / "junit.xml") == 1
    root = Xml.fromstring((tmp_path / "junit.xml").read_bytes())
    assert [suite.attrib for suite in root] == [
        {"name": f"{tmp_path}/tests.yaml", "tests": "2", "failures": "1", "errors": "0"}
    ]
    passed, failed = root[0]
    assert (passed.get("name"), passed.get("line"), list(passed)) == ("passes", "2", [])
    assert (failed.get("name"), failed.get("line")) == ("fails \\u0007 <&>", "5")
    message = f"{tmp_path}/tests.yaml:7: sink out: 1 expected, 1 came"
    assert failed[0].get("message") == message
    assert failed[0].text is not None
    shown = failed[0].text.strip("\n")
    assert '+ text: "b \\ufffe ü"' in shown
    assert shown.replace("\\ufffe", "\ufffe") in capsys.readouterr().out


def test_a_file_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    junit = tmp_path / "none" / "junit.xml"
    assert run(tmp_path, TESTS, junit) == 2
    assert capsys.readouterr().err == f"{junit}: cannot be written: No such file or directory\n"


def test_nothing_is_written_where_there_are_no_results(tmp_path: Path) -> None:
    assert run(tmp_path, TESTS.replace("texts", "txts"), tmp_path / "junit.xml") == 2
    assert not (tmp_path / "junit.xml").exists()
