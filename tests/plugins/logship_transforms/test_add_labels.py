"""add_labels: constants and templates over the origin's labels, and nothing else."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logship_transforms.add_labels import AddLabels, AddLabelsConfig

from logship.api import ConfigError, Context
from logship.testing import origin_of, texts_batch


def added(route: Context, labels: dict[str, str], **more: str) -> dict[str, str]:
    batch = texts_batch(["a"], origin_of(more=more))
    return dict(AddLabels(AddLabelsConfig(labels=labels), route).apply(batch).extra)


def test_templates_show_labels_of_the_origin(route: Context) -> None:
    templates = {
        "env": "prod",
        "where": "{cluster}:{namespace}/{pod}",
        "app": "{label:app.kubernetes.io/name}",
        "team": "<{annotation:team}>",
        "braces": "{{{namespace}}}",
        "empty": "",
    }
    more = {"label:app.kubernetes.io/name": "shop", "annotation:team": "pay"}
    assert added(route, templates, **more) == {
        "env": "prod",
        "where": "test:shop/web-0",
        "app": "shop",
        "team": "<pay>",
        "braces": "{shop}",
        "empty": "",
    }


def test_a_label_of_something_the_origin_does_not_have_is_left_out(route: Context) -> None:
    assert added(route, {"a": "x{label:app}", "b": "y{path}", "c": "z"}) == {"c": "z"}


def test_an_empty_label_of_the_origin_is_a_value(route: Context) -> None:
    assert added(route, {"a": "{label:app}"}, **{"label:app": ""}) == {"a": ""}


def test_labels_that_were_added_before_stay_or_are_replaced(route: Context) -> None:
    batch = replace(texts_batch(["a"]), extra={"kept": "1", "again": "1"})
    after = AddLabels(AddLabelsConfig(labels={"again": "2"}), route).apply(batch)
    assert after.extra == {"kept": "1", "again": "2"}
    assert batch.extra == {"kept": "1", "again": "1"}
    assert not after.touched


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.text())
def test_text_with_doubled_braces_is_itself(route: Context, text: str) -> None:
    template = text.replace("{", "{{").replace("}", "}}")
    assert added(route, {"a": template}) == {"a": text}


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{namespce}", "`{namespce}` in `{namespce}` is no label of an origin: known are source,"),
        ("{}", "`{}` in `{}` is no label"),
        ("{0}", "is no label"),
        ("{pod.__class__}", "is no label"),
        ("{pod!r}", "is no label"),
        ("{pod:>10}", "is no label"),
        ("{label:}", "is no label"),
        ("a{b", "a lone `{` at character 2 of `a{b`: write it twice"),
        ("a}b", "a lone `}` at character 2"),
        ("{{pod}", "a lone `}` at character 6"),
        ("{a{pod}}", "a lone `{` at character 1"),
    ],
)
def test_anything_else_in_braces_is_an_error_at_start(template: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        AddLabelsConfig(labels={"x": "ok", "app": template})
    assert raised.value.path == "labels.app"
    assert words in raised.value.reason
