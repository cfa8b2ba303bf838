"""The columns of a batch by the compiled kernel: those of `extract`, without Python per row.

The kernel reads every object once, and notes where the value of each column lies. What a choice of
members means as a severity is asked once per choice. Rows that only a parser can tell (a key twice,
a time that is a number) take the pure way, all together.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from logship.api import OF_STREAM, Batch, id_low, id_prefix, kernel, of_glog
from logship_gcp.bigquery.extract import SECONDS, Extractor, Keys, severity_of
from logship_gcp.bigquery.own_time import known_times

if TYPE_CHECKING:
    from logship.rows._kernel import Fields

COLUMNS = ("severity", "event_time", "message", "trace", "span_id", "payload",
           "stream", "insert_id", "timestamp")  # fmt: skip
"""In the order of the kernel: the groups of keys, then what every row has."""
NUMBER: Mapping[str, int] = {name: number for number, name in enumerate(COLUMNS)}


def fields_of(batch: Batch, extractor: Extractor) -> "Fields | None":
    """The columns of a batch, or None where its rows are not as the kernel left them."""
    rows = batch.rows
    table, wanted = rows.table, _wanted(extractor.keys)
    if table is None or wanted is None or rows.elsewhere or rows.given_ids is not None:
        return None
    names, groups = wanted
    prefix = id_prefix(batch.origin.digest, rows.generation)
    found = kernel.fields(table, rows.offsets, names, groups, prefix, id_low(rows.generation))
    found.choose([_chosen(members, names, extractor.keys) for members in found.choices])
    for row in table.survey()[1]:
        if severity := of_glog(rows.texts[row]):
            found.put(row, NUMBER["severity"], severity.encode())
    if found.rest:
        _put_rest(batch, found, extractor)
    return found


def _wanted(keys: Keys) -> tuple[tuple[str, ...], tuple[int, ...]] | None:
    """(all keys, how many each column has); None where the kernel could not tell them apart."""
    groups = (keys.severity, keys.time, keys.message, keys.trace, keys.span)
    names = (*(key for group in groups for key in group), SECONDS)
    if len(set(names)) < len(names) or len(names) > kernel.MAX_KEYS or "" in names:
        return None
    return names, tuple(map(len, groups))


def _chosen(
    members: tuple[tuple[int, bytes], ...], names: tuple[str, ...], keys: Keys
) -> tuple[bytes, bytes]:
    fields = {names[key]: msgspec.json.decode(text) for key, text in members}
    severity = severity_of(fields, keys)
    return (severity or OF_STREAM["stdout"]).encode(), (severity or OF_STREAM["stderr"]).encode()


def _put_rest(batch: Batch, found: "Fields", extractor: Extractor) -> None:
    texts, streams = batch.rows.texts, batch.rows.streams
    columns = extractor.columns([texts[r] for r in found.rest], [streams[r] for r in found.rest])
    values: dict[str, Sequence[str | None]] = {
        "severity": columns.severities,
        "event_time": known_times(columns.event_times),
        "message": columns.messages,
        "trace": columns.traces,
        "span_id": columns.span_ids,
        "payload": columns.payloads,
    }
    for name, column in values.items():
        for row, value in zip(found.rest, column, strict=True):
            found.put(row, NUMBER[name], None if value is None else value.encode())
