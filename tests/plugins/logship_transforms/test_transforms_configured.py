"""The transforms as a configuration file writes them, and what it says when one is wrong."""

import pytest
from logship_debug.file import File
from logship_debug.null import Null, NullConfig
from logship_debug.stdout import Stdout
from logship_transforms.add_labels import AddLabels
from logship_transforms.grep import Grep
from logship_transforms.parse_json import ParseJson
from logship_transforms.redact import Redact

from logship.api import Catalog, Context, Source
from logship.config import ConfigErrors, load
from logship.registry import Registry
from logship.testing import texts_batch

_SECRET = "key-0123456789-of-the-environment"


class Empty(Source):
    """A source without options."""

    config = NullConfig

    async def run(self, catalog: Catalog) -> None:
        raise NotImplementedError


def load_route(transforms: str) -> list[object]:
    registry = Registry()
    registry.add("empty", Empty)
    for name, sink in {"null": Null, "stdout": Stdout, "file": File}.items():
        registry.add(name, sink)
    for name, transform in {"add_labels": AddLabels, "grep": Grep, "parse_json": ParseJson,
                            "redact": Redact}.items():  # fmt: skip
        registry.add(name, transform)
    text = f"""
sources: {{s: {{type: empty}}}}
sinks:
  out: {{type: "file", dir: /tmp/x, max_bytes: 10MiB, max_files: 3}}
  eyes: {{type: stdout, format: text}}
  none: {{type: "null"}}
routes:
  - name: r
    from: [s]
    to: out
    transforms:
{transforms}
state_dir: /tmp/state
"""
    env = {"REDACT_KEY": _SECRET, "SHORT_KEY": "sh0rt"}
    config = load(text, file="logship.yaml", env=env, registry=registry)
    return list(config.routes[0].transforms)


GOOD = r"""
      - type: parse_json
      - type: grep
        drop: {field: http.path, equals: [/healthz, /readyz]}
      - {type: grep, keep: {pattern: '^\{', contains: a}, max_text_bytes: 16KiB}
      - type: add_labels
        labels: {env: prod, workload: "{namespace}/{label:app}"}
      - type: redact
        fields: [user.email]
        patterns: [email, credit_card]
        action: hmac
        key: ${REDACT_KEY}
"""


def test_a_route_of_all_transforms_is_taken(route: Context) -> None:
    loaded = load_route(GOOD)
    batch = texts_batch(
        ['{"http":{"path":"/pay"},"a":"ann@mail.example"}', '{"http":{"path":"/healthz"}}']
    )
    for each in loaded:
        batch = each.component(each.options, route).apply(batch)  # type: ignore[attr-defined]
    assert len(batch.rows) == 1
    assert "ann" not in batch.rows.texts[0]
    assert batch.extra == {"env": "prod"}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("{type: grep}", ["routes[0].transforms[0]", "exactly one of `keep` and `drop`"]),
        (
            "{type: grep, drop: {pattern: 'a(b'}}",
            ["routes[0].transforms[0].drop.pattern", "at character 2, after `a` and before `(b`"],
        ),
        ("{type: grep, drop: {patern: a}}", ["no option `patern`", "pattern"]),
        (
            "{type: add_labels, labels: {a: '{pods}'}}",
            ["routes[0].transforms[0].labels.a", "`{pods}` in `{pods}` is no label"],
        ),
        (
            "{type: redact, patterns: [emial]}",
            ["routes[0].transforms[0].patterns[0]", "email"],
        ),
        (
            "{type: redact, regexes: [a, '(b']}",
            ["routes[0].transforms[0].regexes[1]", "before `(b`"],
        ),
        (
            "{type: redact, fields: [a], action: hmac, key: '${SHORT_KEY}'}",
            ["routes[0].transforms[0].key", "shorter than 16"],
        ),
        ("{type: redact, fields: [a], action: hmac}", ["write `key: ${NAME}`"]),
        ("{type: parse_json, on_error: drop}", ["routes[0].transforms[0].on_error", "`keep`"]),
    ],
)
def test_an_error_says_where_what_and_what_to_do(written: str, words: list[str]) -> None:
    with pytest.raises(ConfigErrors) as raised:
        load_route(f"      - {written}")
    message = str(raised.value)
    assert "logship.yaml" in message
    for word in words:
        assert word in message
    assert "sh0rt" not in message
