"""What entries:write does with a request that parsed: defaults, then a judgement per entry.

Plain functions: the clock is a number, nothing is stored here. Merge rules (logging.proto): the
request's logName and resource are for entries without one; its labels are added, and an entry's
own label of the same key stays. Status codes are google.rpc.Code.
"""

import itertools
from dataclasses import dataclass, field

from logship_sandbox.faults import Fault
from logship_sandbox.logging_limits import (
    MAX_ENTRY_BYTES,
    MAX_FUTURE_SECS,
    MAX_LABELS,
    canonical_log_name,
    entry_bytes,
    truncated_labels,
)
from logship_sandbox.logging_schema import LogEntry, WriteRequest
from logship_sandbox.logging_time import SECOND, format_time, parse_time

INVALID_ARGUMENT = 3
PERMISSION_DENIED = 7

_generated = itertools.count(1)


@dataclass(frozen=True)
class Status:
    """google.rpc.Status of one entry."""

    code: int
    message: str


@dataclass
class Judgement:
    """The entries to store and, by place in the request, the ones refused."""

    accepted: list[LogEntry] = field(default_factory=list)
    refused: dict[int, Status] = field(default_factory=dict)

    def writes_any(self, partial_success: bool) -> bool:
        """Whether the accepted entries are written although others are refused."""
        return bool(self.accepted) and (partial_success or not self.refused)


def judge(request: WriteRequest, now: int, fault: Fault) -> Judgement:
    """Decide every entry of a request at `now` (nanoseconds)."""
    judgement = Judgement()
    for place, entry in enumerate(request.get("entries", ())):
        try:
            complete = _complete(entry, request, now)
        except ValueError as error:
            judgement.refused[place] = Status(INVALID_ARGUMENT, str(error))
            continue
        if fault.refuses_entry(complete["insertId"]):
            judgement.refused[place] = Status(PERMISSION_DENIED, "refused by a fault on request")
            continue
        judgement.accepted.append(complete)
    return judgement


def kept(entries: list[LogEntry], now: int, retention_secs: float) -> list[LogEntry]:
    """Those that are stored: older ones than the bucket keeps are taken, and stored nowhere.

    0: all. (A sandbox is asked about logs of any age.)
    """
    if not retention_secs:
        return entries
    oldest = now - int(retention_secs * SECOND)
    return [entry for entry in entries if parse_time(entry["timestamp"]) >= oldest]


def _complete(entry: LogEntry, request: WriteRequest, now: int) -> LogEntry:
    """The entry as it will be stored; ValueError says why it cannot be."""
    log_name = entry.get("logName") or request.get("logName")
    if not log_name:
        raise ValueError("Log name is missing: set logName in the entry or in the request")
    resource = entry.get("resource") or request.get("resource")
    if not resource or not resource.get("type"):
        raise ValueError("Monitored resource is missing: set resource.type in entry or request")
    labels = {**request.get("labels", {}), **entry.get("labels", {})}
    if len(labels) > MAX_LABELS:
        raise ValueError(f"Log entry has {len(labels)} labels, the maximum is {MAX_LABELS}")
    arrived = format_time(now)
    complete: LogEntry = {
        **entry,
        "logName": canonical_log_name(log_name),
        "resource": resource,
        "timestamp": entry.get("timestamp") or arrived,
        "receiveTimestamp": arrived,
        "insertId": entry.get("insertId") or f"sandbox-{next(_generated):x}",
    }
    if labels:
        complete["labels"] = truncated_labels(labels)
    if parse_time(complete["timestamp"]) > now + MAX_FUTURE_SECS * SECOND:
        raise ValueError("Timestamp is over a day in the future")
    size = entry_bytes(complete)
    if size > MAX_ENTRY_BYTES:
        raise ValueError(f"Log entry with size {size / 1024:.1f}K exceeds maximum size of 256.0K")
    return complete
