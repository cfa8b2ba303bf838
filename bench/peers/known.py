"""All peers that can be measured, and what was measured of them on another machine.

`ELSEWHERE` is never mixed with a run of this machine: the report marks each such figure.
"""

from collections.abc import Sequence
from typing import NamedTuple

from bench.peers import Peer, fluent_bit, fluentd, rsyslog, vector

PEERS: Sequence[Peer] = (fluent_bit.PEER, fluentd.PEER, vector.PEER, rsyslog.PEER)


class Elsewhere(NamedTuple):
    """A figure of a survey: 2 cores, Debian 12, 1 GiB in 20 files, whole process, median of 3."""

    agent: str
    workload: str
    path: str
    """Of ours, the one with the same work."""
    mb_per_cpu_s: float
    what: str


ELSEWHERE: Sequence[Elsewhere] = (
    Elsewhere("fluent-bit 5.1.1", "A", "null", 84, "tail + CRI -> null, parts joined"),
    Elsewhere("fluentd 1.16.11", "A", "null", 19, "tail + CRI -> null, tuned"),
    Elsewhere("syslog-ng 3.38", "A", "null", 35, "tail + CRI -> null"),
    Elsewhere("rsyslog 8.2302", "A", "null", 28, "tail + CRI -> null"),
    Elsewhere("fluent-bit 5.1.1", "B", "null", 113, "tail + CRI -> null"),
    Elsewhere("fluentd 1.16.11", "B", "null", 27, "tail + CRI -> null"),
    Elsewhere("fluent-bit 5.1.1", "A", "cloud_logging", 55, "-> Cloud Logging, no gzip"),
    Elsewhere("fluentd 1.16.11", "A", "cloud_logging", 13.9, "-> HTTP, JSON lines"),
    Elsewhere("syslog-ng 3.38", "A", "cloud_logging", 32, "-> HTTP, JSON lines"),
    Elsewhere("fluent-bit 5.1.1", "B", "cloud_logging_text", 73, "-> Cloud Logging, unparsed"),
    Elsewhere("fluent-bit 5.1.1", "B", "cloud_logging", 42, "-> Cloud Logging, parsed"),
    Elsewhere("fluentd 1.16.11", "B", "cloud_logging", 20.6, "+ JSON parse -> null"),
)
