"""`logship validate` as a process, as a person runs it."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TIMEOUT_SECS = 60

ENVIRONMENT = {
    "CLUSTER_NAME": "my-cluster",
    "LOGSHIP_REDACT_KEY": "not-a-secret-only-for-tests",
    "NODE_NAME": "node-1",
    "PROJECT_ID": "my-project",
    "BIGQUERY_EMULATOR_HOST": "http://127.0.0.1:9050",
    "LOGSHIP_BIGQUERY_STORAGE_ENDPOINT": "127.0.0.1:9060",
    "LOGSHIP_LOGGING_ENDPOINT": "http://127.0.0.1:9070",
    "LOGS": "/var/log/app",
    "PUBSUB_EMULATOR_HOST": "127.0.0.1:9085",
}
"""What configurations in manifests, examples and docs may name."""

_VARIABLE = re.compile(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


def validate(
    file: Path, environment: Mapping[str, str] = ENVIRONMENT, *, cwd: Path | None = None
) -> Answer:
    """The command's answer, with these variables and PATH alone."""
    done = subprocess.run(
        [sys.executable, "-m", "logship.cli", "validate", "-c", str(file)],
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": _code(), **environment},
        cwd=cwd or REPOSITORY,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECS,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def _code() -> str:
    return os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "plugins")))


def unknown_variables(text: str) -> set[str]:
    """Variables that a configuration needs and that the table above does not have."""
    return set(_VARIABLE.findall(text)) - ENVIRONMENT.keys()


def check(file: Path, text: str) -> None:
    """Fail unless the configuration would start without a warning."""
    unknown = unknown_variables(text)
    assert not unknown, f"add {sorted(unknown)} to ENVIRONMENT in {Path(__file__).name}"
    answer = validate(file)
    assert answer.code == 0, f"{answer.err}\n{text}"
    assert answer.err == "", f"{answer.err}\n{text}"
