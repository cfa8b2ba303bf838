"""null counts what it forgets."""

import asyncio

from logship_debug.null import Null, NullConfig

from logship.api import DELIVERED
from logship.testing import context, texts_batch


def test_null_delivers_and_counts_rows_and_bytes() -> None:
    sink = Null(NullConfig(), context("null"))
    whole = texts_batch(["a", "b", "c"])
    kept = texts_batch(["a", "b"]).keep([True, False])
    assert asyncio.run(sink.write([whole, kept])) == DELIVERED
    assert asyncio.run(sink.write([])) == DELIVERED
    assert sink.rows == 4
    assert sink.bytes == whole.size() + kept.size()
