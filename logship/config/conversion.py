"""A marked tree into the classes of the configuration, with every problem found on the way.

The walk follows tree and annotation together; msgspec decides about every leaf and every bound. A
part with a problem becomes BAD, its neighbours are still read; a class is built only from good
parts. A class may check itself further in `__post_init__`, by raising ConfigError or ValueError.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final, get_args

import msgspec
from msgspec.structs import FieldInfo, replace

from logship.api import ConfigError
from logship.config.document import Entry, Items, Node, Scalar, Table, join_path
from logship.config.problems import Mark, Report, advise, listing, nearest, suggest
from logship.config.scalars import Refused, convert_scalar, takes
from logship.config.schema import ComponentConfig
from logship.config.shapes import (
    Annotation,
    alternatives,
    constrain,
    core,
    describe,
    description,
    examples,
    is_free,
    is_struct,
    unwrap,
)
from logship.registry import Registry, Unavailable, UnknownType


class Bad:
    """What a value with a problem becomes; the problem is in the report."""


BAD: Final = Bad()


class Conversion:
    def __init__(self, registry: Registry, report: Report) -> None:
        self._registry = registry
        self._report = report

    def value(self, node: Node, annotation: Annotation, path: str, option: str = "") -> object:
        if isinstance(node, Scalar):
            return self._scalar(node, annotation, path, option)
        for member in alternatives(annotation):
            kind = core(member)
            if isinstance(node, Items) and (kind in (list, tuple) or is_free(kind)):
                return self._items(node, member, path, option)
            if isinstance(node, Table) and (kind is dict or is_free(kind)):
                return self._dict(node, member, path)
            if isinstance(node, Table) and is_struct(kind):
                if issubclass(kind, ComponentConfig):
                    return self._component(node, kind, path)
                return self.struct(node, kind, path)
        found = "a list" if isinstance(node, Items) else "a mapping"
        return self._unexpected(node.mark, annotation, path, option, found)

    def struct(
        self, node: Table, kind: type[msgspec.Struct], path: str, beside: Collection[str] = ()
    ) -> object:
        """An instance of the Struct, or BAD. `beside`: other options that may stand here."""
        fields = msgspec.structs.fields(kind)
        node = _gather(node, [f.encode_name for f in fields])
        known = {f.encode_name: f for f in fields}
        values: dict[str, object] = {}
        for entry in node.entries:
            key = entry.key.text
            if (field := known.get(key)) is None:
                meant = self._unknown_key(entry.key, [*known, *sorted(beside)], path)
                values[known[meant].name if meant in known else key] = BAD
                continue
            inner = join_path(path, key.removesuffix(".*"))
            values[field.name] = self.value(entry.value, field.type, inner, key)
        for field in fields:
            if field.required and field.name not in values:
                values[field.name] = self._missing(node.mark, field, path)
        return self._build(node, kind, values, path)

    def _build(
        self, node: Table, kind: type[msgspec.Struct], values: dict[str, object], path: str
    ) -> object:
        if _has_bad(values.values()):
            return BAD
        try:
            return kind(**values)
        except ConfigError as error:  # the class's own check, in __post_init__
            first = error.path.partition(".")[0].partition("[")[0]
            inner = join_path(path, error.path) if error.path else path
            self._report.foreign(node.mark_of(first), inner, error.reason)
        except (ValueError, TypeError) as error:
            self._report.foreign(node.mark, path, str(error))
        return BAD

    def _unknown_key(self, key: Scalar, known: list[str], path: str) -> str | None:
        """Reports the key; returns the option that it most likely means."""
        rest = key.text.partition(".")[2] or "*"
        candidates = [name.removesuffix("*") + rest if name[-1:] == "*" else name for name in known]
        options = f"the options here are {listing(known)}" if known else "there are no options here"
        hint = advise(suggest(key.text, candidates), options)
        self._report.error(
            key.mark, join_path(path, key.text), f"there is no option {key.shown}", hint
        )
        return nearest(key.text, known)

    def _missing(self, mark: Mark, field: FieldInfo, path: str) -> Bad:
        name = field.encode_name
        known = examples(field.type)
        example = f"For example {listing(map(str, known))}" if known else ""
        hint = advise(f"it is {describe(field.type, name)}.", description(field.type), example)
        self._report.error(mark, join_path(path, name), f"`{name}` is missing", hint)
        return BAD

    def _component(self, node: Table, kind: type[ComponentConfig[Any]], path: str) -> object:
        type_node = node.get("type")
        names = self._registry.names(kind.kind)
        place = join_path(path, "type")
        if not isinstance(type_node, Scalar) or type_node.is_null:
            near = _near_type([entry.key.text for entry in node.entries], names)
            if isinstance(type_node, Scalar) and "null" in names:
                near = 'in YAML `null` means nothing: write `type: "null"`'
            hint = advise(near, f"the {kind.kind}s installed are {listing(names)}")
            self._report.error(node.mark, place, "a `type` is missing", hint)
            return BAD
        if type_node.unresolved:
            return BAD
        try:
            component = self._registry.find(kind.kind, type_node.text)
        except UnknownType:
            hint = advise(suggest(type_node.text, names), f"installed are {listing(names)}")
            message = f"there is no {kind.kind} of type {type_node.shown}"
            self._report.error(type_node.mark, place, message, hint)
            return BAD
        except Unavailable as error:
            message = f"the {kind.kind} {type_node.shown} cannot be used: {error.reason}"
            self._report.foreign(type_node.mark, place, message, error.hint)
            return BAD
        shared = {field.encode_name for field in _fields(kind.shared)}
        rest = [e for e in node.entries if e.key.text != "type"]
        own = Table(tuple(e for e in rest if e.key.text not in shared), node.mark)
        options = self.struct(own, component.config, path, shared)
        terms = self._shared(Table(tuple(e for e in rest if e.key.text in shared), node.mark),
                             kind, path)  # fmt: skip
        if not isinstance(options, msgspec.Struct) or terms is BAD:
            return BAD
        more = {} if terms is None else {"terms": terms}
        return kind(type_name=type_node.text, options=options, component=component, **more)

    def _shared(self, node: Table, kind: type[ComponentConfig[Any]], path: str) -> object:
        """The options that all components of the kind take."""
        return None if kind.shared is None else self.struct(node, kind.shared, path)

    def _items(self, node: Items, member: Annotation, path: str, option: str) -> object:
        inner, metas = unwrap(member)
        item = (get_args(inner) or (object,))[0]
        values = [self.value(child, item, f"{path}[{i}]") for i, child in enumerate(node.items)]
        if not takes([None] * len(values), constrain(list[object], metas)):
            found = f"a list of {len(values)}" if values else "an empty list"
            return self._unexpected(node.mark, member, path, option, found)
        if _has_bad(values):
            return BAD
        return tuple(values) if core(member) is tuple else values

    def _dict(self, node: Table, member: Annotation, path: str) -> object:
        inner, metas = unwrap(member)
        key_type, value_type = get_args(inner) or (str, object)
        values: dict[object, object] = {}
        for entry in node.entries:
            place = join_path(path, entry.key.text)
            values[entry.key.text] = self.value(entry.value, value_type, place)
            if not takes(entry.key.text, key_type):
                message = f"the name {entry.key.shown} must be {describe(key_type)}"
                self._report.error(entry.key.mark, place, message)
                values[entry.key.text] = BAD
        if not takes(dict.fromkeys(values), constrain(dict[object, object], metas)):
            found = f"a mapping of {len(values)}" if values else "an empty mapping"
            return self._unexpected(node.mark, member, path, "", found)
        return BAD if _has_bad(values.values()) else values

    def _scalar(self, node: Scalar, annotation: Annotation, path: str, option: str) -> object:
        if node.unresolved:
            return BAD
        try:
            return convert_scalar(node, annotation, option)
        except Refused as refused:
            self._report.error(node.mark, path, refused.message, refused.hint)
            return BAD

    def _unexpected(
        self, mark: Mark, annotation: Annotation, path: str, option: str, found: str
    ) -> Bad:
        message = f"expected {describe(annotation, option)}, got {found}"
        self._report.error(mark, path, message)
        return BAD


def _fields(kind: type[msgspec.Struct] | None) -> tuple[FieldInfo, ...]:
    return () if kind is None else msgspec.structs.fields(kind)


def _gather(node: Table, names: list[str]) -> Table:
    """Keys `json.a`, `json.b` become one key `json.*`, where there is an option of that name."""
    entries = node.entries
    for name in (name for name in names if name.endswith(".*")):
        prefix = name.removesuffix("*")
        inside = [e for e in entries if e.key.text.startswith(prefix)]
        if not inside:
            continue
        outside = tuple(e for e in entries if not e.key.text.startswith(prefix))
        stripped = (replace(e.key, text=e.key.text.removeprefix(prefix)) for e in inside)
        inner = tuple(Entry(k, e.value) for k, e in zip(stripped, inside, strict=True))
        key = replace(inside[0].key, text=name)
        entries = (*outside, Entry(key, Table(inner, key.mark)))
    return Table(entries, node.mark)


def _near_type(keys: list[str], names: tuple[str, ...]) -> str:
    """What people write in place of `type: NAME`."""
    for key in keys:
        if key in names:
            return f"write `type: {key}`, and its options beside it."
        if key != "type" and suggest(key, ["type"]):
            return f"is `{key}` meant to be `type`?"
    return ""


def _has_bad(values: Iterable[object]) -> bool:
    return any(value is BAD for value in values)
