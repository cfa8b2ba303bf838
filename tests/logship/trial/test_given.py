"""Texts come back as rows in every format: they are written as a runtime would have done it."""

from hypothesis import given
from hypothesis import strategies as st

from logship.api import Cutting, Labels, Sample, Source
from logship.config import load
from logship.registry import Registry
from logship.sample import Sample as Made
from logship.testing import context, origin_of
from logship.trial.given import START_NS, log_of, now_of
from logship.trial.options import Given, Written

CONFIG = load(
    """
    sources: {a: {type: files, paths: [/var/log/*.log]}}
    routes: [{name: a, from: [a], to: a}]
    sinks: {a: {type: "null"}}
    """,
    file="c", env={}, registry=Registry.installed(),
)  # fmt: skip
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=40)
WRITTEN = st.builds(Written, text=TEXTS, stream=st.sampled_from(["stdout", "stderr"]))


class Formatted(Source):
    """Any log, in one format."""

    format: str = "cri"

    def sample(self, about: Labels) -> Sample:
        origin = origin_of()
        return Made(origin, Cutting(self.format), origin.labels)


def rows(format: str, given_log: Given) -> list[tuple[str, str, str]]:
    source = Formatted(CONFIG.sources["a"].options, context("a"))
    source.format = format
    try:
        log = log_of(given_log, source, CONFIG, now_of([given_log]))
    finally:
        source.context.world.offload.close()
    return [
        (text, stream, time)
        for batch in log.batches
        for text, stream, time in zip(
            batch.rows.texts, batch.rows.streams, batch.rows.times, strict=True
        )
    ]


@given(st.lists(WRITTEN, min_size=1, max_size=6), st.sampled_from(["cri", "docker"]))
def test_texts_of_a_container_come_back_with_their_streams(
    written: list[Written], format: str
) -> None:
    found = rows(format, Given(texts=tuple(written)))
    assert [(text, stream) for text, stream, _ in found] == [(w.text, w.stream) for w in written]
    assert [time[17:19] for *_, time in found] == [f"{n:02}" for n in range(len(written))]


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_texts_of_a_file_come_back(written: list[str]) -> None:
    assert [text for text, *_ in rows("plain", Given(texts=tuple(written)))] == written


def test_a_long_line_is_cut_by_the_runtime_and_joined_again() -> None:
    long = "x" * 40_000 + "é" * 10_000
    for format in ("cri", "docker"):
        found = rows(format, Given(texts=(long, Written(text="y", stream="stderr"))))
        assert [text for text, *_ in found] == [long, "y"]


def test_a_newline_ends_a_line_and_the_last_one_ends_none() -> None:
    assert [text for text, *_ in rows("cri", Given(texts=("a\nb\n", "", "\n")))] == [
        "a", "b", "", "",
    ]  # fmt: skip


def test_times_go_on_from_the_one_that_is_said() -> None:
    texts = ("a", Written(text="b", time="2026-05-01T00:00:00Z"), "c")
    times = [time for *_, time in rows("cri", Given(texts=texts))]
    assert [time[:19] for time in times] == [
        "2026-01-01T00:00:00", "2026-05-01T00:00:00", "2026-05-01T00:00:01",
    ]  # fmt: skip


def test_now_is_after_all_that_is_written() -> None:
    raw = Given(lines=("2026-07-01T00:00:00.5Z stdout F a", "no time at all", "9999999 x"))
    assert now_of([Given(texts=("a",)), raw]) > START_NS + 180 * 86_400 * 10**9
    assert now_of([Given(lines=("x",))]) == START_NS + 10**9
