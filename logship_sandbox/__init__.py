"""Google Cloud on loopback, for the demo and the tests: Cloud Logging, Pub/Sub and BigQuery.

Real Google clients talk to it, and it refuses what Google refuses: its limits are the reason it
exists. The agent never imports this package (import-linter holds that); it only speaks to it over
HTTP and gRPC, as it would to Google.
"""

from logship_sandbox.faults import Fault, Faults
from logship_sandbox.server import Sandbox

__all__ = ["Fault", "Faults", "Sandbox"]
