"""Every sink's harness, by the sink's type name. A sink that is missing here is not a sink."""

from collections.abc import Callable
from pathlib import Path

from tests.contract.harness import Harness
from tests.contract.harnesses.cloud_logging import CloudLoggingHarness
from tests.contract.harnesses.file import FileHarness
from tests.contract.harnesses.null import NullHarness
from tests.contract.harnesses.stdout import StdoutHarness

HARNESSES: dict[str, Callable[[Path], Harness]] = {
    "null": NullHarness,
    "stdout": StdoutHarness,
    "file": FileHarness,
    "cloud_logging": CloudLoggingHarness,
    # "pubsub": harnesses/pubsub.py, against the sandbox's Pub/Sub
    # "bigquery": harnesses/bigquery.py, against the sandbox's BigQuery
}
