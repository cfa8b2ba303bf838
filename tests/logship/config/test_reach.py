"""Routes that get nothing from above: what is said of them holds of every pod there may be."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from logship.config.reach import ANNOTATION, Hidden, hidden
from logship.config.schema import RouteConfig, SourceConfig
from logship.origin import Labels, Wish
from logship.routes.match import Match
from logship.routes.routing import RouteRule, choose_as_wished
from logship.routes.when import Condition
from logship.testing import texts_batch
from tests.logship.config.conftest import Pods, PodsOptions


class Logs(Pods):
    """Whose origins ask for nothing."""

    @classmethod
    def heeds_wishes(cls, config: object) -> bool:
        return False


SOURCES = {
    name: SourceConfig(type_name=name, options=PodsOptions(), component=component)
    for name, component in {"pods": Pods, "logs": Logs}.items()
}
ROWS = ['{"kind":"a"}', '{"kind":"b"}', "text"]
A = Condition(json={"kind": "a"})


def route(name: str, source: str = "pods", **more: object) -> RouteConfig:
    return RouteConfig(name=name, from_=(source,), to="x", **more)  # type: ignore[arg-type]


def of(*routes: RouteConfig) -> Hidden | None:
    """What holds for the last one."""
    return hidden(len(routes) - 1, routes, SOURCES)


def asks(value: str) -> Match:
    return Match(annotations={ANNOTATION: value})


def test_a_route_below_one_that_takes_all_gets_only_pods_that_ask_for_it() -> None:
    assert of(route("all"), route("b", match=Match(namespace="b"))) == Hidden(["all"], "b")


def test_it_gets_nothing_where_no_origin_can_ask_for_a_route() -> None:
    assert of(route("all", "logs"), route("b", "logs")) == Hidden(["all"], "")


def test_it_gets_nothing_where_its_name_is_a_word_that_a_match_listens_to() -> None:
    assert of(route("app", match=asks("b*")), route("all"), route("b")) == Hidden(["all"], "")


def test_it_gets_nothing_if_it_wants_pods_that_ask_for_something_else() -> None:
    assert of(route("all"), route("b", match=asks("app"))) == Hidden(["all"], "")


def test_what_a_route_asked_for_by_name_leaves_over_comes_to_those_below() -> None:
    word = route("w", match=Match(not_=asks("b")))
    assert of(word, route("all"), route("c", when=A), route("b")) == Hidden(["all"], "c")
    keeps_all = route("c", match=Match(namespace="c"))
    assert of(word, route("all"), keeps_all, route("b")) == Hidden(["all"], "")


def test_a_route_gets_rows_that_one_above_may_leave() -> None:
    assert of(route("a", when=A), route("b")) is None
    assert of(route("a", continue_=True), route("b")) is None
    assert of(route("a", "logs"), route("b")) is None
    assert of(route("a", match=asks("x"), on_unknown="skip"), route("b", match=asks("x"))) is None


MATCHES = st.sampled_from(
    [
        *[None] * 3, Match(namespace="a"), Match(namespace="b"), Match(labels={"l": "a"}),
        asks("r1"), asks("r*"), asks("app"), Match(not_=asks("r2")),
    ]
)  # fmt: skip
ROUTES = st.lists(
    st.tuples(MATCHES, st.sampled_from([None, None, A]), st.booleans(), st.booleans()),
    min_size=1, max_size=4,
).map(
    lambda drawn: [
        route(
            f"r{number}", match=match, when=when, continue_=goes_on and not skip,
            on_unknown="skip" if skip else "route",
        )
        for number, (match, when, goes_on, skip) in enumerate(drawn)
    ]
)  # fmt: skip
WORDS = [None, "r0", "r1", "r2", "r3", "app", "else"]
PODS = [
    Labels({"namespace": namespace} | ({"label:l": "a"} if labelled else {})
           | ({f"annotation:{ANNOTATION}": word} if word else {}))
    for namespace in "ab" for labelled in (True, False) for word in WORDS
] + [Labels({"namespace": namespace}, known=False) for namespace in "ab"]  # fmt: skip


def comes_to(routes: Sequence[RouteConfig], pod: Labels) -> set[str]:
    """The routes that get a row of the pod."""
    rules = [
        RouteRule(r.name, frozenset(r.from_), r.match, r.when, r.continue_, r.on_unknown)
        for r in routes
    ]
    wish = Wish(route=pod.get(f"annotation:{ANNOTATION}"))
    chosen = choose_as_wished(rules, "pods", pod, wish, force=True)
    batch = texts_batch(ROWS)
    return {rule.name for rule, mine in chosen or () if not mine.apply(batch).is_empty()}


@given(ROUTES)
def test_what_is_said_holds_of_every_pod(routes: list[RouteConfig]) -> None:
    came = [(pod.get(f"annotation:{ANNOTATION}"), comes_to(routes, pod)) for pod in PODS]
    for index, one in enumerate(routes):
        found = hidden(index, routes, SOURCES)
        if found is None:
            continue
        words = {word for word, names in came if one.name in names}
        allowed = {r.name for r in routes} if found.by_name else set()
        assert words <= allowed, f"{one.name}: {found}, but it gets pods that ask for {words}"
        if found.by_name and all(r.match is None for r in routes):
            assert found.by_name in words
