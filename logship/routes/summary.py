"""The row that stands in the place of rows that were dropped. Pure.

It is a row like any other, of the same origin: a JSON object with `severity` and `message`, which
every sink knows how to show. Its id begins with that of the first row it stands for, so it sorts to
their place, and goes on with a hash of route, rule, severity, last row and number: where the same
rows are dropped again, as after a crash, it is the same. Its time is that of the first row, so it
comes from the log too, never from a clock. Labels say rule, severity and number once more.
"""

from collections.abc import Collection
from hashlib import blake2b

import orjson

from logship.batch import Batch
from logship.routes.shed_options import ShedRule
from logship.routes.shed_rules import Dropped
from logship.rows.address import time_ns
from logship.rows.index import Cutting
from logship.rows.rows import Rows

SEVERITY = "WARNING"
ROWS, OF_SEVERITY, RULE = "logship/dropped_rows", "logship/dropped_severity", "logship/shed_rule"
"""Labels."""


def summary(
    like: Batch, route: str, rule: ShedRule, severity: str, dropped: Dropped, why: Collection[str]
) -> Batch:
    """A batch of this one row. `like`: a batch that rows were dropped from; `why`: the reasons."""
    text = message(like, rule, severity, dropped, why)
    fields = {"severity": SEVERITY, "message": text}
    row = orjson.dumps(fields)
    first = dropped.first
    labels = {ROWS: str(dropped.rows), OF_SEVERITY: severity, RULE: rule.name}
    rows = Rows(
        first.generation, [first.offset], [first.time], ["stdout"], [row.decode()], [fields],
        given_ids=[summary_id(route, rule.name, severity, dropped)],
    )  # fmt: skip
    batch = Batch(
        like.origin, like.labels, (), row + b"\n", Cutting("plain"), like.mtime_ns,
        {**like.extra, **labels}, route,
    )  # fmt: skip
    return batch.with_rows(rows)


def summary_id(route: str, rule: str, severity: str, dropped: Dropped) -> str:
    said = f"{route}\n{rule}\n{severity}\n{dropped.last.id}\n{dropped.rows}"
    return f"{dropped.first.id}.{blake2b(said.encode(), digest_size=6).hexdigest()}"


def message(
    like: Batch, rule: ShedRule, severity: str, dropped: Dropped, why: Collection[str]
) -> str:
    labels = like.labels
    places = [labels.get(key) for key in ("namespace", "pod", "container")]
    place = "/".join(filter(None, places)) or labels.get("path") or like.origin.key
    rows = f"{dropped.rows:,} row{'s' * (dropped.rows != 1)}"
    rest = f", which keeps 1 in {rule.keep_one_in}" if rule.keep_one_in else ""
    return (
        f"logship dropped {rows} of severity {severity} of {place}{_span(dropped)} because "
        f"{' and '.join(why)} (rule `{rule.name}`{rest})"
    )


def _span(dropped: Dropped) -> str:
    """How long a time the rows are of; nothing where their times do not say."""
    try:
        span_ns = time_ns(dropped.last.time) - time_ns(dropped.first.time)
    except ValueError:
        return ""
    return f" in {max(1, round(span_ns / 1e9))} s" if span_ns >= 0 else ""
