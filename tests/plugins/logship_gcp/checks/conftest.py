"""The sandbox as a process of its own, and `logship check` as it runs here."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import orjson
import pytest

from logship.cli import main
from tests.e2e.sandbox_process import SandboxProcess

Found = dict[str, tuple[str, str, str]]
"""By who and what: (level, reason, advice)."""
Check = Callable[..., tuple[int, Found]]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    started = SandboxProcess(tmp_path_factory.mktemp("sandbox"), "--topic", "app-logs")
    yield started
    started.close()


@pytest.fixture
def trouble(sandbox: SandboxProcess) -> Iterator[Callable[[Mapping[str, object]], None]]:
    yield lambda fault: sandbox.trouble("all", fault)
    sandbox.end_trouble()


@pytest.fixture
def check(
    sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Check:  # fmt: skip
    for name, value in {**sandbox.environment, "LOGS": str(tmp_path)}.items():
        if name.startswith(("LOG", "BIG", "PUB")):
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.log").write_text("a\n")

    def run(config: Path, *words: str) -> tuple[int, Found]:
        code = main(["check", "-c", str(config), "--json", *(words or ("--live",))])
        lines = orjson.loads(capsys.readouterr().out)
        return code, {
            f"{x['who']}: {x['about']}": (x["level"], x["reason"], x["advice"]) for x in lines
        }

    return run
