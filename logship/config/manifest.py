"""A configuration inside a manifest of Kubernetes: the ConfigMap that holds `logship.yaml`.

What is found keeps its place: all other lines are emptied, and its own stay indented as they are,
so that every problem is told at the line and column of the manifest. That works for text that is
written as a block (`logship.yaml: |`), as everybody writes it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml

from logship.config.document import documents
from logship.config.problems import LINE_BREAK, Mark, Report, listing

KEY = "logship.yaml"
_KIND = re.compile(r"^kind:", re.MULTILINE)
_CONFIG_MAP = "ConfigMap"


@dataclass(frozen=True, slots=True)
class Found:
    name: str
    """Of the ConfigMap."""
    text: str
    """As long as the manifest."""
    env: Mapping[str, str]
    """What the manifest's containers get; a value that only a cluster knows stands for itself."""


@dataclass(frozen=True, slots=True)
class _Place:
    name: str
    node: yaml.ScalarNode


def is_manifest(text: str) -> bool:
    """Whether it says a `kind`, which a configuration has not."""
    return _KIND.search(text) is not None


def find(text: str, report: Report) -> Found | None:
    """None: what is wrong is in the report."""
    found = documents(text, report)
    if found is None:
        return None
    places = [place for document in found for place in _places(document)]
    if not places:
        hint = f"give it a ConfigMap with the key `{KEY}`, or name the file of the configuration"
        said = f"this is a manifest of Kubernetes, and no ConfigMap in it has `{KEY}`"
        report.error(Mark(1, 1), "", said, hint)
        return None
    first, *others = places
    mark = Mark(first.node.start_mark.line + 1, first.node.start_mark.column + 1)
    if others:
        said = f"several ConfigMaps have `{KEY}`: {listing(place.name for place in places)}"
        report.error(mark, "", said, "put each into a manifest of its own")
        return None
    if first.node.style != "|":
        report.error(mark, "", f"`{KEY}` has to be written as a block", f"write `{KEY}: |`")
        return None
    return Found(first.name, _alone(text, first.node), dict(_env(found)))


def _alone(text: str, node: yaml.ScalarNode) -> str:
    lines = LINE_BREAK.split(text)
    first, end = node.start_mark.line + 1, node.end_mark.line + (node.end_mark.column > 0)
    return "\n".join(line if first <= n < end else "" for n, line in enumerate(lines))


def _places(document: yaml.Node) -> Iterator[_Place]:
    if _text(_member(document, "kind")) != _CONFIG_MAP:
        return
    value = _member(_member(document, "data"), KEY)
    if isinstance(value, yaml.ScalarNode):
        yield _Place(_text(_member(_member(document, "metadata"), "name")) or "?", value)


def _env(found: Sequence[yaml.Node]) -> Iterator[tuple[str, str]]:
    """Of the containers of workloads."""
    for document in found:
        pod = _member(_member(_member(document, "spec"), "template"), "spec")
        for container in _items(_member(pod, "containers")):
            for variable in _items(_member(container, "env")):
                name = _text(_member(variable, "name"))
                if name:
                    yield name, _text(_member(variable, "value")) or name


def _member(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if _text(name) == key), None)


def _items(node: yaml.Node | None) -> Sequence[yaml.Node]:
    return node.value if isinstance(node, yaml.SequenceNode) else ()


def _text(node: yaml.Node | None) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""
