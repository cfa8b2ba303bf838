"""Every sink's harness, by the sink's type name. A sink that is missing here is not a sink."""

from collections.abc import Callable
from pathlib import Path

from tests.contract.harness import Harness
from tests.contract.harnesses.bigquery import BigQueryHarness
from tests.contract.harnesses.cloud_logging import CloudLoggingHarness
from tests.contract.harnesses.file import FileHarness
from tests.contract.harnesses.null import NullHarness
from tests.contract.harnesses.pubsub import PubsubHarness, PubsubRecordHarness
from tests.contract.harnesses.stdout import StdoutHarness

HARNESSES: dict[str, Callable[[Path], Harness]] = {
    "null": NullHarness,
    "stdout": StdoutHarness,
    "file": FileHarness,
    "cloud_logging": CloudLoggingHarness,
    "pubsub": PubsubHarness,
    "pubsub_record": PubsubRecordHarness,
    "bigquery": BigQueryHarness,
}
