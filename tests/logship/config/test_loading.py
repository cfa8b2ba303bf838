"""What a sound configuration becomes."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from logship.api import Sink
from logship.config import Condition, Config, Match, examine, load, problem_at
from logship.config.document import MAX_BYTES
from logship.registry import Registry


@pytest.fixture
def config(good: str, registry: Registry) -> Config:
    return load(good, file="logship.yaml", env={}, registry=registry)


def test_the_example_of_the_design_is_read(config: Config) -> None:
    assert list(config.sources) == ["containers"]
    assert [route.name for route in config.routes] == ["app-by-annotation", "app-by-field", "rest"]
    first, second, third = config.routes
    assert first.match == Match(annotations={"logship/route": "app"})
    assert second.when == Condition(json={"log_type": "app"})
    assert third.match == Match(not_=Match(namespace=("kube-system", "gke-managed-*")))
    assert (first.from_, first.to, first.continue_) == (("containers",), "app_events", False)


def test_a_component_carries_its_class_and_typed_options(config: Config) -> None:
    source = config.sources["containers"]
    assert source.type_name == "kubernetes"
    assert source.component.config is type(source.options)
    assert msgspec.to_builtins(source.options) == {
        "start_from": 600.0,
        "join": ["exceptions"],
        "poll_secs": 1.0,
    }


def test_defaults_are_filled_in(config: Config) -> None:
    assert config.memory.max_bytes == 64 << 20
    assert config.drain_timeout_secs == 20.0
    assert config.admin.listen is None
    assert config.dead_letters_dir == "/var/lib/logship/deadletters"
    assert config.routes[0].start_from is None


def test_equal_texts_give_equal_configs(config: Config, good: str, registry: Registry) -> None:
    again = load("# moved\n" + good, file="other.yaml", env={}, registry=registry)
    assert again == config


def _sink(look: Any, options: str, **env: str) -> dict[str, object]:
    text = (
        "sources: {s: {type: kubernetes}}\n"
        "routes: [{name: r, from: [s], to: k}]\n"
        f"sinks:\n  k:\n    type: cloud_logging\n    {options}\n"
    )
    examined = look(text, env)
    assert examined.config is not None, examined.problems
    built: dict[str, object] = msgspec.to_builtins(examined.config.sinks["k"].options)
    return built


@pytest.mark.parametrize("text", ["no", "yes", "on", "1.10", "0123", "1e3", "2020-01-01", "true"])
def test_text_stays_as_it_is_written(look: Any, text: str) -> None:
    assert _sink(look, f"project: {text}")["project"] == text


@pytest.mark.parametrize("text", ["", "~", "null"])
def test_null_is_no_value(look: Any, text: str) -> None:
    assert _sink(look, f"project: {text}")["project"] is None


def test_quoted_null_is_text(look: Any) -> None:
    assert _sink(look, "project: 'null'")["project"] == "null"


def test_sizes_may_have_units(look: Any) -> None:
    assert _sink(look, "max_request_bytes: 64KiB")["max_request_bytes"] == 65536


@pytest.mark.parametrize(
    ("options", "value", "option", "expected"),
    [
        ("project: ${V}", "my-project", "project", "my-project"),
        ("project: a-${V}-b$$c$", "x", "project", "a-x-b$c$"),
        ("project: $${V}", "x", "project", "${V}"),
        ("project: $V", "x", "project", "$V"),
        ("project: ${V}", "${HOME}", "project", "${HOME}"),
        ("project: ${V}", "{a: b}\nc: d", "project", "{a: b}\nc: d"),
        ("project: ${V}", "null", "project", "null"),
        ("project: ${V}", "", "project", None),
        ("project: ${V:-fallback}", "", "project", "fallback"),
        ("project: ${W:-fallback}", "", "project", "fallback"),
        ("max_in_flight: ${V}", "12", "max_in_flight", 12),
        ('max_in_flight: "${V}"', "12", "max_in_flight", 12),
        ("max_request_bytes: ${V}", "1MiB", "max_request_bytes", 1 << 20),
        ("max_request_bytes: ${V}KiB", "8", "max_request_bytes", 8192),
        ("gzip: ${V}", "true", "gzip", True),
        ("ratio: ${V}", "0.25", "ratio", 0.25),
    ],
)
def test_variables_are_put_into_values(
    look: Any, options: str, value: str, option: str, expected: object
) -> None:
    assert _sink(look, options, V=value)[option] == expected


def test_keys_are_not_substituted(look: Any) -> None:
    assert _sink(look, "static: {'${V}': x}", V="y")["static"] == {"${V}": "x"}


def test_anchors_and_merge_keys_work(look: Any) -> None:
    examined = look(
        "sources: {s: {type: kubernetes}}\n"
        "routes: [{name: r, from: [s], to: a}, {name: q, from: [s], to: b}]\n"
        "sinks:\n"
        "  a: &shared {type: cloud_logging, gzip: true, max_in_flight: 3}\n"
        "  b: {<<: *shared, max_in_flight: 5}\n"
    )
    assert msgspec.to_builtins(examined.config.sinks["b"].options)["gzip"] is True
    assert msgspec.to_builtins(examined.config.sinks["b"].options)["max_in_flight"] == 5


def test_free_values_keep_their_structure(look: Any) -> None:
    examined = look(
        "sources: {s: {type: kubernetes}}\n"
        "routes:\n"
        "  - name: r\n"
        "    from: [s]\n"
        "    to: k\n"
        "    transforms:\n"
        "      - {type: grep, rules: [{pattern: a}], free: {n: [1, 2.5, true, no, '1', null]}}\n"
        "sinks: {k: {type: cloud_logging}}\n"
    )
    options = msgspec.to_builtins(examined.config.routes[0].transforms[0].options)
    assert options["free"] == {"n": [1, 2.5, True, "no", "1", None]}


def test_json_fields_are_compared_as_text_they_were_written_as(look: Any, good: str) -> None:
    text = good.replace("{json.log_type: app}", "{json.a.status: [500, true, 1.0], stream: stderr}")
    when = look(text).config.routes[1].when
    assert when == Condition(json={"a.status": ("500", "true", "1.0")}, stream="stderr")


def test_routes_covered_only_in_part_are_not_doubted(look: Any) -> None:
    examined = look(
        "sources: {s: {type: kubernetes}, t: {type: kubernetes}}\n"
        "routes:\n"
        "  - {name: a, from: [s], to: k}\n"
        "  - {name: b, from: [s, t], to: k}\n"
        "  - {name: c, from: [t], match: {namespace: x}, continue: true, to: k}\n"
        "  - {name: d, from: [t], match: {namespace: x}, to: k}\n"
        "sinks: {k: {type: cloud_logging}}\n"
    )
    assert [problem.path for problem in examined.problems] == ["routes[2]", "routes[3]"]


def test_a_file_of_more_than_a_mebibyte_is_refused(look: Any) -> None:
    examined = look("#" * (MAX_BYTES + 1))
    assert examined.problems[0].message == "the file is larger than 1048576 bytes (1 MiB)"


def test_aliases_cannot_multiply_without_bound(look: Any) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    (problem,) = look("\n".join(lines)).problems
    assert problem.message == "more than 50000 values, after aliases are expanded"


def test_deep_nesting_is_refused(look: Any) -> None:
    (problem,) = look("a: " + "[" * 5000).problems
    assert problem.message == "nested deeper than 50 levels"


def test_a_class_may_refuse_its_options_as_a_whole(look: Any, good: str) -> None:
    text = good.replace("topic: app-logs", "topic: '${T}'")
    (problem,) = look(text, {"T": "projects/x"}).problems
    assert problem.path == "sinks.app_events"
    assert problem.message == "${T} is a path; write the topic's last part"


def test_a_plugin_that_cannot_be_used_is_a_problem_with_a_place(good: str) -> None:
    class Bare(Sink):
        pass

    registry = Registry()
    registry.add("cloud_logging", Bare)
    problems = examine(good, file="f", env={}, registry=registry).problems
    found = next(p for p in problems if p.path == "sinks.gcl.type")
    assert "has no class of options" in found.message


@pytest.mark.parametrize(
    "text",
    ['a: "\\UFFFFFFFF"', "%YAML 1." + "9" * 5000 + "\n---\na: 1", 'a: "\\uD800"', "a: \ud800"],
)
def test_characters_that_do_not_exist_are_refused(look: Any, text: str) -> None:
    examined = look(text)
    assert examined.config is None
    assert "no option" not in examined.problems[0].message


def test_a_variable_that_is_not_utf_8_is_refused(look: Any, good: str) -> None:
    (problem,) = look(good + "node: ${NODE}\n", {"NODE": "caf\udce9"}).problems
    assert problem.message == "the value of the variable `NODE` is not UTF-8"


def test_a_later_problem_is_shown_at_its_place(good: str) -> None:
    text = good.replace("app-logs", "'${TOPIC}'")
    problem = problem_at(
        text,
        file="logship.yaml",
        env={"TOPIC": "hunter2"},
        path="sinks.app_events.topic",
        reason="there is no topic 'hunter2'",
    )
    lines = text.splitlines()
    assert lines[problem.mark.line - 1][problem.mark.column - 1 :].startswith("'${TOPIC}'")
    assert problem.message == "there is no topic '${TOPIC}'"


def test_a_later_problem_of_a_default_is_shown_at_the_part_around_it(good: str) -> None:
    problem = problem_at(good, file="f", env={}, path="sinks.gcl.project", reason="needs one")
    assert (problem.mark.line, problem.path) == (17, "sinks.gcl.project")


def test_goldens_have_no_orphans() -> None:
    broken = Path(__file__).parent / "broken"
    assert {p.stem for p in broken.glob("*.txt")} == {p.stem for p in broken.glob("*.yaml")}
