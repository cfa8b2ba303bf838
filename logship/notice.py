"""A row that the agent itself writes into the log of an origin, beside those that were read.

It is a row like any other, a JSON object with `severity` and `message`, which every sink knows how
to show; the label `logship/notice` says that it is the agent's. Its id is made as that of a row,
from the origin, a time, and in place of the first line of a file a hash of what it is about. So
whoever says the same thing again with the same time, also after a restart, makes the same row, and
the destination can drop the copy. It stands for no bytes of the log and moves no position; it is
counted apart (`made_rows`).
"""

import orjson

from logship.batch import Batch
from logship.origin import Origin
from logship.rows.address import Generation, line_digest, time_text
from logship.rows.index import Cutting
from logship.rows.rows import Rows

SEVERITY = "WARNING"
LABEL = "logship/notice"
"""Of the row; its value is what kind of notice it is."""


def notice(origin: Origin, kind: str, about: str, message: str, time_ns: int) -> Batch:
    """A batch of this one row. `about`: what tells it from other notices of this kind."""
    fields = {"severity": SEVERITY, "message": message}
    at = Generation(time_ns, line_digest(f"{kind}\n{about}".encode()))
    rows = Rows(
        at, [0], [time_text(time_ns)], ["stdout"], [orjson.dumps(fields).decode()], [fields]
    )
    batch = Batch(
        origin, origin.labels, (), b"", Cutting(), time_ns, extra={LABEL: kind}, made=True
    )
    return batch.with_rows(rows)
