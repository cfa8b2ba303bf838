"""The proof: every row that was written is at its destination, once, with its own text and time.

Written rows and delivered rows are reduced to the same value, `Row`, and compared as multisets.
Nothing here is taken from the agent: what was written comes from the writer's own books, and what
was delivered from the destination's answers. Pure functions.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from logship_sandbox.demo.writer import PodLog

CLOUD_LOGGING, BIGQUERY = "Cloud Logging", "BigQuery"


class Row(NamedTuple):
    """All that makes a row what it is."""

    namespace: str
    pod: str
    container: str
    stream: str
    time_ns: int
    text: str
    """`canonical`: of a JSON object the order of keys does not matter."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a destination has."""

    stored: int
    """Rows there, copies included."""
    rows: Sequence[Row]
    """Rows that a reader sees, after its own way of dropping copies."""


@dataclass(frozen=True, slots=True)
class Account:
    """Of one destination."""

    place: str
    written: int
    stored: int
    shown: int
    lost: Sequence[Row]
    """Written and not shown."""
    strange: Sequence[Row]
    """Shown, but never written like that: another text, time or place."""
    doubled: Sequence[Row]
    """Shown more often than written."""

    @property
    def delivered(self) -> int:
        """Written rows that are shown."""
        return self.written - len(self.lost)

    @property
    def copies(self) -> int:
        """What came more than once, before copies are dropped."""
        return self.stored - self.shown


def account(place: str, written: Iterable[Row], delivery: Delivery) -> Account:
    """Compare what was written for `place` with what is there."""
    expected, found = Counter(written), Counter(delivery.rows)
    surplus = found - expected
    return Account(
        place,
        expected.total(),
        delivery.stored,
        len(delivery.rows),
        lost=list((expected - found).elements()),
        strange=[row for row in surplus.elements() if row not in expected],
        doubled=[row for row in surplus.elements() if row in expected],
    )


def canonical(text: str) -> tuple[str, Mapping[str, object] | None]:
    """(the text, or of a JSON object one spelling of it; the object)."""
    if not text.startswith("{"):
        return text, None
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text, None
    return spelled(fields), fields


def spelled(fields: Mapping[str, object]) -> str:
    """A JSON object with its keys in order and no spaces."""
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode()


def is_event(fields: Mapping[str, object] | None) -> bool:
    """The `when` of the demo's route to BigQuery, said again in other words."""
    return fields is not None and fields.get("log_type") == "app"


def written_rows(logs: Iterable[PodLog]) -> dict[str, list[Row]]:
    """By destination what has to be there."""
    rows: dict[str, list[Row]] = {CLOUD_LOGGING: [], BIGQUERY: []}
    for log in logs:
        for record in log.records:
            text, fields = canonical(record.text)
            place = BIGQUERY if is_event(fields) else CLOUD_LOGGING
            where = log.pod.namespace, log.pod.name, log.container, record.stream
            rows[place].append(Row(*where, record.time_ns, text))
    return rows
