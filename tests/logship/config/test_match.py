"""`match` on labels: conjunction, globs, not, and answers before the metadata is known."""

import fnmatch

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from logship.routes.match import Match, Verdict, compile_globs

YES, NO, UNKNOWN = Verdict.YES, Verdict.NO, Verdict.UNKNOWN
PLACE = {"namespace": "team-a", "pod": "web-1", "container": "web", "path": "/var/log/x/y.log"}

GLOB = st.text(st.sampled_from("ab*?[]!-."), max_size=6)
GLOBS = GLOB | st.lists(GLOB, min_size=1, max_size=3).map(tuple)
TEXT = st.text(st.sampled_from("ab[]!-.\n"), max_size=6)
KEY = st.sampled_from(["a", "b"])


def _matches(inner: "st.SearchStrategy[Match | None]") -> st.SearchStrategy[Match]:
    return st.builds(
        Match,
        namespace=st.none() | GLOBS,
        pod=st.none() | GLOBS,
        labels=st.dictionaries(KEY, GLOBS, max_size=2),
        annotations=st.dictionaries(KEY, GLOBS, max_size=2),
        not_=inner,
    )


MATCHES = st.recursive(_matches(st.none()), lambda inner: _matches(st.none() | inner), max_leaves=3)
METADATA = st.dictionaries(
    st.sampled_from(["label:a", "label:b", "annotation:a", "annotation:b"]), TEXT
)
PLACES = st.dictionaries(st.sampled_from(["namespace", "pod"]), TEXT)


@pytest.mark.parametrize(
    ("match", "verdict"),
    [
        (Match(), YES),
        (Match(namespace="team-a"), YES),
        (Match(namespace="team-*"), YES),
        (Match(namespace="TEAM-*"), NO),
        (Match(namespace=("kube-*", "team-?")), YES),
        (Match(namespace="team-a", pod="api-*"), NO),
        (Match(path="/var/*.log"), YES),
        (Match(node="*"), NO),
        (Match(not_=Match(node="*")), YES),
        (Match(not_=Match(namespace="team-a", pod="api-*")), YES),
        (Match(not_=Match(namespace="team-a", pod="web-*")), NO),
        (Match(labels={"app": "*"}), UNKNOWN),
        (Match(not_=Match(annotations={"x": "1"})), UNKNOWN),
        (Match(labels={"app": "*"}, namespace="other"), NO),
        (Match(not_=Match(labels={"app": "*"}, namespace="other")), YES),
    ],
)
def test_labels_are_matched_before_metadata_is_known(match: Match, verdict: Verdict) -> None:
    assert match.evaluate(PLACE, known=False) is verdict


def test_an_absent_label_matches_no_glob_once_metadata_is_known() -> None:
    match = Match(labels={"app": "*"})
    assert match.evaluate(PLACE, known=True) is NO
    assert match.evaluate(PLACE | {"label:app": ""}, known=True) is YES
    assert Match(not_=match).evaluate(PLACE, known=True) is YES


def test_metadata_that_is_there_counts_before_all_is_known() -> None:
    labels = PLACE | {"annotation:logship/route": "app"}
    match = Match(annotations={"logship/route": "app"})
    assert match.evaluate(labels, known=False) is YES


def test_a_match_knows_whether_it_needs_metadata() -> None:
    assert Match(labels={"a": "b"}).needs_metadata
    assert Match(not_=Match(not_=Match(annotations={"a": "b"}))).needs_metadata
    assert not Match(namespace="a", not_=Match(pod="b")).needs_metadata


@given(match=MATCHES, labels=PLACES, later=METADATA)
def test_a_known_answer_never_changes_when_metadata_arrives(
    match: Match, labels: dict[str, str], later: dict[str, str]
) -> None:
    early = match.evaluate(labels, known=False)
    late = match.evaluate(labels | later, known=True)
    assert late is not UNKNOWN
    assert early in (late, UNKNOWN)


@given(
    namespace=st.none() | GLOBS,
    globs=st.sampled_from(["a*", "*", ("a", "b")]),
    negated=st.booleans(),
    labels=PLACES,
)
def test_unknown_means_that_metadata_can_still_change_the_answer(
    namespace: "str | tuple[str, ...] | None",
    globs: "str | tuple[str, ...]",
    negated: bool,
    labels: dict[str, str],
) -> None:
    match = Match(namespace=namespace, labels={"x": globs})
    match = Match(not_=match) if negated else match
    assume(match.evaluate(labels, known=False) is UNKNOWN)
    answers = {
        match.evaluate(labels, known=True),
        match.evaluate(labels | {"label:x": "a"}, known=True),
    }
    assert answers == {YES, NO}


@given(match=MATCHES, labels=PLACES, later=METADATA)
def test_not_turns_every_answer_around(
    match: Match, labels: dict[str, str], later: dict[str, str]
) -> None:
    turned = {YES: NO, NO: YES, UNKNOWN: UNKNOWN}
    for known in (True, False):
        verdict = match.evaluate(labels | later, known=known)
        assert Match(not_=match).evaluate(labels | later, known=known) is turned[verdict]


@given(globs=GLOBS, value=TEXT)
def test_globs_are_those_of_fnmatch(globs: "str | tuple[str, ...]", value: str) -> None:
    patterns = (globs,) if isinstance(globs, str) else globs
    expected = any(fnmatch.fnmatchcase(value, pattern) for pattern in patterns)
    assert compile_globs(globs)(value) is expected
