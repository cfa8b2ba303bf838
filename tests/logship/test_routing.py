"""Which routes get an origin, and which rows of it."""

from hypothesis import given
from hypothesis import strategies as st

from logship.origin import Labels
from logship.routes.conditions import Selection
from logship.routes.match import Match
from logship.routes.routing import RouteRule, beginning_with, choose
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


def begins(
    wanted: str, rules: list[RouteRule], labels: dict[str, str], known: bool = True
) -> tuple[str, str]:
    """(the first route to be tried, the problem)."""
    values = Labels({**labels, "annotation:logship/route": wanted}, known=known)
    left, problem = beginning_with(rules, "s", wanted, values)
    return left[0].name, problem.reason if problem else ""


def test_trying_begins_at_the_route_that_an_origin_asks_for_by_name() -> None:
    assert begins("rest", [TEAM, REST], {"namespace": "team-a"}) == ("rest", "")
    assert begins("team", [TEAM, REST], {"namespace": "team-a"}) == ("team", "")
    assert begins("", [TEAM, REST], {}) == ("team", "")


def test_a_word_that_some_match_listens_to_is_no_name() -> None:
    named = RouteRule("app", ALL)
    assert begins("app", [TEAM, APP, named], {}) == ("team", "")
    never = RouteRule("rest", ALL, Match(not_=Match(annotations={"logship/route": "no*"})))
    assert begins("none", [TEAM, never], {}) == ("team", "")
    assert begins("yes", [TEAM, never], {}) == ("team", "no_such_route")


def test_a_name_that_is_no_routes_or_whose_match_refuses_is_a_problem() -> None:
    other = RouteRule("other", frozenset({"t"}))
    for wanted in ("nowhere", "other", "Rest"):
        assert begins(wanted, [TEAM, other, REST], {}) == ("team", "no_such_route")
    rules = [REST, TEAM]
    assert begins("team", rules, {"namespace": "x"}) == ("rest", "route_does_not_match")
    assert begins("team", rules, {}, known=False) == ("rest", "route_does_not_match")


def test_a_named_route_whose_match_cannot_be_told_yet_is_waited_for() -> None:
    paid = RouteRule("paid", ALL, Match(labels={"tier": "paid"}))
    assert begins("paid", [REST, paid], {}, known=False) == ("paid", "")
    assert names([paid], {}, known=False) is None


def test_owner_and_namespace_labels_are_metadata() -> None:
    jobs = RouteRule("jobs", ALL, Match(owner_kind=("Job", "CronJob")))
    team = RouteRule("team", ALL, Match(namespace_labels={"team": "a"}, owner_name="cart*"))
    assert names([jobs, REST], {}, known=False) is None
    assert names([team, REST], {}, known=False) is None
    assert names([jobs, REST], {"owner_kind": "CronJob"}) == ["jobs"]
    found = {"namespace_label:team": "a", "owner_name": "cart-2"}
    assert names([team, REST], found) == ["team"]
    assert names([team, REST], {**found, "owner_name": "x"}) == ["rest"]
    assert Match(owner_kind="Job").needs_metadata
    assert not Match(namespace="a").needs_metadata
