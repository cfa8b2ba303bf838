"""Lines of pods' logs, and the columns of BigQuery that the row of each must fill.

Each pod writes the same cases and then many numbered rows, one a second, so that a pod and a time
name a row.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BASE = datetime(2026, 5, 1, 23, 59, 0, 123456, tzinfo=UTC)  # midnight falls among the rows
NANOS = 789
MANY, PODS = 1000, 3
JSON_ROW = {
    "severity": "WARNING",
    "message": "slow \N{SHIP}",
    "time": "2026-04-30T08:00:00.25+02:00",
    "logging.googleapis.com/trace": "projects/e2e/traces/0af7",
    "logging.googleapis.com/spanId": "b7ad",
    "user": {"id": 7, "tags": ["a", None, True], "ratio": 0.5, "quote": 'a "b" \\ \n'},
}


@dataclass(frozen=True)
class Case:
    """A line of the log, and the columns that its row must have where they are not `absent`."""

    lines: tuple[tuple[str, bytes], ...]
    """(tag, content) as the runtime writes them."""
    columns: dict[str, object]
    stream: str = "stdout"


def text(content: bytes, message: str, severity: str = "INFO", stream: str = "stdout") -> Case:
    return Case((("F", content),), {"message": message, "severity": severity}, stream)


CASES = {
    "text": text(b"GET /cart 200", "GET /cart 200"),
    "stderr": text(b"it broke", "it broke", "ERROR", "stderr"),
    "glog": text(b"W0501 12:00:00.1 1 a.go:7] hm", "W0501 12:00:00.1 1 a.go:7] hm", "WARNING"),
    "empty": text(b"", ""),
    "array": text(b'[1, "x"]', '[1, "x"]'),
    "torn_json": text(b'{"message": "cut', '{"message": "cut'),
    "invalid_utf8": text(b"caf\xe9 \xff\xfe \x1b[0m!", "caf\ufffd \ufffd\ufffd \x1b[0m!"),
    "partials": Case(
        (("P", b"one "), ("P", "t\N{LATIN SMALL LETTER U WITH DIAERESIS} ".encode()), ("F", b"3")),
        {"message": "one t\N{LATIN SMALL LETTER U WITH DIAERESIS} 3", "severity": "INFO"},
    ),
    "json": Case(
        (("F", json.dumps(JSON_ROW).encode()),),
        {
            "message": JSON_ROW["message"],
            "severity": "WARNING",
            "payload": JSON_ROW,
            "event_time": datetime(2026, 4, 30, 6, 0, 0, 250_000, tzinfo=UTC),
            "trace": "projects/e2e/traces/0af7",
            "span_id": "b7ad",
        },
    ),
    "json_without_message": Case(
        (("F", b'{"level": "error", "n": 3}'),),
        {"severity": "ERROR", "payload": {"level": "error", "n": 3}},
    ),
    "json_invalid_utf8": Case(
        (("F", b'{"message": "caf\xe9", "n": 1}'),),
        {
            "message": "caf\ufffd",
            "severity": "INFO",
            "payload": {"message": "caf\ufffd", "n": 1},
        },
    ),
}
SHARED: dict[str, object] = {
    "cluster": "test",
    "namespace": "shop",
    "container": "app",
    "node": "node-1",
    "labels": {"app": "cart"},
}
ROWS = PODS * (len(CASES) + MANY)


def time_of(number: int) -> datetime:
    return BASE + timedelta(seconds=number)


def cri(number: int, case: Case) -> bytes:
    """The lines of the pod's row `number`."""
    when = f"{time_of(number):%Y-%m-%dT%H:%M:%S.%f}{NANOS}Z".encode()
    head = when + b" " + case.stream.encode()
    return b"".join(b"%s %s %s\n" % (head, tag.encode(), line) for tag, line in case.lines)


def pod_rows(pod: str) -> list[Case]:
    """All rows of a pod's log, row `number` written at `time_of(number)`."""
    return [*CASES.values(), *(text(line.encode(), line) for line in numbered(pod))]


def numbered(pod: str) -> list[str]:
    return [f"{pod} says {number} {'x' * (number % 300)}" for number in range(MANY)]


def pod_names() -> list[str]:
    return [f"cart-{number}" for number in range(PODS)]
