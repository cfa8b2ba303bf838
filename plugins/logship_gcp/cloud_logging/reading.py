"""Entries read back by their ids, with `entries:list`: for `logship check --roundtrip`."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import orjson

from logship.api import Batch, Retry
from logship_gcp.cloud_logging.frames import Place
from logship_gcp.cloud_logging.responses import Answer, error_of
from logship_gcp.cloud_logging.transport import Transport

CALL = "entries:list"
_PAGE_ENTRIES = 1000


class _Entry(msgspec.Struct):
    insertId: str = ""


class _Page(msgspec.Struct):
    entries: list[_Entry] = []
    nextPageToken: str = ""


async def read_back(
    batches: Sequence[Batch], place: Place, transport: Transport
) -> Mapping[str, int]:
    """Raises Retry, and says what to grant."""
    found: Counter[str] = Counter()
    ids = [row_id for batch in batches for row_id in batch.ids()]
    times = [time for batch in batches for time in batch.rows.times]
    log_names = {place.log_names[stream] for batch in batches for stream in batch.rows.streams}
    for log_name in sorted(log_names):
        query = (
            f'logName="{log_name}" AND timestamp>="{min(times)}" AND timestamp<="{max(times)}"'
            f' AND insertId>="{min(ids)}" AND insertId<="{max(ids)}"'
        )
        token = ""
        while True:
            page = await _page(query, token, place.project, transport)
            found.update(entry.insertId for entry in page.entries)
            if not (token := page.nextPageToken):
                break
    return found


async def _page(query: str, token: str, project: str, transport: Transport) -> _Page:
    asked = {"resourceNames": [f"projects/{project}"], "filter": query, "pageSize": _PAGE_ENTRIES}
    answer = await transport.post([orjson.dumps(asked | ({"pageToken": token} if token else {}))])
    if not isinstance(answer, Answer):
        raise Retry(answer.reason)
    if answer.status != 200:
        grant = f"; grant roles/logging.viewer on project {project}" if answer.status == 403 else ""
        said = error_of(answer.body).message
        raise Retry(f"entries cannot be read back: HTTP {answer.status}: {said}{grant}")
    return msgspec.json.decode(answer.body, type=_Page)
