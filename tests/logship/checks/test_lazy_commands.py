"""An agent has nothing in memory of what only `logship test` and `logship check` need."""

import subprocess
import sys

ONLY_COMMANDS = (
    "logship.trial", "logship.checking", "logship.parts", "logship.cli.test", "logship.cli.check",
    "logship.cli.results", "logship_tail.checking", "logship_tail.samples", "logship_gcp.grants",
    "logship_gcp.identity", "logship_gcp.cloud_logging.checking",
    "logship_gcp.cloud_logging.preview", "logship_gcp.cloud_logging.reading",
    "logship_gcp.pubsub.checking", "logship_gcp.pubsub.preview", "logship_gcp.bigquery.checking",
    "logship_gcp.bigquery.live", "logship_gcp.bigquery.preview", "logship_gcp.bigquery.reading",
)  # fmt: skip
PROGRAM = """
import sys
import logship.cli, logship.cli.run, logship.admin
import logship_tail.kubernetes, logship_tail.files, logship_debug.file
import logship_gcp.cloud_logging.sink, logship_gcp.cloud_logging.transport
import logship_gcp.pubsub.sink, logship_gcp.pubsub.source, logship_gcp.bigquery.sink
print(*sys.modules, sep="\\n")
"""


def test_what_only_commands_need_is_not_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = done.stdout.split()
    assert "logship_gcp.bigquery.sink" in loaded
    assert [name for name in loaded if name.startswith(ONLY_COMMANDS)] == []
