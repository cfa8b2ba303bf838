"""Options of the engine stand beside those of a sink, in one mapping."""

import json
from typing import Any

import msgspec

from logship.config.reference import files, markdown
from logship.delivery.terms import Terms
from logship.registry import Registry


def _text(options: str) -> str:
    return (
        "sources: {s: {type: kubernetes}}\n"
        "routes: [{name: r, from: [s], to: k}]\n"
        f"sinks:\n  k:\n    type: cloud_logging\n    {options}\n"
    )


def test_a_sink_takes_terms_beside_its_own_options(look: Any) -> None:
    written = "max_bytes_per_sec: 400kB\n    gzip: true\n    max_delay_secs: 500ms"
    sink = look(_text(written)).config.sinks["k"]
    assert sink.terms == Terms(max_bytes_per_sec=400_000, max_delay_secs=0.5)
    assert msgspec.to_builtins(sink.options)["gzip"] is True


def test_without_them_the_defaults_hold(look: Any) -> None:
    assert look(_text("gzip: true")).config.sinks["k"].terms == Terms()


def test_a_wrong_value_is_shown_at_its_place(look: Any) -> None:
    [problem] = look(_text("max_bytes_per_sec: 10")).problems
    assert problem.path == "sinks.k.max_bytes_per_sec"
    assert "at least 1kB" in problem.message


def test_a_misspelt_one_is_guessed(look: Any) -> None:
    [problem] = look(_text("max_bytes_per_second: 1MB")).problems
    assert "`max_bytes_per_sec`" in str(problem.hint)
    assert problem.message.startswith("there is no option")


def test_a_source_does_not_take_them(look: Any) -> None:
    text = _text("gzip: true").replace("type: kubernetes", "type: kubernetes, max_delay_secs: 1")
    [problem] = look(text).problems
    assert problem.path == "sources.s.max_delay_secs"


def test_the_reference_and_the_schema_have_them(registry: Registry) -> None:
    sinks = markdown(registry).split("\n## Sinks\n")[1]
    assert sinks.index("| `max_bytes_per_sec` | a size, per second") < sinks.index("\n### ")
    definitions = json.loads(files(registry)["logship.schema.json"])["$defs"]
    assert "max_bytes_per_sec" in definitions["sink.pubsub"]["properties"]
    assert "max_bytes_per_sec" not in definitions["source.kubernetes"]["properties"]
