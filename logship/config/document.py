"""YAML text as a tree of marked nodes.

PyYAML parses and tells where every node stands; nothing is constructed by it. A scalar stays the
text that was written, with a note whether it was quoted: what it means is decided by the option's
type, so `no`, `1.10` and `0123` are text where text is expected. Duplicate keys are errors, merge
keys (`<<`) are expanded. The text, the depth and the number of nodes after the expansion of
aliases are bounded; tags are refused. PyYAML's exceptions end in `syntax`, nowhere else.
"""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

import msgspec
import yaml

from logship.config.problems import Mark, Report
from logship.config.syntax import report_value_error, report_yaml_error

T = TypeVar("T")

MAX_BYTES = 1 << 20
MAX_NODES = 50_000
MAX_DEPTH = 50

_SHOWN = 60


class Scalar(msgspec.Struct, frozen=True):
    """`text` is the value, `written` what the file says; they differ by substitution."""

    text: str
    written: str
    mark: Mark
    quoted: bool
    substituted: bool = False
    unresolved: bool = False
    """A variable in it has no value, which is told already."""

    @property
    def is_null(self) -> bool:
        if self.quoted or self.substituted:
            return False
        return self.text in ("", "~", "null", "Null", "NULL")

    @property
    def shown(self) -> str:
        """For messages: never a value from the environment."""
        short = self.written if len(self.written) <= _SHOWN else self.written[:_SHOWN] + "..."
        visible = "".join(char if char.isprintable() else " " for char in short)
        return f'`"{visible}"`' if self.quoted else f"`{visible}`"


class Items(msgspec.Struct, frozen=True):
    items: "tuple[Node, ...]"
    mark: Mark


class Entry(msgspec.Struct, frozen=True):
    key: Scalar
    value: "Node"


class Table(msgspec.Struct, frozen=True):
    entries: tuple[Entry, ...]
    mark: Mark

    def get(self, key: str) -> "Node | None":
        return next((e.value for e in self.entries if e.key.text == key), None)

    def mark_of(self, key: str) -> Mark:
        return next((e.key.mark for e in self.entries if e.key.text == key), self.mark)


Node: TypeAlias = Scalar | Items | Table


class _TooMuch(Exception):
    """A bound is exceeded, or a node is not of the kinds we take."""

    def __init__(self, mark: Mark, message: str) -> None:
        self.mark = mark
        super().__init__(message)


class _Loader(yaml.SafeLoader):
    """Composes nodes, and refuses tags and deep nesting before Python's own stack ends."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "tag", None) is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise _TooMuch(_place(event.start_mark), f"tags such as `{tag}` are not used")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _TooMuch(_place(event.start_mark), f"nested deeper than {MAX_DEPTH} levels")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_NEEDS = "it needs `sources:`, `routes:` and `sinks:`"


def read(text: str, report: Report, needs: str = _NEEDS) -> Table | None:
    """The document's mapping; None after problems that leave nothing to look at."""

    def build() -> Table | None:
        root = _Loader(text).get_single_node()
        top = _Builder(report).build(root, "", 0) if root is not None else None
        return _top(top, report, needs)

    return _reported(text, report, build)


def documents(text: str, report: Report) -> list[yaml.Node] | None:
    """All documents, as PyYAML has them; None after problems."""

    def compose() -> list[yaml.Node]:
        loader = _Loader(text)
        nodes = iter(lambda: loader.get_node() if loader.check_node() else None, None)
        return [node for node in nodes if node is not None]

    return _reported(text, report, compose)


def _reported(text: str, report: Report, parse: Callable[[], T]) -> T | None:
    """What PyYAML makes of the text; None after its errors are in the report."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        report.error(Mark(1, 1), "", f"the file is larger than {MAX_BYTES} bytes (1 MiB)")
        return None
    try:
        return parse()
    except yaml.YAMLError as error:
        report_yaml_error(error, text, report)
    except _TooMuch as error:
        report.error(error.mark, "", str(error))
    except (ValueError, OverflowError):  # PyYAML on absurd numbers in escapes and directives
        report_value_error(text, report)
    return None


def _top(node: Node | None, report: Report, needs: str) -> Table | None:
    if isinstance(node, Table):
        return node
    empty = node is None or (isinstance(node, Scalar) and node.is_null)
    kind = "a list" if isinstance(node, Items) else "text"
    found = "it is empty" if empty else f"it is {kind}"
    report.error(
        node.mark if node is not None else Mark(1, 1),
        "",
        f"the file must be a mapping of options to values, but {found}",
        needs,
    )
    return None


def is_unicode(text: str) -> bool:
    """Whether it can be encoded: no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _place(mark: yaml.Mark, end: yaml.Mark | None = None) -> Mark:
    width = end.column - mark.column if end is not None and end.line == mark.line else 1
    return Mark(mark.line + 1, mark.column + 1, max(1, width))


class _Builder:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._left = MAX_NODES

    def build(self, node: yaml.Node, path: str, depth: int) -> Node:
        mark = _place(node.start_mark, node.end_mark)
        self._left -= 1
        if self._left < 0:
            raise _TooMuch(mark, f"more than {MAX_NODES} values, after aliases are expanded")
        if depth > MAX_DEPTH:  # an alias inside its own anchor has no end
            raise _TooMuch(mark, f"nested deeper than {MAX_DEPTH} levels (an alias of itself?)")
        if isinstance(node, yaml.ScalarNode):
            if not is_unicode(node.value):
                raise _TooMuch(mark, "an escape such as \\uD800 is half a character")
            return Scalar(node.value, node.value, mark, quoted=bool(node.style))
        if isinstance(node, yaml.SequenceNode):
            children = enumerate(node.value)
            return Items(tuple(self.build(c, f"{path}[{i}]", depth + 1) for i, c in children), mark)
        assert isinstance(node, yaml.MappingNode)
        return Table(self._entries(node, path, depth), mark)

    def _entries(self, node: yaml.MappingNode, path: str, depth: int) -> tuple[Entry, ...]:
        entries: dict[str, Entry] = {}
        merged: list[Entry] = []
        for key_node, value_node in node.value:
            key = self.build(key_node, path, depth + 1)
            if not isinstance(key, Scalar):
                raise _TooMuch(key.mark, "a key must be text (an unfilled `{{ template }}`?)")
            inner = join_path(path, key.text)
            value = self.build(value_node, inner, depth + 1)
            if key.text == "<<" and not key.quoted:
                merged += _merged(value)
            elif (first := entries.get(key.text)) is not None:
                message = f"the key is given twice; the first is in line {first.key.mark.line}"
                self._report.error(key.mark, inner, message, "delete or rename one of them")
            else:
                entries[key.text] = Entry(key, value)
        for entry in merged:
            entries.setdefault(entry.key.text, entry)
        return tuple(entries.values())


def _merged(value: Node) -> list[Entry]:
    tables = value.items if isinstance(value, Items) else (value,)
    entries: list[Entry] = []
    for table in tables:
        if not isinstance(table, Table):
            raise _TooMuch(table.mark, "`<<` merges a mapping, or a list of mappings")
        entries += table.entries
    return entries


def join_path(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
