"""Whatever the file holds, the answer is a Config or problems with places; never a traceback."""

from collections.abc import Mapping
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from logship.config import examine, load, render
from logship.registry import Registry

SEEDS = [p.read_text() for p in sorted((Path(__file__).parent / "broken").glob("*.yaml"))]
WORDS = st.sampled_from(
    ["sources", "routes", "sinks", "name", "from", "to", "match", "when", "not", "type",
     "kubernetes", "cloud_logging", "pubsub", "grep", "rules", "pattern", "topic", "json.a",
     "labels", "annotations", "namespace", "was", "continue", "start_from", "max_bytes", "memory",
     "10m", "64MiB", "true", "no", "null", "~", "<<", "${A}", "${B:-1}", "$$", "${", "*x", ""]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)
SNIPPETS = st.sampled_from(
    ["\n", "\t", "  ", "- ", ": ", "{", "}", "[", "]", "'", '"', "&a ", "*a", "<<: *a", "---\n",
     "...", "%YAML 1.1\n", "%YAML 99999999999999999999.1\n", "!!str ", "! ", "? ", "| ", ">-\n",
     "#", "${A}", "${", "$$", '"\\UFFFFFFFF"', '"\\x"', "\x00", "\x85", "\u2028", "\ud800",
     "\ufeff", "null", "9" * 5000, "@", "`", "1e999", "-"]
)  # fmt: skip


def must_answer(text: str, env: Mapping[str, str], registry: Registry) -> None:
    examined = examine(text, file="logship.yaml", env=env, registry=registry)
    shown = render(examined.problems)
    assert not any(value in shown for value in env.values())
    for problem in examined.problems:
        assert problem.mark.line >= 1
        assert problem.mark.column >= 1
        assert problem.message
    errors = [problem for problem in examined.problems if problem.level == "error"]
    assert (examined.config is None) == bool(errors)


ENV = {"A": "from-the-environment"}


@given(text=st.text() | st.lists(SNIPPETS | WORDS | st.text(max_size=5)).map("".join))
def test_any_text_is_answered(text: str, registry: Registry) -> None:
    must_answer(text, ENV, registry)


@given(value=VALUES, flow=st.booleans())
def test_any_yaml_is_answered(value: object, flow: bool, registry: Registry) -> None:
    must_answer(yaml.dump(value, default_flow_style=flow), ENV, registry)


@given(
    seed=st.sampled_from(SEEDS),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 8), SNIPPETS | WORDS), max_size=4),
)
def test_any_edit_of_a_config_is_answered(
    seed: str, edits: list[tuple[float, int, str]], registry: Registry
) -> None:
    for where, cut, put in edits:
        at = int(where * len(seed))
        seed = seed[:at] + put + seed[at + cut :]
    must_answer(seed, ENV, registry)


@given(value=st.text(min_size=1))
def test_any_value_of_a_variable_stays_text(value: str, registry: Registry) -> None:
    text = (
        "sources: {s: {type: kubernetes}}\n"
        "routes: [{name: r, from: [s], to: k}]\n"
        "sinks: {k: {type: cloud_logging}}\n"
        "node: ${A}\n"
    )
    config = load(text, file="f", env={"A": value}, registry=registry)
    assert config.node == value
