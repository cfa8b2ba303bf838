"""What `logship check` finds out about this machine, without any network."""

import os
import re
import socket
from pathlib import Path

import orjson
import pytest

from logship.checking.local import findings
from logship.cli import main
from logship.config import Config, load
from logship.registry import Registry
from logship.testing import world

CONFIG = """\
sources: {{logs: {{type: files, paths: ["{logs}/*.log"]}}}}
routes: [{{name: all, from: [logs], to: out}}]
sinks: {{out: {{type: file, dir: {home}/out}}}}
state_dir: {home}/state
{more}
"""


def configured(home: Path, more: str = "", logs: str = "") -> Path:
    file = home / "logship.yaml"
    file.write_text(CONFIG.format(home=home, logs=logs or home, more=more))
    return file


def loaded(home: Path, more: str = "") -> Config:
    text = configured(home, more).read_text()
    return load(text, file="c", env={}, registry=Registry.installed())


def found(config: Config) -> dict[str, tuple[str, str]]:
    here = world()
    try:
        return {f.about.split()[0]: (f.level, f.reason) for f in findings(config, here.disk)}
    finally:
        here.offload.close()


def test_all_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.log").write_text("a\n")
    assert main(["check", "-c", str(configured(tmp_path))]) == 0
    seen = capsys.readouterr()
    assert "ok      source logs: its logs: 1 can be read\n" in seen.out
    assert f"ok      sink out: `dir` {tmp_path}/out: it can be written to\n" in seen.out
    assert seen.err == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log", "logship.yaml"]


def test_a_state_directory_that_will_be_made(tmp_path: Path) -> None:
    assert found(loaded(tmp_path))["state_dir"] == ("ok", "it will be made")


def test_a_state_directory_on_which_an_agent_runs(tmp_path: Path) -> None:
    here = world()
    (tmp_path / "state").mkdir()
    held = here.disk.lock(f"{tmp_path}/state/lock")
    assert found(loaded(tmp_path))["state_dir"] == ("ok", "an agent is running on it")
    here.disk.close(held)
    assert found(loaded(tmp_path))["state_dir"] == ("ok", "it can be written to")
    here.disk.close(here.disk.lock(f"{tmp_path}/state/lock"))  # the check holds nothing
    here.offload.close()


def test_a_state_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    level, reason = found(loaded(tmp_path))["state_dir"]
    assert (level, reason) == ("failed", "it cannot be written to")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_directories_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o500)
    config = loaded(tmp_path, f"dead_letters: {{dir: {tmp_path}/state/letters}}")
    assert found(config)["state_dir"] == ("failed", "it cannot be written to")
    reason = f"it cannot be made in {tmp_path}/state"
    assert found(config)["dead_letters.dir"] == ("failed", reason)


def test_an_address_that_is_in_use_is_well_if_an_agent_runs(tmp_path: Path) -> None:
    here = world()
    (tmp_path / "state").mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        more = f'admin: {{listen: "127.0.0.1:{taken.getsockname()[1]}"}}'
        level, reason = found(loaded(tmp_path, more))["admin.listen"]
        assert (level, reason[:12]) == ("warning", "it is in use")
        held = here.disk.lock(f"{tmp_path}/state/lock")
        level, reason = found(loaded(tmp_path, more))["admin.listen"]
        assert (level, reason[:12]) == ("ok", "it is in use")
        here.disk.close(held)
    assert found(loaded(tmp_path, more))["admin.listen"] == ("ok", "it is free")
    here.offload.close()


def test_an_address_of_another_machine(tmp_path: Path) -> None:
    level, reason = found(loaded(tmp_path, 'admin: {listen: "192.0.2.1:80"}'))["admin.listen"]
    assert (level, reason[:27]) == ("failed", "it cannot be listened on: C")


def test_too_few_files_may_be_open(tmp_path: Path) -> None:
    config = loaded(tmp_path, "held: {max_files: 2000000000}")
    level, reason = found(config)["open"]
    assert level == "warning"
    assert re.fullmatch(r"\d+ may be open; held.max_files and all else .* need 2000000128", reason)


def test_logs_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = configured(tmp_path, logs=f"{tmp_path}/none")
    assert main(["check", "-c", str(file), "--json"]) == 0
    lines = orjson.loads(capsys.readouterr().out)
    warned = [(line["who"], line["about"]) for line in lines if line["level"] == "warning"]
    assert warned == [
        ("source logs", f"the directory {tmp_path}/none"),
        ("source logs", "its logs"),
    ]


def test_a_log_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.log").write_text("a\n")
    (tmp_path / "fifo.log").parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / "fifo.log")
    assert main(["check", "-c", str(configured(tmp_path))]) == 1
    seen = capsys.readouterr()
    assert "FAILED  source logs: its logs: 1 of 2 cannot be read" in seen.out
    assert "(not a regular file)" in seen.out
    assert seen.err == "1 of 5 checks failed\n"


def test_a_node_without_the_kubelets_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    file = tmp_path / "logship.yaml"
    text = CONFIG.replace('files, paths: ["{logs}/*.log"]', "kubernetes, root: {logs}/pods")
    file.write_text(text.format(home=tmp_path, logs=tmp_path, more=""))
    assert main(["check", "-c", str(file)]) == 1
    assert f"`root` {tmp_path}/pods: it does not exist" in capsys.readouterr().out
    pod = tmp_path / "pods" / "shop_cart-0_uid-1" / "cart"
    pod.mkdir(parents=True)
    (pod / "0.log").write_text("")
    assert main(["check", "-c", str(file)]) == 0
    assert "its logs: 1 can be read" in capsys.readouterr().out


def test_a_wrong_configuration_is_no_failed_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = configured(tmp_path, "held: {max_file: 1}")
    assert main(["check", "-c", str(file)]) == 2
    assert "did you mean `max_files`?" in capsys.readouterr().err
