"""The configurations that are checked, and what of the findings is wrong."""

from pathlib import Path

from tests.docs.command import REPOSITORY
from tests.plugins.logship_gcp.checks.conftest import Found

PROJECT = "logship-sandbox"
TOPIC = f"projects/{PROJECT}/topics/app-logs"
SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/app-logs"
LOADER = REPOSITORY / "examples" / "try-loader.yaml"
AGENT = REPOSITORY / "examples" / "try-agent.yaml"


def changed(home: Path, config: Path, old: str, new: str) -> Path:
    text = config.read_text()
    assert old in text
    (home / "logship.yaml").write_text(text.replace(old, new))
    return home / "logship.yaml"


def failed(found: Found) -> Found:
    return {about: line for about, line in found.items() if line[0] != "ok"}
