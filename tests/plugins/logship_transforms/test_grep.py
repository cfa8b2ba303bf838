"""grep: the rows that a naive filter keeps, and errors that show where."""

import operator
import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logship_transforms.grep import Grep, GrepConfig, GrepRule
from logship_transforms.parse_json import ParseJson, ParseJsonConfig

from logship.api import ConfigError, Context
from logship.testing import texts_batch

words = st.text("ab.", max_size=4)
rules = st.builds(
    GrepRule,
    pattern=st.none() | st.sampled_from(["a+b", "^a", "b$", r"\.", "(?i)A"]),
    equals=st.none() | words | st.lists(words, min_size=1, max_size=3).map(tuple),
    contains=st.just("b") | st.lists(words.filter(bool), min_size=1, max_size=3).map(tuple),
)


def fits(rule: GrepRule, text: str) -> bool:
    def one(given: str | tuple[str, ...] | None, test: Callable[[str, str], bool]) -> bool:
        wanted = (given,) if isinstance(given, str) else given
        return wanted is None or any(test(text, each) for each in wanted)

    found = rule.pattern is None or re.search(rule.pattern, text) is not None
    return found and one(rule.equals, operator.eq) and one(rule.contains, operator.contains)


def kept(route: Context, config: GrepConfig, texts: list[str]) -> list[str]:
    return list(Grep(config, route).apply(texts_batch(texts)).rows.texts)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rules, st.lists(words, max_size=10))
def test_keep_and_drop_divide_rows_as_a_naive_filter_does(
    route: Context, rule: GrepRule, texts: list[str]
) -> None:
    assert kept(route, GrepConfig(keep=rule), texts) == [t for t in texts if fits(rule, t)]
    assert kept(route, GrepConfig(drop=rule), texts) == [t for t in texts if not fits(rule, t)]


OBJECTS = [
    '{"http":{"path":"/healthz","status":200}}',
    '{"http.path":"/healthz"}',
    '{"http":{"path":["/healthz"]}}',
    '{"http":{}}',
    '{"http":"/healthz"}',
    "/healthz",
    '{"http":{"path":"/pay"}}',
]


@pytest.mark.parametrize("parsed_before", [False, True])
def test_a_field_is_found_by_its_path(route: Context, parsed_before: bool) -> None:
    batch = texts_batch(OBJECTS)
    if parsed_before:
        batch = ParseJson(ParseJsonConfig(), route).apply(batch)
    rule = GrepRule(field="http.path", equals="/healthz")
    dropped = Grep(GrepConfig(drop=rule), route).apply(batch)
    assert dropped.rows.texts == OBJECTS[2:]
    assert dropped.touched


def test_numbers_and_literals_are_compared_as_json_writes_them(route: Context) -> None:
    texts = ['{"a":200}', '{"a":"200"}', '{"a":200.5}', '{"a":true}', '{"a":null}', '{"a":[200]}']
    for value, wanted in {"200": texts[:2], "200.5": [texts[2]], "true": [texts[3]],
                          "null": [texts[4]]}.items():  # fmt: skip
        assert kept(route, GrepConfig(keep=GrepRule(field="a", equals=value)), texts) == wanted


def test_an_absent_field_fits_not_even_the_empty_text(route: Context) -> None:
    rule = GrepRule(field="a", pattern="^")
    assert kept(route, GrepConfig(keep=rule), ['{"a":""}', '{"b":1}', "x"]) == ['{"a":""}']


def test_nothing_dropped_leaves_the_block_untouched(route: Context) -> None:
    batch = texts_batch(["a", "b"])
    assert Grep(GrepConfig(drop=GrepRule(equals="c")), route).apply(batch) is batch


def test_dropped_rows_take_their_ids_with_them(route: Context) -> None:
    batch = texts_batch(["a", "b", "c"])
    kept_batch = Grep(GrepConfig(drop=GrepRule(equals="b")), route).apply(batch)
    assert kept_batch.ids() == [batch.ids()[0], batch.ids()[2]]
    assert kept_batch.pieces == batch.pieces


def test_a_pattern_looks_no_further_than_the_limit(route: Context) -> None:
    config = GrepConfig(keep=GrepRule(pattern="x"), max_text_bytes=3)
    assert kept(route, config, ["aax", "aaax"]) == ["aax"]


@pytest.mark.parametrize(
    ("make", "path", "words"),
    [
        (lambda: GrepConfig(), "", "exactly one of `keep` and `drop` is needed, none is given"),
        (
            lambda: GrepConfig(keep=GrepRule(equals="a"), drop=GrepRule(equals="a")),
            "",
            "exactly one of `keep` and `drop` is needed, both are given",
        ),
        (lambda: GrepRule(field="a"), "", "it needs `pattern`, `equals` or `contains`"),
        (
            lambda: GrepRule(pattern="ab(c"),
            "pattern",
            "missing ), unterminated subpattern, at character 3, after `ab` and before `(c`",
        ),
        (lambda: GrepRule(pattern="a*+?{"), "pattern", "multiple repeat, at character 4"),
        (lambda: GrepRule(pattern=r"x(?:\w+)*y"), "pattern", r"`(?:\w+)*` repeats a repetition"),
    ],
)
def test_a_wrong_configuration_says_what_and_where(
    make: Callable[[], object], path: str, words: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        make()
    assert raised.value.path == path
    assert words in raised.value.reason


@pytest.mark.parametrize("pattern", [r"(?:\.\d+)+", r"(a|b)+", r"\(a+\)+", r"(?:a+)++", "(ab+)*"])
def test_patterns_that_only_look_nested_are_taken(pattern: str) -> None:
    assert GrepRule(pattern=pattern).pattern == pattern
