"""A row as one line: what is in it, and that it can be read again."""

from dataclasses import replace

import orjson
from hypothesis import given
from hypothesis import strategies as st
from logship_debug.lines import encode

from logship.api import Batch, Cutting, Labels, Origin, Span
from logship.testing import GENERATION, START_NS, batch_of, cri_line, origin_of, texts_batch

texts = st.text(st.characters(codec="utf-8", exclude_characters="\n")) | st.binary().map(
    lambda text: text.replace(b"\n", b"")
)


def objects(*batches: Batch) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in encode(batches, "json").splitlines()]


@given(st.lists(st.lists(texts, max_size=4), max_size=3))
def test_every_row_is_one_line_that_gives_its_id_time_and_text_back(
    written: list[list[str | bytes]],
) -> None:
    batches = [texts_batch(rows, origin_of(f"web-{n}")) for n, rows in enumerate(written)]
    content = encode(batches, "json")
    lines = [orjson.loads(line) for line in content.split(b"\n")[:-1]]
    assert [(line["id"], line["time"], line["text"]) for line in lines] == [
        row
        for batch in batches
        for row in zip(batch.ids(), batch.rows.times, batch.rows.texts, strict=True)
    ]


def test_a_line_says_where_the_row_comes_from() -> None:
    batch = batch_of([cri_line("x", stream="stderr")])
    assert objects(batch) == [
        {
            "id": batch.ids()[0],
            "time": "2026-11-23T04:46:31.000000000Z",
            "namespace": "shop",
            "pod": "web-0",
            "container": "app",
            "stream": "stderr",
            "text": "x",
        }
    ]


def test_fields_stand_in_place_of_the_text_once_a_row_was_parsed() -> None:
    batch = texts_batch(['{"a":1}', "plain"])
    parsed = batch.with_fields(replace(batch.rows, fields=[{"a": 1}, None]))
    first, second = objects(parsed)
    assert first["fields"] == {"a": 1}
    assert "text" not in first
    assert second["text"] == "plain"
    assert "fields" not in second


def test_labels_and_marks_are_shown_where_there_are_any() -> None:
    batch = replace(batch_of([b"not CRI\n", cri_line("x")]), extra={"env": "prod"})
    first, second = objects(batch)
    assert first["marks"] == ["malformed"]
    assert "marks" not in second
    assert first["labels"] == second["labels"] == {"env": "prod"}


def plain_batch(*lines: bytes) -> Batch:
    origin = Origin("node-1//var/log/x.log", Labels({"path": "/var/log/x.log"}))
    block = b"".join(lines)
    pieces = (Span(GENERATION, 0, len(block)),)
    return Batch(origin, origin.labels, pieces, block, Cutting(format="plain"), START_NS)


def test_a_row_without_a_time_has_that_of_its_file() -> None:
    first, second = objects(plain_batch(b"x\n", b"2026-11-22T00:00:00Z y\n"))
    assert first["time"] == "2026-11-23T04:46:31.000000000Z"
    assert second["time"] == "2026-11-22T00:00:00Z"
    assert first["path"] == "/var/log/x.log"


def test_text_is_for_eyes() -> None:
    content = encode([texts_batch(["hello \u2603"]), plain_batch(b"x\n")], "text").decode()
    time = "2026-11-23T04:46:31.000000000Z"
    assert content == (
        f"{time} shop/web-0/app stdout hello \u2603\n{time} /var/log/x.log stdout x\n"
    )
