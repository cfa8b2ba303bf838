"""`add_labels`: user labels made of constants and of what is known about the origin.

A template names labels of the origin in braces: `{namespace}`, `{label:app}`, `{annotation:team}`;
`{{` and `}}` are braces. Nothing else is taken: no attributes, indices or conversions, so that a
template can show nothing but labels. All rows of a batch share them: nothing happens per row.
"""

import re
from dataclasses import dataclass, replace
from typing import Annotated

import msgspec
from msgspec import Meta

from logship.api import Batch, ConfigError, Context, Labels, Transform

NAMES = (
    "source", "cluster", "namespace", "pod", "uid", "container", "restart", "node", "path",
    "owner_kind", "owner_name",
)  # fmt: skip
PREFIXES = ("label:", "annotation:", "namespace_label:")

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_Key = Annotated[str, Meta(min_length=1, max_length=512)]


class AddLabelsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `add_labels`."""

    labels: Annotated[
        dict[_Key, str],
        Meta(
            min_length=1,
            description="Labels to add, by name. `{namespace}`, `{pod}`, `{container}`, `{node}`, "
            "`{cluster}`, `{uid}`, `{restart}`, `{path}`, `{source}`, `{owner_kind}`, "
            "`{owner_name}`, `{label:KEY}`, `{annotation:KEY}` and `{namespace_label:KEY}` stand "
            "for what is known about the origin; `{{` is a brace. A label "
            "whose template names something the origin does not have is left out.",
            examples=[{"env": "prod", "app": "{label:app}", "workload": "{namespace}/{pod}"}],
        ),
    ]

    def __post_init__(self) -> None:
        for key, template in self.labels.items():
            parse_template(template, f"labels.{key}")


@dataclass(frozen=True, slots=True)
class Template:
    """Constants and names of labels, in turn."""

    parts: tuple[tuple[str, bool], ...]
    """(text, False) or (name of a label, True)."""

    def render(self, labels: Labels) -> str | None:
        """None where the origin has no such label."""
        texts = []
        for part, is_name in self.parts:
            text = labels.values.get(part) if is_name else part
            if text is None:
                return None
            texts.append(text)
        return "".join(texts)


def parse_template(template: str, path: str) -> Template:
    """Raises ConfigError at `path` for anything but text, known names and doubled braces."""
    parts: list[tuple[str, bool]] = []
    for token in _TOKEN.finditer(template):
        written, name = token[0], token[1]
        if name is not None:
            _check_name(name, template, path)
            parts.append((name, True))
        elif written in ("{", "}"):
            at = token.start() + 1
            reason = f"a lone `{written}` at character {at} of `{template}`: write it twice"
            raise ConfigError(path, reason)
        else:
            parts.append((written[0] if written in ("{{", "}}") else written, False))
    return Template(tuple(parts))


def _check_name(name: str, template: str, path: str) -> None:
    if name in NAMES or any(name.startswith(p) and len(name) > len(p) for p in PREFIXES):
        return
    known = ", ".join(NAMES)
    raise ConfigError(
        path,
        f"`{{{name}}}` in `{template}` is no label of an origin: known are {known}, label:KEY, "
        "annotation:KEY and namespace_label:KEY; for a brace itself write it twice",
    )


class AddLabels(Transform):
    """Adds labels made of constants and of the origin's labels."""

    config = AddLabelsConfig

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        super().__init__(config, context)
        assert isinstance(config, AddLabelsConfig)
        self._templates = {
            key: parse_template(template, f"labels.{key}")
            for key, template in config.labels.items()
        }

    def apply(self, batch: Batch) -> Batch:
        made = {key: each.render(batch.labels) for key, each in self._templates.items()}
        added = {key: text for key, text in made.items() if text is not None}
        return replace(batch, extra={**batch.extra, **added}) if added else batch
