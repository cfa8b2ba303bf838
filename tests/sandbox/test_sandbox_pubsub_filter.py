"""Subscription filters: what they mean, and what is refused."""

import pytest

from logship_sandbox.pubsub_filter import parse_filter
from logship_sandbox.pubsub_messages import PubsubError

ATTRIBUTES = {"route": "app", "ns": "prod", "x y": "z", "empty": "", "a-b": 'say "hi"'}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("   ", True),
        ('attributes.route = "app"', True),
        ('attributes.route="web"', False),
        ('attributes.route = "ap"', False),
        ('attributes.route != "web"', True),
        ('attributes.route != "app"', False),
        ('attributes.none = ""', False),
        ('attributes.empty = ""', True),
        ('attributes.none != "x"', True),
        ("attributes:route", True),
        ("attributes:none", False),
        ("attributes:empty", True),
        ('attributes."x y" = "z"', True),
        ('attributes:"x y"', True),
        ('attributes.a-b = "say \\"hi\\""', True),
        ("NOT attributes:none", True),
        ("NOT NOT attributes:none", False),
        ("-attributes:none", True),
        ('attributes:route AND attributes.ns = "prod"', True),
        ('attributes:route AND attributes.ns = "test" AND attributes:ns', False),
        ('attributes:none OR attributes:other OR attributes.ns = "prod"', True),
        ("attributes:none OR attributes:other", False),
        ('(attributes:none OR attributes:ns) AND attributes.route = "app"', True),
        ("attributes:none AND (attributes:ns OR attributes:route)", False),
        ("NOT (attributes:none OR attributes:ns)", False),
        ("NOT attributes:none AND attributes:ns", True),
        ('hasPrefix(attributes.route, "ap")', True),
        ('hasPrefix(attributes.route, "pp")', False),
        ('hasPrefix(attributes.none, "")', False),
        ('NOT hasPrefix(attributes."x y", "zz")', True),
    ],
)
def test_a_filter_means_what_pubsub_means(text: str, matches: bool) -> None:
    assert parse_filter(text)(ATTRIBUTES) is matches


@pytest.mark.parametrize(
    "text",
    [
        "attributes",
        "attributes.route",
        "attributes.route = app",
        "attributes.route = 'app'",
        'attributes.route > "app"',
        'route = "app"',
        'data = "x"',
        "attributes:a attributes:b",
        "attributes:a AND",
        "AND attributes:a",
        "attributes:a AND attributes:b OR attributes:c",
        "attributes:a OR attributes:b AND attributes:c",
        "(attributes:a",
        "attributes:a)",
        "not attributes:a",
        'hasPrefix(attributes.a "x")',
        'hasSuffix(attributes.a, "x")',
        'attributes.1a = "b"',
        'attributes.a = "b',
        "attributes:a;",
        "()",
    ],
)
def test_a_filter_that_is_not_of_the_language_is_refused(text: str) -> None:
    with pytest.raises(PubsubError):
        parse_filter(text)


@pytest.mark.parametrize("size", [255, 256, 257])
def test_a_filter_has_at_most_256_bytes(size: int) -> None:
    text = 'attributes.a="{}"'
    text = text.format("x" * (size - len(text) + 2))
    assert len(text) == size
    if size <= 256:
        parse_filter(text)
        return
    with pytest.raises(PubsubError, match="256"):
        parse_filter(text)
