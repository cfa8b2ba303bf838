"""`when` on a row: stream, severity and fields of its JSON object."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logship.routes.when import ABSENT, Condition, lookup, scalar_text

FIELDS: dict[str, object] = {
    "log_type": "app",
    "http": {"status": 503, "ok": False, "took": 1.5, "user": None},
    "k8s.io/name": "web",
    "tags": ["a", "b"],
}
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
OBJECTS = st.dictionaries(
    st.sampled_from(["a", "b", "a.b"]),
    st.recursive(SCALARS, lambda inner: st.dictionaries(st.sampled_from("ab"), inner)),
)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (Condition(), True),
        (Condition(stream="stdout"), True),
        (Condition(stream="stderr"), False),
        (Condition(severity=("INFO", "WARN*")), True),
        (Condition(severity="ERROR"), False),
        (Condition(json={"log_type": "app"}), True),
        (Condition(json={"log_type": "a*"}), True),
        (Condition(json={"log_type": "other"}), False),
        (Condition(json={"http.status": "5??"}), True),
        (Condition(json={"http.ok": "false"}), True),
        (Condition(json={"http.took": "1.5"}), True),
        (Condition(json={"http.user": "null"}), True),
        (Condition(json={"k8s.io/name": "web"}), True),
        (Condition(json={"http": "*"}), False),
        (Condition(json={"tags": "*"}), False),
        (Condition(json={"missing": "*"}), False),
        (Condition(json={"log_type.deeper": "*"}), False),
        (Condition(json={"log_type": "app", "missing": "*"}), False),
        (Condition(not_=Condition(json={"missing": "*"})), True),
        (Condition(stream="stdout", not_=Condition(json={"log_type": "app"})), False),
    ],
)
def test_a_row_is_tested(condition: Condition, holds: bool) -> None:
    assert condition.evaluate("stdout", "INFO", FIELDS) is holds


def test_a_row_that_is_no_json_object_has_no_fields() -> None:
    assert not Condition(json={"log_type": "*"}).evaluate("stdout", "INFO", None)
    assert Condition(not_=Condition(json={"log_type": "*"})).evaluate("stdout", "INFO", None)


def test_a_condition_knows_what_it_needs() -> None:
    assert Condition(not_=Condition(json={"a": "b"})).needs_fields
    assert Condition(not_=Condition(severity="b")).needs_severity
    assert not Condition(stream="stdout").needs_fields
    assert not Condition(stream="stdout").needs_severity


@given(value=SCALARS.filter(lambda value: not isinstance(value, str)))
def test_scalars_are_compared_as_json_writes_them(value: object) -> None:
    assert scalar_text(value) == json.dumps(value)


@given(fields=OBJECTS)
def test_a_key_with_dots_comes_before_a_path(fields: dict[str, object]) -> None:
    inner = fields.get("a")
    nested = inner.get("b", ABSENT) if isinstance(inner, dict) else ABSENT
    assert lookup(fields, "a.b") is fields.get("a.b", nested)


@given(fields=st.none() | OBJECTS, path=st.sampled_from(["a", "a.b", "b.a"]), glob=st.text())
def test_not_turns_the_answer_around(
    fields: dict[str, object] | None, path: str, glob: str
) -> None:
    condition = Condition(json={path: glob})
    turned = Condition(not_=condition)
    assert turned.evaluate("s", "", fields) is not condition.evaluate("s", "", fields)


def test_a_severity_fits_in_any_case() -> None:
    condition = Condition(severity=["err*", "Critical"])
    assert condition.evaluate("stdout", "ERROR", None)
    assert condition.evaluate("stdout", "CRITICAL", None)
    assert not condition.evaluate("stdout", "INFO", None)
