"""Which rows go: by what they say themselves, in order, and the same ones in each reading."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logship.batch import Batch
from logship.origin import Labels
from logship.routes.match import Match
from logship.routes.shed_options import ORDER, ShedConfig, ShedRule
from logship.routes.shed_rules import Drops, plan, said, sift
from logship.severity import DEFAULT_KEYS, NAMES
from logship.testing import batch_of, cri_line, texts_batch

GLOG = "{}1123 04:46:31.000000       1 app.go:7] so it was"
ALL = ShedConfig(rules=(ShedRule(name="all", severity=tuple(ORDER)),))
LABELS = Labels({"namespace": "shop"})
TEXTS = st.one_of(
    st.sampled_from(NAMES).map('{{"severity": "{}"}}'.format),
    st.sampled_from(NAMES).map('{{"level": "{}", "message": "x"}}'.format),
    st.sampled_from("DIWEF").map(GLOG.format),
    st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=20),
)


def shed(batch: Batch, options: ShedConfig = ALL, stage: int = len(ORDER)) -> tuple[Batch, Drops]:
    return sift(batch, plan(options, stage, LABELS), DEFAULT_KEYS)


def kept(*texts: str, options: ShedConfig = ALL, stage: int = len(ORDER)) -> Sequence[str]:
    return list(shed(texts_batch(texts), options, stage)[0].rows.texts)


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ('{"severity": "debug"}', "DEBUG"),
        ('{"level": "warn", "message": "x"}', "WARNING"),
        ('{"level": 30}', "DEFAULT"),
        ('{"severity": "ERROR"', "DEFAULT"),
        (GLOG.format("I"), "INFO"),
        (GLOG.format("F"), "CRITICAL"),
        ("ERROR: says the text", "DEFAULT"),
    ],
)
def test_a_severity_is_what_the_row_says_itself(text: str, severity: str) -> None:
    assert said(text, None, DEFAULT_KEYS) == severity


def test_the_stream_says_nothing() -> None:
    batch = batch_of([cri_line("on stderr", stream="stderr"), cri_line("on stdout")])
    left, drops = shed(batch)
    assert left.is_empty()
    assert list(drops) == [("all", "DEFAULT")]


def test_what_a_transform_made_of_the_text_says_it() -> None:
    batch = texts_batch(["masked", "masked"])
    fields = [{"severity": "ERROR"}, {"severity": "DEBUG"}]
    left, _ = shed(batch.with_fields(replace(batch.rows, fields=fields)))
    assert [row["severity"] for row in left.rows.fields or () if row] == ["ERROR"]


@given(st.lists(TEXTS, max_size=30))
def test_errors_are_never_dropped(texts: list[str]) -> None:
    errors = [t for t in texts if NAMES.index(said(t, None, DEFAULT_KEYS)) >= NAMES.index("ERROR")]
    assert list(kept(*texts)) == errors


def test_rows_with_a_mark_are_kept() -> None:
    """Half of a record may hide that it is an error."""
    left, drops = shed(batch_of([b"no line of CRI\n", cri_line("a line")]))
    assert list(left.rows.texts) == ["no line of CRI"]
    assert sum(dropped.rows for dropped in drops.values()) == 1


def test_severities_go_one_after_the_other() -> None:
    texts = {name: f'{{"severity": "{name}"}}' for name in ORDER}
    for stage in range(len(ORDER) + 1):
        assert list(kept(*texts.values(), stage=stage)) == [texts[n] for n in ORDER[stage:]]


def test_a_stage_is_a_severity_that_some_rule_names() -> None:
    options = ShedConfig(
        rules=(ShedRule(name="w", severity="WARNING"), ShedRule(name="d", severity="DEBUG"))
    )
    assert options.stages == ("DEBUG", "WARNING")


def test_the_first_rule_that_fits_decides() -> None:
    ours = ShedRule(name="ours", match=Match(namespace="shop"), severity="DEBUG", keep_one_in=10**9)
    options = ShedConfig(rules=(ours, ShedRule(name="all", severity="DEBUG")))
    for labels, rule in ((LABELS, "ours"), (Labels({"namespace": "else"}), "all")):
        assert plan(options, 1, labels)["DEBUG"].name == rule


def test_a_rule_waits_until_its_labels_are_known() -> None:
    by_label = ShedRule(name="x", match=Match(labels={"tier": "low"}), severity="DEBUG")
    options = ShedConfig(rules=(by_label,))
    assert not plan(options, 1, Labels({"namespace": "shop"}, known=False))
    assert plan(options, 1, Labels({"label:tier": "low"}))


@given(st.lists(TEXTS, min_size=1, max_size=40))
def test_samples_are_the_same_however_the_rows_are_read(texts: list[str]) -> None:
    rule = ShedRule(name="few", severity=tuple(ORDER), keep_one_in=3)
    options, whole = ShedConfig(rules=(rule,)), texts_batch(texts)
    once = shed(whole, options)[0].ids()
    lines = [line + b"\n" for line in whole.block[:-1].split(b"\n")]
    again: list[str] = []
    for number, line in enumerate(lines):
        start = sum(map(len, lines[:number]))
        one = batch_of([line], start=start, generation=whole.pieces[0].generation)
        again += shed(one, options)[0].ids()
    assert once == again


def test_a_sample_is_about_one_in_so_many() -> None:
    rule = ShedRule(name="few", severity="DEFAULT", keep_one_in=10)
    texts = [f"row {n}" for n in range(10_000)]
    assert 850 < len(kept(*texts, options=ShedConfig(rules=(rule,)))) < 1150


def test_a_batch_of_which_nothing_goes_is_left_as_it_was() -> None:
    """So a sink that ships blocks ships this one untouched."""
    batch = texts_batch(['{"severity": "ERROR"}'])
    left, drops = shed(batch)
    assert left is batch
    assert not drops
