"""Which rows go: rules of the configuration, applied to a batch. Pure.

A row's severity is the one it says itself: of a field of its JSON object, or of its glog prefix.
What stream it came on says nothing. Rows that say none are DEFAULT, and so is what looks like an
object and is none; rows with a mark (half of a record may hide what it says) are never dropped.
Samples are chosen by a hash of the row's id, so each reading of a row decides alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from zlib import crc32

from logship.batch import Batch
from logship.origin import Labels
from logship.routes.match import Verdict
from logship.routes.shed_options import ShedConfig, ShedRule
from logship.rows.address import Generation
from logship.rows.objects import parse_object
from logship.rows.rows import JsonObject
from logship.severity import of_fields, of_glog

Plan: TypeAlias = Mapping[str, ShedRule]
"""Of an origin, now: the severities that go, each with the rule that says so."""


@dataclass(frozen=True, slots=True)
class Place:
    """A row that was dropped."""

    id: str
    time: str
    generation: Generation
    offset: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """Rows of one origin and severity that a rule has dropped: how many, the first and the last."""

    rows: int
    first: Place
    last: Place

    def __add__(self, other: "Dropped") -> "Dropped":
        first = min(self.first, other.first, key=lambda place: place.id)
        last = max(self.last, other.last, key=lambda place: place.id)
        return Dropped(self.rows + other.rows, first, last)


Key: TypeAlias = tuple[str, str]
"""The rule's name, and the severity."""
Drops: TypeAlias = Mapping[Key, Dropped]


def plan(options: ShedConfig, stage: int, labels: Labels) -> Plan:
    """What goes of an origin while so many severities do."""
    found: dict[str, ShedRule] = {}
    for severity in options.stages[:stage]:
        for rule in options.rules:
            if severity in rule.severities and _fits(rule, labels):
                found[severity] = rule
                break
    return found


def _fits(rule: ShedRule, labels: Labels) -> bool:
    if rule.match is None:
        return True
    return rule.match.evaluate(labels.values, known=labels.known) is Verdict.YES


def sift(batch: Batch, plan: Plan, keys: Sequence[str]) -> tuple[Batch, Drops]:
    """(what is left of the batch, what was dropped). `keys`: of fields that say a severity."""
    if not plan:
        return batch, {}
    rows = batch.rows
    ids, fields, marks = batch.ids(), rows.fields, rows.marks
    mask, gone = [True] * len(rows), dict[Key, list[int]]()
    for row, text in enumerate(rows.texts):
        severity = said(text, None if fields is None else fields[row], keys)
        rule = plan.get(severity)
        if rule is None or row in marks or is_sample(ids[row], rule.keep_one_in):
            continue
        mask[row] = False
        gone.setdefault((rule.name, severity), []).append(row)
    found = {key: _dropped(batch, ids, those) for key, those in gone.items()}
    return (batch.keep(mask), found) if gone else (batch, {})


def said(text: str, fields: JsonObject | None, keys: Sequence[str]) -> str:
    """The severity that a row says itself; DEFAULT: it says none."""
    if fields is None:
        fields = parse_object(text)
    if fields is None:
        return of_glog(text) or "DEFAULT"
    found = of_fields(fields, keys)
    return found[0] if found else "DEFAULT"


def is_sample(row_id: str, one_in: int | None) -> bool:
    """Whether the row is the one in so many that stays."""
    return one_in is not None and crc32(row_id.encode()) % one_in == 0


def _dropped(batch: Batch, ids: Sequence[str], gone: Sequence[int]) -> Dropped:
    first, last = (_place(batch, ids, pick(gone, key=ids.__getitem__)) for pick in (min, max))
    return Dropped(len(gone), first, last)


def _place(batch: Batch, ids: Sequence[str], row: int) -> Place:
    rows = batch.rows
    return Place(ids[row], rows.times[row], rows.generation_of(row), int(rows.offsets[row]))
