"""Which table a row goes to.

`dataset` and `table` may hold `{label}` and `{json.path}`: a table per event type, a dataset per
team. What a row says about itself never makes a table by itself: only names on the allow-list are
written to, every other row goes to `otherwise`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from logship.api import Batch, ConfigError, JsonObject, parse_object
from logship_gcp.bigquery.schema import TableName

_PLACE = re.compile(r"\{([^{}]*)\}")
_DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}", re.ASCII)
_TABLE = re.compile(r"[A-Za-z0-9_-]{1,1000}", re.ASCII)
_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9_]", re.ASCII)
_JSON = "json."
MAX_TABLES = 500
"""Of one sink: a glob on the allow-list must not let a log make tables without end."""


@dataclass(frozen=True, slots=True)
class Template:
    text: str

    @property
    def places(self) -> list[str]:
        return _PLACE.findall(self.text)

    @property
    def of_rows(self) -> bool:
        return any(place.startswith(_JSON) for place in self.places)

    def fill(self, batch: Batch, fields: JsonObject | None) -> str | None:
        """The name; None when a value is missing."""
        values = {place: _value(place, batch, fields) for place in self.places}
        if None in values.values():
            return None
        return _PLACE.sub(lambda match: _NOT_ALLOWED.sub("_", values[match[1]] or ""), self.text)


def _value(place: str, batch: Batch, fields: JsonObject | None) -> str | None:
    if not place.startswith(_JSON):
        return batch.labels.get(place) or None
    value: object = fields
    for key in place.removeprefix(_JSON).split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) and value else None


class Targets:
    """The tables that rows go to."""

    def __init__(
        self, project: str, dataset: str, table: str, allow: Sequence[str], otherwise: str
    ) -> None:
        self._project = project
        self._dataset, self._table = Template(dataset), Template(table)
        self._allow = tuple(allow)
        self._fixed = not (self._dataset.places or self._table.places)
        self._otherwise = None if self._fixed else self._named(dataset, otherwise)
        self._known: set[tuple[str, str]] = set()

    def group(self, batch: Batch) -> dict[TableName, list[int]]:
        """Per table the rows that go there."""
        every = list(range(len(batch.rows)))
        if not (self._dataset.of_rows or self._table.of_rows):
            return {self._table_of(batch, None): every} if every else {}
        groups: dict[TableName, list[int]] = {}
        for row, fields in enumerate(_fields(batch)):
            groups.setdefault(self._table_of(batch, fields), []).append(row)
        return groups

    def _table_of(self, batch: Batch, fields: JsonObject | None) -> TableName:
        dataset, table = self._dataset.fill(batch, fields), self._table.fill(batch, fields)
        if self._fixed:
            return TableName(self._project, dataset or "", table or "")
        if dataset is None or table is None or not self._allowed(dataset, table):
            assert self._otherwise is not None
            return self._otherwise
        return TableName(self._project, dataset, table)

    def _allowed(self, dataset: str, table: str) -> bool:
        if (dataset, table) in self._known:
            return True
        whole = f"{dataset}.{table}"
        fits = any(fnmatchcase(whole if "." in glob else table, glob) for glob in self._allow)
        if not fits or len(self._known) >= MAX_TABLES:
            return False
        self._known.add((dataset, table))
        return True

    def _named(self, dataset: str, name: str) -> TableName:
        own, _, table = name.rpartition(".")
        return TableName(self._project, own or dataset, table)


def _fields(batch: Batch) -> Sequence[JsonObject | None]:
    if batch.rows.fields is not None:
        return batch.rows.fields
    return [parse_object(text) for text in batch.rows.texts]


def check(path: str, dataset: str, table: str, allow: Sequence[str], otherwise: str) -> None:
    """Raise ConfigError for names that BigQuery would not take."""
    for option, text, valid in (("dataset", dataset, _DATASET), ("table", table, _TABLE)):
        if not valid.fullmatch(_PLACE.sub("x", text)):
            reason = f"{text!r} is not a name in BigQuery: write letters, digits and _"
            raise ConfigError(f"{path}.{option}", reason)
        if any(not place or place == _JSON for place in Template(text).places):
            reason = f"{text!r} has an empty place: write {{namespace}} or {{json.event_type}}"
            raise ConfigError(f"{path}.{option}", reason)
    if not (Template(dataset).places or Template(table).places):
        return
    if not allow:
        reason = "needed with a template: the tables that may be written, e.g. [events_*]"
        raise ConfigError(f"{path}.allow", reason)
    own, _, name = otherwise.rpartition(".")
    if not _TABLE.fullmatch(name) or (own and not _DATASET.fullmatch(own)):
        reason = f"{otherwise!r}: needed with a template: a table, or dataset.table"
        raise ConfigError(f"{path}.otherwise", reason)
    if not own and Template(dataset).places:
        reason = f"{otherwise!r} needs its dataset, because `dataset` is a template"
        raise ConfigError(f"{path}.otherwise", reason)
