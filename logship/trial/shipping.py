"""Which rows of a log go where: routes, transforms and previews, as an agent would do it.

Routes are chosen, rows selected and transforms applied by the code that the agent runs. A log whose
metadata did not come in time is routed by `on_unknown`, as when rotation would lose it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from logship.api import OF_STREAM, Batch, Preview
from logship.config import Config
from logship.parts import Parts
from logship.routes.routing import choose_as_wished
from logship.rows.objects import parse_object
from logship.rows.rows import JsonObject
from logship.sample import NotRead
from logship.severity import of_row
from logship.trial.given import Log, log_of
from logship.trial.options import Given


@dataclass(frozen=True, slots=True)
class Came:
    """A row, and what became of it."""

    text: str
    stream: str
    time: str
    fields: JsonObject | None
    severity: str
    labels: Mapping[str, str]
    route: str = ""
    """That took it; empty: none."""
    sink: str = ""
    dropped_by: str = ""
    sent: Mapping[str, object] | None = None
    """None: the sink does not tell what it sends."""


@dataclass(slots=True)
class Shipped:
    sent: list[Came] = field(default_factory=list)
    dropped: list[Came] = field(default_factory=list)
    unmatched: list[Came] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """Why each log that is not read is not."""
    bugs: list[str] = field(default_factory=list)


def ship(given: Sequence[Given], config: Config, parts: Parts, now_ns: int) -> Shipped:
    shipped = Shipped()
    for each in given:
        source = parts.sources[each.source or next(iter(parts.sources))]
        try:
            log = log_of(each, source, config, now_ns)
        except NotRead as error:
            shipped.unread.append(f"source {source.context.name}: {error}")
            continue
        if log.sample.wish.exclude:
            shipped.unread.append(f"source {source.context.name}: its annotations exclude it")
            continue
        for batch in log.batches:
            _route(batch, log, parts, shipped)
    return shipped


def _route(batch: Batch, log: Log, parts: Parts, shipped: Shipped) -> None:
    labels = log.sample.origin.labels
    chosen = choose_as_wished(
        parts.rules, log.source, labels, log.sample.wish, force=not labels.known
    )
    taken: set[str] = set()
    for rule, selection in chosen or ():
        mine = selection.apply(replace(batch, route=rule.name))
        taken.update(mine.ids())
        try:
            _pass_on(mine, rule.name, parts, shipped)
        except Exception as error:  # as the agent does: a bug of one route stops no other
            shipped.bugs.append(f"route {rule.name}: {type(error).__name__}: {error}")
    left = [row for row, row_id in enumerate(batch.ids()) if row_id not in taken]
    shipped.unmatched += [_came(batch, row) for row in left]


def _pass_on(batch: Batch, route: str, parts: Parts, shipped: Shipped) -> None:
    for name, transform in parts.transforms[route]:
        before, batch = batch, transform.apply(batch)
        kept = set(batch.ids())
        shipped.dropped += [
            replace(_came(before, row), route=route, dropped_by=name)
            for row, row_id in enumerate(before.ids())
            if row_id not in kept
        ]
    if batch.is_empty():
        return
    sink = parts.targets[route]
    rows = {row: _came(batch, row) for row in range(len(batch.rows))}
    for shown in parts.sinks[sink].preview(batch) or _untold(batch):
        shipped.sent.append(_sent(rows[shown.row], shown, route, sink))


def _untold(batch: Batch) -> list[Preview]:
    return [Preview(row, {}) for row in range(len(batch.rows))]


def _sent(came: Came, shown: Preview, route: str, sink: str) -> Came:
    return replace(
        came,
        route=route,
        sink=sink,
        sent=shown.sent or None,
        severity=shown.severity or came.severity,
        labels=came.labels if shown.labels is None else shown.labels,
    )


def _came(batch: Batch, row: int) -> Came:
    rows = batch.rows
    text, stream = rows.texts[row], rows.streams[row]
    fields = parse_object(text) if rows.fields is None else rows.fields[row]
    severity = of_row(text, stream, fields) if stream in OF_STREAM else ""
    labels = {**batch.labels.prefixed("label:"), **batch.extra}
    return Came(text, stream, rows.times[row], fields, severity, labels)
