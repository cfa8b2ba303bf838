"""What `logship deadletters` says and does; the destination is a file."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest

from logship.api import Refused
from logship.cli import main
from logship.delivery.deadletters import LOCK_NAME, DeadLetters
from logship.testing import texts_batch, world

CONFIG = """\
sources: {{logs: {{type: files, paths: [/var/log/*.log]}}}}
routes:
  - {{name: all, from: [logs], to: out, continue: true}}
  - {{name: two, from: [logs], to: other, continue: true}}
  - {{name: three, from: [logs], to: full}}
sinks:
  out: {{type: file, dir: {home}/out}}
  other: {{type: file, dir: {home}/other}}
  full: {{type: file, dir: /dev, name: full}}
state_dir: {home}
"""


class Said(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Said]


def bury(home: Path, sink: str, texts: Sequence[str], reason: str = "why", start: int = 0) -> None:
    here = world()
    letters = DeadLetters(str(home / "deadletters"), 1 << 30, 3600, here)
    batch = texts_batch(texts, start=start)
    batch.route = "all"
    try:
        refused = [Refused(0, row, reason) for row in range(len(texts))]
        asyncio.run(letters.store(letters.encoded(sink, batch, refused)))
    finally:
        here.offload.close()


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    config = tmp_path / "logship.yaml"
    config.write_text(CONFIG.format(home=tmp_path))

    def command(action: str, *words: str) -> Said:
        code = main(["deadletters", action, "-c", str(config), *words])
        return Said(code, *capsys.readouterr())

    return command


def delivered(home: Path, sink: str = "out") -> list[str]:
    path = home / sink / "logship.jsonl"
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [orjson.loads(line)["text"] for line in lines]


def left(run: Run) -> list[str]:
    decoder = run("show", "--limit", "1000", "--full").out
    texts = [line for line in decoder.splitlines() if line.startswith('  "text": ')]
    return [orjson.loads("{" + line.rstrip(",") + "}")["text"] for line in texts]


def test_ls_lists_and_counts_without_texts(run: Run, tmp_path: Path) -> None:
    bury(tmp_path, "out", ["secret 1", "secret 2"], "no\x1b[2J good")
    bury(tmp_path, "other", ["secret 3"])
    said = run("ls")
    assert said.code == 0
    assert "secret" not in said.out
    assert "\x1b" not in said.out
    assert "3 of 3 are shown." in said.out
    assert "sink out, route all: 2" in said.out
    assert len(run("ls", "--sink", "other").out.splitlines()) == 4


def test_ls_is_bounded(run: Run, tmp_path: Path) -> None:
    bury(tmp_path, "out", ["x"] * 1000, "long " * 200)
    said = run("ls")
    assert "50 of 1000 are shown." in said.out
    assert len(said.out) < 20_000


def test_no_letters_are_said(run: Run) -> None:
    assert run("ls").out.startswith("No dead letters in ")
    assert run("replay", "--yes").out.startswith("No dead letters to send in ")


def test_show_prints_whole_letters_and_shortens_long_texts(run: Run, tmp_path: Path) -> None:
    bury(tmp_path, "out", ["short\x7f", "y" * 5000])
    said = run("show")
    assert '"text": "short\\u007f"' in said.out
    assert "(3000 more characters: --full)" in said.out
    assert "y" * 5000 in run("show", "--full").out


def test_show_prints_the_letters_that_are_named_and_misses_others(run: Run, tmp_path: Path) -> None:
    bury(tmp_path, "out", ["a", "b"])
    row_id = texts_batch(["a", "b"]).ids()[1]
    said = run("show", row_id, "feed")
    assert said.code == 1
    assert said.out.count('"id"') == 1
    assert row_id in said.out
    assert "no dead letter has the id feed" in said.err


def test_show_is_bounded(run: Run, tmp_path: Path) -> None:
    bury(tmp_path, "out", ["x"] * 100)
    said = run("show")
    assert said.out.count('"id"') == 10
    assert "90 more are not shown: --limit 100" in said.err


def test_replay_without_yes_sends_nothing(run: Run, tmp_path: Path) -> None:
    bury(tmp_path, "out", ["a", "b"])
    said = run("replay")
    assert said.code == 0
    assert "Would send 2 dead letters; add --yes to do it." in said.out
    assert delivered(tmp_path) == []
    assert left(run) == ["a", "b"]


def test_replay_delivers_and_takes_out_only_what_was_chosen(run: Run, tmp_path: Path) -> None:
    bury(tmp_path, "out", ["a", "b"])
    bury(tmp_path, "other", ["c"])
    said = run("replay", "--yes", "--sink", "out", texts_batch(["a", "b"]).ids()[0])
    assert said == (0, "Delivered 1; refused again 0; not sent 0.\n", "")
    assert delivered(tmp_path) == ["a"]
    assert sorted(left(run)) == ["b", "c"]


def test_replay_sends_many_in_several_writes(run: Run, tmp_path: Path) -> None:
    texts = [f"row {number}" for number in range(1300)]
    bury(tmp_path, "out", texts)
    said = run("replay", "--yes")
    assert said.out == "Delivered 1300; refused again 0; not sent 0.\n"
    assert delivered(tmp_path) == texts
    assert left(run) == []


def test_letters_of_a_sink_that_is_gone_stay(run: Run, tmp_path: Path) -> None:
    bury(tmp_path, "gone", ["a"])
    bury(tmp_path, "out", ["b"])
    said = run("replay")
    assert said.code == 1
    assert "has no sink gone: its letters stay" in said.err
    run("replay", "--yes")
    assert delivered(tmp_path) == ["b"]
    assert left(run) == ["a"]


def test_a_sink_that_cannot_start_says_what_to_change_and_keeps_the_letters(
    run: Run, tmp_path: Path
) -> None:
    bury(tmp_path, "out", ["a"])
    (tmp_path / "out").write_text("not a directory")
    said = run("replay", "--yes")
    assert said.code == 2
    assert "cannot be written to" in said.err
    assert left(run) == ["a"]


def test_a_sink_that_fails_is_given_up_and_delays_no_other(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bury(tmp_path, "full", ["a", "b"])
    bury(tmp_path, "out", ["c"])
    monkeypatch.setattr("logship.cli.replay.TRIES", 2)
    said = run("replay", "--yes")
    assert said.code == 1
    assert said.out == "Delivered 1; refused again 0; not sent 2.\n"
    assert "sink full is given up" in said.err
    assert delivered(tmp_path) == ["c"]
    assert left(run) == ["a", "b"]


def test_two_replays_at_once_are_refused(run: Run, tmp_path: Path) -> None:
    bury(tmp_path, "out", ["a"])
    here = world()
    lock = here.disk.lock(str(tmp_path / "deadletters" / "replay.lock"))
    said = run("replay", "--yes")
    here.disk.close(lock)
    here.offload.close()
    assert said.code == 1
    assert "another replay is running" in said.err
    assert delivered(tmp_path) == []


def test_an_agent_that_keeps_the_lock_costs_a_copy_and_no_row(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bury(tmp_path, "out", ["a"])
    monkeypatch.setattr("logship.cli.replay._BUSY_TRIES", 2)
    here = world()
    lock = here.disk.lock(str(tmp_path / "deadletters" / LOCK_NAME))
    said = run("replay", "--yes")
    here.disk.close(lock)
    here.offload.close()
    assert said.code == 1
    assert "the agent does not let go of it" in said.err
    assert left(run) == ["a"]
