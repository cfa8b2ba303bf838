"""What annotations ask for, and what is wrong with them."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logship_tail.annotations import NAMES, wish_of
from logship_tail.kept import Keep
from logship_tail.pods import Pod, Pods, annotations_of

from logship.api import Cutting, Joins, Labels, Wish, keys_of
from logship.testing.virtual_time import VirtualClock

CUTTING = Cutting("cri", 1000, Joins(("go",)))


def wished(annotations: Mapping[str, str], container: str = "app") -> Wish:
    found = annotations_of(annotations, container)
    values = {f"annotation:{key}": value for key, value in found.items()}
    return wish_of(Labels({"container": container, **values}), CUTTING)


def test_without_annotations_nothing_is_asked_for() -> None:
    assert wished({"example.com/a": "b", "logship/mine": "c"}) == Wish(CUTTING)


def test_each_annotation_is_heeded() -> None:
    wish = wished({
        "logship/exclude": "True", "logship/route": " app ", "logship/format": "docker",
        "logship/multiline": "java", "logship/limit": "100KiB/s",
        "logship/severity_keys": "prio, level",
    })  # fmt: skip
    joins = Joins(("java",))
    assert wish == Wish(Cutting("docker", 1000, joins), True, "app", 102_400.0)


@pytest.mark.parametrize("limit", ["100KiB", "102400", "102400 B", "102.4kB"])
def test_a_limit_is_a_size(limit: str) -> None:
    assert wished({"logship/limit": limit}).max_bytes_per_sec == 102_400.0


def test_what_is_said_of_a_container_goes_before_what_is_said_of_the_pod() -> None:
    both = {"logship/exclude": "true", "app.logship/exclude": "false", "logship/limit": "1MiB"}
    assert not wished(both).exclude
    assert wished(both).max_bytes_per_sec == 1 << 20
    assert wished(both, "other").exclude


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("logship/exclude", ""), ("logship/exclude", "1"), ("logship/format", "plain"),
        ("logship/limit", "0"), ("logship/limit", "10M"), ("logship/limit", "-1"),
        ("logship/limit", "1023"), ("logship/severity_keys", ""),
        ("logship/severity_keys", ",".join("abcdefghi")),
        ("logship/severity_keys", "x" * 129), ("logship/multiline", "first-line:("),
    ],
)  # fmt: skip
def test_a_wrong_value_is_a_problem_and_asks_for_nothing(name: str, value: str) -> None:
    wish = wished({name: value})
    assert (wish.cutting, wish.exclude, wish.max_bytes_per_sec) == (CUTTING, False, None)
    (problem,) = wish.problems
    assert (problem.reason, problem.annotation, problem.value) == ("wrong_value", name, value)
    assert problem.advice


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("logship/multi-line", "logship/multiline"), ("logship/rout", "logship/route"),
        ("logship/severity-keys", "logship/severity_keys"), ("logship/Exclude", "logship/exclude"),
        ("logship/excluded", "logship/exclude"), ("logship/limits", "logship/limit"),
    ],
)  # fmt: skip
def test_a_slip_is_told_and_other_names_are_the_users(slip: str, meant: str) -> None:
    (problem,) = wished({slip: "x"}).problems
    assert (problem.reason, problem.annotation) == ("unknown_name", slip)
    assert meant in problem.advice
    for own in ("logship/team", "logship/router-id", "logship/mine", "logship/", "other/rout"):
        assert not wished({own: "x"}).problems


def test_a_problem_names_the_annotation_as_it_was_written() -> None:
    both = {"logship/limit": "1MiB", "app.logship/limit": "fast", "app.logship/rout": "x"}
    assert {p.annotation for p in wished(both).problems} == {
        "app.logship/limit",
        "app.logship/rout",
    }
    assert not wished(both, "other").problems


@given(st.dictionaries(st.sampled_from(NAMES), st.text(), max_size=6))
def test_no_text_whatever_raises(annotations: dict[str, str]) -> None:
    assert len(wished(annotations).problems) <= len(annotations)


def labels_of(annotations: dict[str, str], container: str = "app") -> Labels:
    pods = Pods(VirtualClock(), Keep(0.0, 0), lambda: None)
    pods._pods._values[("shop", "web", "u")] = Pod(
        namespace="shop", name="web", uid="u", annotations=annotations
    )
    return pods.labels({"namespace": "shop", "pod": "web", "uid": "u", "container": container})


def test_severity_keys_become_a_label_if_they_are_right() -> None:
    annotations = {"logship/severity_keys": "prio, level", "b.logship/severity_keys": ",,"}
    assert labels_of(annotations).get("severity_keys") == "prio,level"
    assert keys_of(labels_of(annotations).get("severity_keys")) == ("prio", "level")
    assert labels_of(annotations, "b").get("severity_keys") == ""
    assert keys_of("") == ()
    assert len(keys_of(",".join("abcdefghijkl"))) == 8


def test_a_containers_annotation_stands_in_the_place_of_its_pods() -> None:
    annotations = {"logship/route": "a", "app.logship/route": "b"}
    assert labels_of(annotations).get("annotation:logship/route") == "b"
    assert labels_of(annotations, "other").get("annotation:logship/route") == "a"
    assert labels_of({"example.com/x": "1"}).get("annotation:example.com/x") == "1"
