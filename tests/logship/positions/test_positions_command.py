"""What `logship positions` says and does.

Each case has beside it the *.txt that a person sees: exit code, what goes to stdout, what to
stderr. UPDATE_GOLDEN=1 rewrites them; read their difference before you keep it.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from logship.checkpoint import FILE_NAME
from logship.cli import main
from logship.journal import HEADER, Key, Saved, line, parse
from logship.rows.address import Generation, Position
from logship.testing import world

GOLDEN = Path(__file__).parent / "golden"
FIRST = Generation(1_795_000_000_123_456_789, 0xABCD1234)
SECOND = Generation(1_795_003_600_000_000_000, 7)
SAVED_NS = 1_795_003_700_000_000_000
STARTED = Position(Generation(0, 0), 0)
SAVED = {
    Key("rest", ""): Saved(STARTED, SAVED_NS),
    Key("rest", "prod/8f1c/app/0"): Saved(Position(FIRST, 10_485_760), SAVED_NS),
    Key("rest", "prod/8f1c/app/1"): Saved(Position(SECOND, 512), SAVED_NS),
    Key("rest", "node-1/var/log/a\x1b[2J.log"): Saved(Position(SECOND, 7), SAVED_NS),
    Key("app-events", "prod/8f1c/app/1"): Saved(Position(SECOND, 128), SAVED_NS),
}
CONTENT = HEADER + b"".join(line(key, saved) for key, saved in SAVED.items())
CONFIG = """\
sources: {{logs: {{type: files, paths: [/var/log/*.log]}}}}
routes: [{{name: all, from: [logs], to: out}}]
sinks: {{out: {{type: "null"}}}}
state_dir: {}
"""


def stored(directory: Path, content: bytes = CONTENT) -> Path:
    (directory / FILE_NAME).write_bytes(content)
    return directory


def left(directory: Path) -> dict[Key, Saved]:
    return parse((directory / FILE_NAME).read_bytes()).positions


def forget(*more: str) -> list[str]:
    return ["forget", "--route", "rest", "--origin", "prod/8f1c/*", *more]


CASES: dict[str, tuple[list[str], bytes]] = {
    "show": (["show"], CONTENT),
    "show_json": (["show", "--json", "--route", "app-events"], CONTENT),
    "show_one_origin": (["show", "--origin", "*/app/1"], CONTENT),
    "show_no_such_route": (["show", "--route", "rets"], CONTENT),
    "show_no_such_origin": (["show", "--origin", "nowhere/*"], CONTENT),
    "show_torn_line": (["show", "--route", "app-events"], CONTENT + b"00000000 {torn"),
    "show_foreign": (["show"], b"logship positions 99\n"),
    "show_not_utf_8": (["show"], b"\xff\xfe"),
    "show_empty": (["show"], b""),
    "forget_without_yes": (forget(), CONTENT),
    "forget": (forget("--yes"), CONTENT),
    "forget_one_without_marker": (
        ["forget", "--route", "app-events", "--origin", "*", "--yes"],
        CONTENT,
    ),
    "forget_nothing_there": (["forget", "--route", "rest", "--origin", "x", "--yes"], CONTENT),
    "forget_torn_line": (forget("--yes"), CONTENT + b"00000000 {torn"),
    "forget_foreign": (forget("--yes"), b"logship positions 99\n"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_person_sees(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, content = CASES[name]
    stored(tmp_path, content)
    code = main(["positions", *words, "--state-dir", str(tmp_path)])
    seen = capsys.readouterr()
    text = f"exit code {code}\n--- stdout\n{seen.out}--- stderr\n{seen.err}"
    text = text.replace(str(tmp_path), "STATE_DIR")
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert "Traceback" not in text
    assert "\x1b" not in text
    assert text == golden.read_text(encoding="utf-8")


def test_forget_takes_away_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    stored(tmp_path)
    assert main(["positions", *forget("--yes"), "--state-dir", str(tmp_path)]) == 0
    gone = {Key("rest", "prod/8f1c/app/0"), Key("rest", "prod/8f1c/app/1")}
    assert left(tmp_path) == {key: SAVED[key] for key in SAVED.keys() - gone}


def test_a_star_keeps_the_note_that_the_route_has_run(tmp_path: Path) -> None:
    stored(tmp_path)
    words = ["forget", "--route", "rest", "--origin", "*", "--yes"]
    main(["positions", *words, "--state-dir", str(tmp_path)])
    assert {key for key in left(tmp_path) if key.route == "rest"} == {Key("rest", "")}


@pytest.mark.parametrize("words", [["show"], forget(), forget("--origin", "nowhere", "--yes")])
def test_nothing_else_changes_the_file(words: Sequence[str], tmp_path: Path) -> None:
    stored(tmp_path, CONTENT + b"00000000 {torn")
    main(["positions", *words, "--state-dir", str(tmp_path)])
    assert (tmp_path / FILE_NAME).read_bytes() == CONTENT + b"00000000 {torn"


@pytest.mark.parametrize("words", [forget(), forget("--yes")])
def test_forget_refuses_while_an_agent_holds_the_lock(
    words: Sequence[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = world()
    try:
        here.disk.lock(f"{stored(tmp_path)}/lock")
        code = main(["positions", *words, "--state-dir", str(tmp_path)])
    finally:
        here.offload.close()
    assert code == 1
    seen = capsys.readouterr()
    assert seen.out == ""
    assert seen.err == f"an agent holds {tmp_path}/lock: stop it first; nothing was forgotten\n"
    assert left(tmp_path) == SAVED


def test_show_does_not_mind_a_running_agent(tmp_path: Path) -> None:
    here = world()
    try:
        here.disk.lock(f"{stored(tmp_path)}/lock")
        assert main(["positions", "show", "--state-dir", str(tmp_path)]) == 0
    finally:
        here.offload.close()


@pytest.mark.parametrize("words", [["show"], forget("--yes")])
def test_a_directory_without_positions_is_left_as_it_is(
    words: Sequence[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["positions", *words, "--state-dir", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith(f"{tmp_path}/{FILE_NAME}: there is no such file")
    assert list(tmp_path.iterdir()) == []


def test_a_state_directory_that_is_a_file_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").write_text("")
    assert main(["positions", "show", "--state-dir", str(tmp_path / "state")]) == 1
    assert capsys.readouterr().err == (
        f"{tmp_path}/state/{FILE_NAME}: cannot be read: Not a directory\n"
    )


def test_the_state_directory_comes_from_the_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "logship.yaml"
    config.write_text(CONFIG.format(stored(tmp_path)))
    assert main(["positions", "show", "-c", str(config), "--route", "app-events"]) == 0
    assert "prod/8f1c/app/1" in capsys.readouterr().out
    config.write_text("routes: 1\n")
    assert main(["positions", "show", "-c", str(config)]) == 2


def test_the_command_works_as_a_process(tmp_path: Path) -> None:
    stored(tmp_path)
    program = [sys.executable, "-m", "logship.cli", "positions", "show"]
    done = subprocess.run(
        [*program, "--state-dir", str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].split() == ["ROUTE", "ORIGIN", "FILE", "BEGINS", "OFFSET",
                                                   "SAVED"]  # fmt: skip
