"""The time of each row of a batch, such that Cloud Logging takes it.

The runtime's time is taken as it is written. A row without one (of a plain file) has the time the
file was last written. A time that would be refused (more than a day ahead of now, a zone that does
not exist) is replaced by the time of the row's generation, which is a function of the bytes, and
the row is labelled.
"""

from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter

from logship.api import Batch, time_text
from logship_gcp.cloud_logging.times import DAY_NS, is_late, is_valid

_LAST_CHAR = itemgetter(slice(-1, None))
_ALL_UTC = {"Z"}


def row_times(batch: Batch, now_ns: int) -> tuple[Sequence[str], Sequence[int]]:
    """(time of each row, rows whose own time was replaced). `now_ns`: wall clock."""
    rows = batch.rows
    if (latest := rows.latest_minute()) is not None and latest < latest_sure(now_ns):
        return rows.times, ()
    from_kernel = rows.given_ids is None  # its times are checked, but for the zone
    utc = from_kernel and set(map(_LAST_CHAR, rows.times)) == _ALL_UTC
    if utc and max(rows.times) < latest_sure(now_ns):
        return rows.times, ()
    now = time_text(now_ns)
    times, clamped = list(rows.times), []
    for row, time in enumerate(times):
        if not time:
            times[row] = _time_of_file(batch, row, now)
        elif not is_valid(time) or is_late(time, now):
            times[row] = _time_of_generation(batch, row, now)
            clamped.append(row)
    return times, clamped


@lru_cache(maxsize=4)
def latest_sure(now_ns: int) -> str:
    """The minute before which times in UTC are not late. A write's batches share their moment."""
    return time_text(now_ns + DAY_NS)[:16]


def _time_of_file(batch: Batch, row: int, now: str) -> str:
    return time_text(batch.mtime_ns) if batch.mtime_ns else _time_of_generation(batch, row, now)


def _time_of_generation(batch: Batch, row: int, now: str) -> str:
    for ns in (batch.rows.generation_of(row).time_ns, batch.mtime_ns):
        if ns > 0 and not is_late(time := time_text(ns), now):
            return time
    return now
