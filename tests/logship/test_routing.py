"""Which routes get an origin, and which rows of it."""

from hypothesis import given
from hypothesis import strategies as st

from logship.routes.conditions import Selection
from logship.routes.match import Match
from logship.routes.routing import RouteRule, choose
from logship.routes.when import Condition
from logship.testing import texts_batch

ALL = frozenset({"s"})


def names(
    rules: list[RouteRule], labels: dict[str, str], known: bool = True, force: bool = False
) -> list[str] | None:
    chosen = choose(rules, "s", labels, known, force=force)
    return None if chosen is None else [rule.name for rule, _ in chosen]


APP = RouteRule("app", ALL, Match(annotations={"logship/route": "app"}))
TEAM = RouteRule("team", ALL, Match(namespace="team-*"), goes_on=True)
REST = RouteRule("rest", ALL)


def test_the_first_route_that_matches_takes_the_origin() -> None:
    labels = {"namespace": "x", "annotation:logship/route": "app"}
    assert names([APP, REST], labels) == ["app"]
    assert names([APP, REST], {"namespace": "x"}) == ["rest"]


def test_continue_lets_later_routes_have_it_too() -> None:
    assert names([TEAM, REST], {"namespace": "team-a"}) == ["team", "rest"]


def test_an_origin_waits_until_the_metadata_that_a_rule_needs_is_known() -> None:
    assert names([APP, REST], {"namespace": "x"}, known=False) is None
    assert names([TEAM, REST], {"namespace": "x"}, known=False) == ["rest"]


def test_on_unknown_decides_when_there_is_no_time_left() -> None:
    skip = RouteRule("app", ALL, APP.match, on_unknown="skip")
    assert names([APP, REST], {}, known=False, force=True) == ["app"]
    assert names([skip, REST], {}, known=False, force=True) == ["rest"]


def test_routes_of_other_sources_are_not_asked() -> None:
    assert names([RouteRule("other", frozenset({"t"})), REST], {}) == ["rest"]


conditions = st.builds(
    lambda kind, stream: Condition(json={"kind": kind}) if kind else Condition(stream=stream),
    st.sampled_from(["a", "b", ""]),
    st.sampled_from(["stdout", "stderr"]),
)
texts = st.sampled_from(['{"kind":"a"}', '{"kind":"b"}', '{"kind":"c"}', "text", "{broken", "[]"])


@given(st.lists(conditions, max_size=3), st.lists(texts, max_size=6))
def test_each_row_goes_to_exactly_one_route_without_continue(
    whens: list[Condition], rows: list[str]
) -> None:
    rules = [RouteRule(f"r{n}", ALL, when=when) for n, when in enumerate(whens)]
    chosen = choose([*rules, REST], "s", {}, True, force=False)
    assert chosen is not None
    batches = [selection.apply(texts_batch(rows)) for _, selection in chosen]
    taken = [row for batch in batches for row in zip(batch.ids(), batch.rows.texts, strict=True)]
    whole = texts_batch(rows)
    assert sorted(taken) == sorted(zip(whole.ids(), rows, strict=True))


def test_a_selection_of_everything_leaves_the_block_untouched() -> None:
    batch = texts_batch(["a"])
    assert Selection().apply(batch) is batch
    mine = Selection(Condition(json={"kind": "a"})).apply(texts_batch(['{"kind":"a"}']))
    assert not mine.touched
