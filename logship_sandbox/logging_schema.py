"""The messages of Cloud Logging's REST interface: as tables that check, and as types for mypy.

The tables follow log_entry.proto, logging.proto, http_request.proto and monitored_resource.proto.
After `read_write_request` every entry is in canonical proto JSON:
camelCase, no nulls, timestamps in UTC.
"""

from typing import TypedDict, cast

from logship_sandbox.logging_json import (
    any_message,
    boolean,
    duration,
    integer,
    message,
    repeated,
    severity,
    string,
    string_map,
    struct,
    timestamp,
)


class Resource(TypedDict, total=False):
    """google.api.MonitoredResource."""

    type: str
    labels: dict[str, str]


class LogEntry(TypedDict, total=False):
    """google.logging.v2.LogEntry; only the fields that the sandbox itself looks at are typed."""

    logName: str
    resource: Resource
    labels: dict[str, str]
    timestamp: str
    receiveTimestamp: str
    severity: str | int
    insertId: str
    textPayload: str
    jsonPayload: dict[str, object]
    protoPayload: dict[str, object]


class WriteRequest(TypedDict, total=False):
    """google.logging.v2.WriteLogEntriesRequest."""

    logName: str
    resource: Resource
    labels: dict[str, str]
    entries: list[LogEntry]
    partialSuccess: bool
    dryRun: bool


class ListRequest(TypedDict, total=False):
    """google.logging.v2.ListLogEntriesRequest."""

    resourceNames: list[str]
    filter: str
    orderBy: str
    pageSize: int
    pageToken: str


_INT32, _INT64 = integer(32), integer(64)
_STRINGS = (
    "request_method",
    "request_url",
    "user_agent",
    "remote_ip",
    "server_ip",
    "referer",
    "protocol",
)
_HTTP_REQUEST = message(
    "google.logging.type.HttpRequest",
    dict.fromkeys(_STRINGS, string)
    | dict.fromkeys(("request_size", "response_size", "cache_fill_bytes"), _INT64)
    | dict.fromkeys(("cache_lookup", "cache_hit", "cache_validated_with_origin_server"), boolean)
    | {"status": _INT32, "latency": duration},
)
_RESOURCE = message("google.api.MonitoredResource", {"type": string, "labels": string_map})
_LOG_ENTRY = message(
    "google.logging.v2.LogEntry",
    dict.fromkeys(("log_name", "text_payload", "insert_id", "trace", "span_id"), string)
    | dict.fromkeys(("timestamp", "receive_timestamp"), timestamp)
    | {
        "resource": _RESOURCE,
        "proto_payload": any_message,
        "json_payload": struct,
        "severity": severity,
        "http_request": _HTTP_REQUEST,
        "labels": string_map,
        "operation": message(
            "google.logging.v2.LogEntryOperation",
            {"id": string, "producer": string, "first": boolean, "last": boolean},
        ),
        "trace_sampled": boolean,
        "source_location": message(
            "google.logging.v2.LogEntrySourceLocation",
            {"file": string, "line": _INT64, "function": string},
        ),
        "split": message(
            "google.logging.v2.LogSplit",
            {"uid": string, "index": _INT32, "total_splits": _INT32},
        ),
    },
    oneof=frozenset({"textPayload", "jsonPayload", "protoPayload"}),
)
_WRITE_REQUEST = message(
    "google.logging.v2.WriteLogEntriesRequest",
    {
        "log_name": string,
        "resource": _RESOURCE,
        "labels": string_map,
        "entries": repeated(_LOG_ENTRY),
        "partial_success": boolean,
        "dry_run": boolean,
    },
)
_LIST_REQUEST = message(
    "google.logging.v2.ListLogEntriesRequest",
    dict.fromkeys(("filter", "order_by", "page_token"), string)
    | {"resource_names": repeated(string), "page_size": _INT32},
)


def read_write_request(value: object) -> WriteRequest:
    """The body of entries:write in canonical form; raises Violation."""
    return cast(WriteRequest, _WRITE_REQUEST(value))


def read_list_request(value: object) -> ListRequest:
    """The body of entries:list in canonical form; raises Violation."""
    return cast(ListRequest, _LIST_REQUEST(value))
