"""A route takes the same rows whichever kernel evaluates its conditions."""

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logship.api import Batch, Cutting, Generation, Labels, Origin, Span, time_ns
from logship.routes.conditions import Selection
from logship.routes.tabled import mask_of
from logship.routes.when import Condition
from logship.rows import kernel

pytestmark = pytest.mark.skipif(
    kernel.in_use() == "pure", reason="the compiled kernel was not built"
)
GENERATION = Generation(time_ns("2026-11-23T04:46:31Z"), 0xABCD1234)

_keys = st.sampled_from(["a", "b", "level", "severity", "a.b", "x"])
_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 600), st.floats(), st.text(max_size=4),
    st.sampled_from(["app", "api", "error", "INFO", "DEFAULT", "y" * 120]),
)  # fmt: skip
_values = _scalars | st.dictionaries(st.sampled_from(["b", "c"]), _scalars, max_size=2)
_objects = st.dictionaries(_keys, _values, max_size=4).map(lambda one: json.dumps(one))
_texts = st.one_of(
    _objects,
    _objects.map(lambda text: text.replace('"a"', '"b"')),  # a key twice
    st.text(max_size=10),
    st.sampled_from(
        ["", "{", "{}", '{"a":"app"', '{"\\u0061":"app"}', '{"a":"\\ud800"}', '{"a":1e999}',
         "E0101 04:46:31.123456 1 x.go:1] failed", "I1399 04:46:31.123456 1 x.go:1] no date"]
    ),
)  # fmt: skip
_lines = st.tuples(st.sampled_from(["stdout", "stderr"]), _texts).map(
    lambda line: f"2026-11-23T04:46:31Z {line[0]} F {line[1]}\n".encode(errors="replace")
)
_blocks = st.lists(_lines, min_size=1, max_size=12).map(b"".join)

_globs = st.sampled_from(
    ["app", "a*", "*", ("app", "api"), "1??", "true", "null", "error", "y*", "?"]
)
_names = st.sampled_from(["a", "b", "severity", "a.b", "日本", ""])
_severities = st.sampled_from(["error", "INFO", ("debug", "D*"), "default"])


def _condition(inner: "st.SearchStrategy[Condition | None]") -> "st.SearchStrategy[Condition]":
    return st.builds(
        Condition,
        stream=st.sampled_from([None, None, "stderr", "std*"]),
        severity=st.none() | _severities,
        json=st.dictionaries(_names, _globs, max_size=2),
        not_=inner,
    )


_conditions = _condition(st.none() | _condition(st.none()))


def _batch(block: bytes) -> Batch:
    origin = Origin("key", Labels({"source": "s"}))
    return Batch(origin, origin.labels, (Span(GENERATION, 0, len(block)),), block, Cutting(), 0)


def _taken(kind: str, block: bytes, selection: Selection) -> list[tuple[str, str, object]]:
    kernel.choose(kind)
    rows = selection.apply(_batch(block)).rows
    return list(zip(rows.texts, rows.streams, rows.offsets, strict=True))


LINE = b"2026-11-23T04:46:31Z stderr F %s\n"


@given(_blocks, st.none() | _conditions, st.lists(_conditions, max_size=2))
@example(b"".join(LINE % b'{"a":"%d"}' % n for n in range(300)), Condition(json={"a": "2*"}), [])
@example(LINE % b"I0101 04:46:31.123456 1 x.go:1] done", Condition(severity="INFO"), [])
def test_both_kernels_take_the_same_rows(
    block: bytes, own: Condition | None, above: list[Condition]
) -> None:
    selection = Selection(own, tuple(above))
    assert _taken("compiled", block, selection) == _taken("pure", block, selection)


def test_the_compiled_one_is_asked() -> None:
    """Else the test above would compare Python with itself."""
    kernel.choose("compiled")
    rows = _batch(LINE % b'{"a":"app"}' + LINE % b"text").rows
    condition = Condition(json={"a": "app"})
    mask = mask_of(rows, [condition], condition.evaluate)
    assert mask is not None
    assert list(mask) == [1, 0]
    assert mask_of(replace(rows, fields=[None, None]), [condition], condition.evaluate) is None
