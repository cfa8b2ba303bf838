"""A dead letter is the row that was refused: what is made of it is what the sink was given."""

from dataclasses import replace

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logship.api import Batch, Cutting, Generation, Labels, Mark, Origin, Refused, Rows
from logship.delivery.letter import Letter, bundles, decode, encode
from logship.testing import texts_batch

AT = "2026-11-23T05:00:00.000000000Z"
words = st.text(max_size=20)
labels = st.dictionaries(words, words, max_size=3)
generations = st.builds(Generation, st.integers(0, 2**63), st.integers(0, 2**32 - 1))
objects = st.dictionaries(words, st.integers(-5, 5) | words | st.none(), max_size=3)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    count = draw(st.integers(1, 5))

    def column(of: st.SearchStrategy[str]) -> list[str]:
        return draw(st.lists(of, min_size=count, max_size=count))

    rows = Rows(
        generation=draw(generations),
        offsets=draw(st.lists(st.integers(0, 2**40), min_size=count, max_size=count)),
        times=column(st.sampled_from(["", AT, "2026-11-23T05:00:00+01:00"])),
        streams=column(st.sampled_from(["stdout", "stderr"])),
        texts=column(words),
        fields=draw(st.none() | st.lists(st.none() | objects, min_size=count, max_size=count)),
        marks={0: draw(st.builds(Mark, st.booleans(), st.booleans(), st.booleans()))},
        elsewhere={count - 1: draw(generations)} if draw(st.booleans()) else {},
        given_ids=draw(st.none() | st.just([f"own-{n}" for n in range(count)])),
    )
    origin = Origin(draw(words), Labels(draw(labels)))
    empty = Batch(origin, origin.labels, (), b"", Cutting(), draw(st.integers(0, 2**62)))
    return replace(empty, extra=draw(labels), route=draw(words)).with_rows(rows)


def seen(batch: Batch) -> list[tuple[object, ...]]:
    """All that a sink looks at, a tuple a row."""
    rows = batch.rows
    fields = rows.fields or [None] * len(rows)
    shared = (batch.origin.key, batch.labels.values, batch.extra, batch.route, batch.mtime_ns)
    return [
        (*shared, *own, rows.generation_of(n), rows.mark(n))
        for n, own in enumerate(
            zip(batch.ids(), rows.times, rows.streams, rows.texts, fields, strict=True)
        )
    ]


@given(batches())
def test_what_is_made_of_letters_is_what_the_sink_was_given(batch: Batch) -> None:
    lines = [encode("gcl", batch, Refused(0, row, "why"), AT) for row in range(len(batch.rows))]
    assert all(line.count(b"\n") == 1 for line in lines)
    letters = [decode(line) for line in lines]
    again = [row for bundle in bundles(letters) for row in seen(bundle.batch)]
    assert sorted(map(str, again)) == sorted(map(str, seen(batch)))


@given(st.lists(batches(), max_size=3))
def test_a_bundle_knows_which_row_is_which_letter(made: list[Batch]) -> None:
    letters = [
        decode(encode("gcl", batch, Refused(0, row, "why"), AT))
        for batch in made
        for row in range(len(batch.rows))
    ]
    for bundle in bundles(letters):
        assert [letter.id for letter in bundle.letters] == bundle.batch.ids()


def test_a_text_that_utf8_cannot_write_is_a_letter_all_the_same() -> None:
    batch = texts_batch(["a"])
    torn = replace(batch.rows, texts=["a\ud800"], fields=[{"a": "\ud800"}])
    letter = decode(encode("gcl", batch.with_rows(torn), Refused(0, 0, "why"), AT))
    assert (letter.text, letter.fields) == ("a?", msgspec.Raw(b"null"))


def test_what_json_has_no_form_for_is_left_to_the_text() -> None:
    batch = texts_batch(["a"])
    odd = replace(batch.rows, fields=[{"a": object()}])
    letter = decode(encode("gcl", batch.with_rows(odd), Refused(0, 0, "why"), AT))
    assert (letter.text, letter.fields) == ("a", msgspec.Raw(b"null"))


def test_a_letter_of_an_older_version_can_be_sent_under_its_id() -> None:
    old = {"id": "1" * 48, "time": AT, "route": "r", "sink": "s", "reason": "why",
           "stream": "stdout", "text": "hello", "labels": {"pod": "p"}}  # fmt: skip
    [bundle] = bundles([decode(orjson.dumps(old))])
    assert bundle.batch.ids() == ["1" * 48]
    assert bundle.batch.rows.texts == ["hello"]


@pytest.mark.parametrize(
    "line", [b"", b"{}", b'{"id":1}', b"\xff", b"[" * 5000, b'{"fields":' + b"[" * 9000]
)
def test_what_is_no_letter_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(line)


def test_a_generation_or_fields_that_nobody_wrote_are_a_value_error() -> None:
    good = orjson.loads(encode("gcl", texts_batch(["a"]), Refused(0, 0, "why"), AT))
    for name, value in (("generation", "xyz"), ("fields", [1])):
        with pytest.raises(ValueError, match=r".+"):
            decode(orjson.dumps(good | {name: value}))
    assert isinstance(decode(orjson.dumps(good)), Letter)
