"""What a condition does beside choosing rows: nothing. And what parsed rows hold: what is charged.

A short text can be an object of thirty times its size (`{"":0},` is 232 bytes), and any pod may
write it. The budget charges four times the text, so objects must be gone while a batch waits.
"""

import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace

import orjson
import pytest
from logship_gcp.cloud_logging.entries import encode
from logship_gcp.cloud_logging.frames import Place, frame_of
from logship_gcp.cloud_logging.special import Reader
from logship_transforms.grep import Grep, GrepConfig, GrepRule
from logship_transforms.parse_json import ParseJson, ParseJsonConfig
from logship_transforms.redact import Redact, RedactConfig

from logship.api import Batch, Context
from logship.routes.conditions import Selection
from logship.routes.when import Condition
from logship.rows import kernel
from logship.testing import context, texts_batch

LARGE = '{"kind":"app","mail":"ann@mail.example","a":[' + ",".join(['{"":0}'] * 8_000) + "]}"
SELECTION = Selection(Condition(json={"kind": "app"}))
READER = Reader("p", ("severity",), ("trace",))


@pytest.fixture
def tested() -> Iterator[Context]:
    made = context("r")
    yield made
    made.world.offload.close()


def parsed(batch: Batch, tested: Context) -> Batch:
    return ParseJson(ParseJsonConfig(), tested).apply(batch)


def chosen(batch: Batch, tested: Context) -> Batch:
    return SELECTION.apply(batch)


def grepped(batch: Batch, tested: Context) -> Batch:
    rule = GrepRule(field="kind", equals="app")
    return Grep(GrepConfig(keep=rule), tested).apply(parsed(batch, tested))


def redacted(batch: Batch, tested: Context) -> Batch:
    return Redact(RedactConfig(patterns=("email",)), tested).apply(parsed(batch, tested))


def encoded(batch: Batch, tested: Context) -> Batch:
    made = parsed(batch, tested)
    encode(made, frame_of(made, Place("p", "l", "c")), READER, now_ns=0, alone=True)
    return made


@pytest.mark.parametrize(
    ("step", "kind"),
    [(chosen, "pure"), (chosen, "compiled"), (grepped, "compiled"), (redacted, "pure"),
     (redacted, "compiled"), (encoded, "pure"), (encoded, "compiled")],
)  # fmt: skip
def test_a_batch_that_waits_holds_no_objects(
    step: Callable[[Batch, Context], Batch], kind: str, tested: Context
) -> None:
    before = kernel.in_use()
    try:
        kernel.choose(kind)
    except ValueError as error:
        pytest.skip(str(error))
    try:
        step(texts_batch([LARGE, "{}"]), tested)  # what is imported and compiled once
        batch = texts_batch([LARGE] * 4 + ["{}"])
        tracemalloc.start()
        made = step(batch, tested)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        kernel.choose(before)
    assert len(made.rows) >= 4
    assert held < made.held_bytes()


def test_a_condition_changes_nothing_of_the_rows_that_it_leaves() -> None:
    """A sink delivers as objects what a transform has parsed; a condition is none."""
    left = SELECTION.apply(texts_batch(['{"kind":"app"}', '{"kind":"web"}', "text"]))
    assert left.rows.texts == ['{"kind":"app"}']
    assert left.rows.fields is None
    every = SELECTION.apply(batch := texts_batch(['{"kind":"app"}']))
    assert every is batch


def test_fields_that_a_source_gave_are_what_a_condition_sees() -> None:
    batch = texts_batch(['{"kind":"web"}', '{"kind":"app"}'])
    batch = batch.with_fields(replace(batch.rows, fields=[{"kind": "app"}, None]))
    assert SELECTION.apply(batch).rows.texts == ['{"kind":"web"}']


def test_an_object_too_deep_to_be_written_again_passes_a_condition_and_redact(
    tested: Context,
) -> None:
    """orjson reads deeper than it writes: nobody may have to write what only a condition read."""
    deep = '{"kind":"app","x":' + "[" * 300 + "]" * 300 + "}"
    assert orjson.loads(deep)
    left = SELECTION.apply(texts_batch([deep, '{"kind":"app","to":"ann@mail.example"}']))
    clean = Redact(RedactConfig(patterns=("email",)), tested).apply(left)
    assert clean.rows.texts == [deep, '{"kind":"app","to":"[REDACTED]"}']
