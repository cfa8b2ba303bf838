"""Batches for the contract suite, and what must be stored of them.

Times are near now, because Cloud Logging refuses rows of the future and forgets those of the past.
The texts are no JSON objects: what a sink makes of those is the matter of its own tests.
"""

import itertools
import time
from collections.abc import Sequence

from hypothesis import strategies as st

from logship.api import Batch, time_ns
from logship.testing import batch_of, cri_line, origin_of, texts_batch
from tests.contract.harness import Stored

_NOW_NS = time.time_ns() - 60_000_000_000
_pods = itertools.count()

EVERY_BYTE = bytes(byte for byte in range(256) if byte != 10)

texts = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=60),
    st.binary(max_size=60).map(lambda text: text.replace(b"\n", b"")),
).filter(lambda text: text[:1] not in ("{", b"{"))


def fresh(rows: Sequence[str | bytes]) -> Batch:
    """A batch of an origin that no other batch has."""
    return texts_batch(rows, origin_of(f"web-{next(_pods)}"), start_ns=_NOW_NS)


def fresh_of_one(count: int, rows: Sequence[str]) -> list[Batch]:
    """Batches that follow each other in one origin that no other batch has."""
    origin, found = origin_of(f"web-{next(_pods)}"), list[Batch]()
    for number in range(count):
        start = found[-1].pieces[0].end if found else 0
        texts_of_it = [f"{number} {row}" for row in rows]
        found.append(texts_batch(texts_of_it, origin, start=start, start_ns=_NOW_NS))
    return found


def fresh_at(rows: Sequence[tuple[str, int]]) -> Batch:
    """The same, of texts and how many ns from now their times are."""
    lines = [cri_line(text, time_ns=_NOW_NS + later) for text, later in rows]
    return batch_of(lines, origin_of(f"web-{next(_pods)}"))


def expected(*batches: Batch) -> list[Stored]:
    return [
        Stored(row_id, time_ns(when), text)
        for batch in batches
        for row_id, when, text in zip(batch.ids(), batch.rows.times, batch.rows.texts, strict=True)
    ]
