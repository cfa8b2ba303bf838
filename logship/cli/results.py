"""The results of `logship test`, as texts for people and as values for programs. Pure.

What was expected stands behind `-`, what came behind `+`, as in a diff. Long values are cut: the
whole of what is sent is in `--show` and `--json`.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import orjson

from logship.cli.table import shown
from logship.routes.when import ABSENT
from logship.trial.comparing import Pair, row_of
from logship.trial.options import Row
from logship.trial.reading import Loaded
from logship.trial.running import Failure, Result
from logship.trial.shipping import Came

_VALUE_CHARS = 500
_MAX_ROWS = 20


def tell(result: Result, loaded: Loaded, *, show: bool) -> Iterator[str]:
    """Lines. `show`: also all that is sent, of tests that pass too."""
    yield f"{'ok  ' if result.passed else 'FAIL'}  {shown(result.case.name)}"
    for failure in result.failures:
        yield from (f"      {line}" for line in _failure(failure, loaded))
    if show:
        yield from (f"      {line}" for line in _all(result))


def _failure(failure: Failure, loaded: Loaded) -> Iterator[str]:
    came = len(failure.came) or len(failure.reasons)
    yield (
        f"{loaded.file}:{_line(failure.path, loaded)}: {failure.about}: "
        f"{failure.wanted} expected, {came} came"
    )
    for reason in failure.reasons[:_MAX_ROWS]:
        yield f"  + {shown(reason)}"
    if not failure.pairs:
        yield from (f"  + {_brief(row)}" for row in failure.came[:_MAX_ROWS])
    wrong = [p for p in failure.pairs if p.wanted is None or p.came is None or p.differences]
    for pair in wrong[:_MAX_ROWS]:
        yield from (f"  {line}" for line in _pair(pair, failure.rows))
    more = max(len(wrong), 0 if failure.pairs else len(failure.came)) - _MAX_ROWS
    if more > 0:
        yield f"  ... and {more} more"


def _line(path: str, loaded: Loaded) -> int:
    while path not in loaded.marks:  # a default that is not written
        path = path.rpartition(".")[0]
    return loaded.marks[path].line


def _pair(pair: Pair, rows: Sequence[str | Row]) -> Iterator[str]:
    if pair.wanted is None:
        assert pair.came is not None
        yield f"+ {_brief(pair.came)}"
        return
    number = f"row {pair.wanted + 1}"
    if pair.came is None:
        yield f"- {number}: {_said(rows[pair.wanted])}"
        return
    yield f"{number}: {_brief(pair.came)}"
    for name, wanted, came in pair.differences:
        yield f"  - {name}: {_value(wanted)}"
        yield f"  + {name}: {_value(came)}"


def _said(wanted: str | Row) -> str:
    row = row_of(wanted)
    fields = {n: v for n in row.__struct_fields__ if (v := getattr(row, n)) not in (None, {})}
    return ", ".join(f"{name}: {_value(value)}" for name, value in fields.items())


def _brief(row: Came) -> str:
    how = f" (dropped by {row.dropped_by} of route {row.route})" if row.dropped_by else ""
    return f"{_value(row.text)} [{row.stream}, {row.severity}]{how}"


def _value(value: object) -> str:
    if value is ABSENT:
        return "(not there)"
    try:
        text = orjson.dumps(value, default=msgspec.to_builtins).decode()
    except TypeError:  # a number of more than 64 bits, which nothing that came can be
        text = repr(value)
    return text if len(text) <= _VALUE_CHARS else f"{text[:_VALUE_CHARS]}... ({len(text)} chars)"


def _all(result: Result) -> Iterator[str]:
    shipped = result.shipped
    for row in shipped.sent:
        yield f"route {row.route} -> sink {row.sink}: {_value(row.text)} [{row.severity}]"
        if row.sent is not None:
            yield f"  {orjson.dumps(row.sent).decode()}"
    yield from (f"dropped: {_brief(row)}" for row in shipped.dropped)
    yield from (f"unmatched: {_brief(row)}" for row in shipped.unmatched)
    yield from (f"unread: {shown(reason)}" for reason in shipped.unread)


def as_dict(result: Result, loaded: Loaded) -> dict[str, object]:
    """JSON-ready."""
    shipped = result.shipped
    return {
        "file": loaded.file,
        "line": loaded.line(result.path),
        "name": result.case.name,
        "passed": result.passed,
        "failures": ["\n".join(_failure(failure, loaded)) for failure in result.failures],
        "sent": list(map(_row, shipped.sent)),
        "dropped": list(map(_row, shipped.dropped)),
        "unmatched": list(map(_row, shipped.unmatched)),
        "unread": shipped.unread,
    }


def _row(row: Came) -> Mapping[str, object]:
    found = {
        "route": row.route, "sink": row.sink, "dropped_by": row.dropped_by, "text": row.text,
        "stream": row.stream, "time": row.time, "severity": row.severity,
        "labels": dict(row.labels), "sent": row.sent,
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}
