"""The configuration as a JSON Schema, for editors and for checks outside of logship.

It is generated from the same classes that read the file, and takes what they take: numbers and
booleans may be written as `${VARIABLE}`, sizes and durations with units, text without quotes.
"""

from types import NoneType
from typing import Literal, TypeAlias, get_args

import msgspec

from logship.config.schema import ComponentConfig, Config
from logship.config.shapes import (
    Annotation,
    alternatives,
    core,
    description,
    examples,
    is_free,
    is_struct,
    reader_for,
    unwrap,
)
from logship.registry import Registry, summary_of

Schema: TypeAlias = dict[str, object]

_VARIABLE: Schema = {"type": "string", "pattern": r"\$\{", "title": "an environment variable"}


def json_schema(registry: Registry) -> Schema:
    """Deterministic; imports every installed plugin, and raises Unavailable if one cannot be."""
    definitions = _Definitions(registry)
    root = definitions.struct(Config)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "logship configuration",
        **root,
        "$defs": dict(sorted(definitions.found.items())),
    }


class _Definitions:
    def __init__(self, registry: Registry) -> None:
        self.found: dict[str, Schema] = {"variable": _VARIABLE}
        self._registry = registry

    def struct(self, kind: type[msgspec.Struct]) -> Schema:
        properties: Schema = {}
        patterns: Schema = {}
        required: list[str] = []
        for field in msgspec.structs.fields(kind):
            name = field.encode_name
            schema = self._option(field.type, name)
            if name.endswith(".*"):
                values = schema.get("additionalProperties", {})
                patterns[f"^{name.removesuffix('.*')}\\."] = values
                continue
            properties[name] = schema
            required += [name] if field.required else []
        schema = {"type": "object", "properties": properties, "additionalProperties": False}
        schema |= {"patternProperties": patterns} if patterns else {}
        return schema | ({"required": required} if required else {})

    def _option(self, annotation: Annotation, name: str) -> Schema:
        schema = self._value(annotation, name)
        if text := description(annotation):
            schema = {"description": text, **schema}
        if known := examples(annotation):
            schema = {**schema, "examples": known}
        return schema

    def _value(self, annotation: Annotation, name: str = "") -> Schema:
        members = [self._member(member, name) for member in alternatives(annotation)]
        if reader_for(name, annotation) is not None:
            members.append({"type": "string", "description": "With a unit."})
        elif any(core(m) in (int, float, bool, Literal) for m in alternatives(annotation)):
            members.append({"$ref": "#/$defs/variable"})
        return members[0] if len(members) == 1 else {"anyOf": members}

    def _member(self, member: Annotation, name: str) -> Schema:
        inner, metas = unwrap(member)
        kind = core(member)
        if kind in (None, NoneType):
            return {"type": "null"}
        if is_free(kind):
            return {}
        minimum = next((meta.min_length for meta in metas if meta.min_length), None)
        if kind in (list, tuple):
            items = self._value((get_args(inner) or (object,))[0])
            return {"type": "array", "items": items} | ({"minItems": minimum} if minimum else {})
        if kind is dict:
            key, value = get_args(inner) or (str, object)
            names = {"propertyNames": msgspec.json.schema(key)} if key is not str else {}
            table: Schema = {"type": "object", "additionalProperties": self._value(value), **names}
            return table | ({"minProperties": minimum} if minimum else {})
        if is_struct(kind):
            return self._reference(kind)
        schema = msgspec.json.schema(inner if not metas else member)
        if schema.get("type") == "string" and "pattern" not in schema:
            schema["type"] = ["string", "number", "boolean"]
        return schema

    def _reference(self, kind: type[msgspec.Struct]) -> Schema:
        if issubclass(kind, ComponentConfig):
            names = self._registry.names(kind.kind)
            return {"oneOf": [self._component(kind, name) for name in names]}
        own = kind.__module__.startswith("logship.")
        name = kind.__name__ if own else f"{kind.__module__}.{kind.__name__}"
        if name not in self.found:
            self.found[name] = {}  # before the fields, which may refer to it
            self.found[name] = self.struct(kind)
        return {"$ref": f"#/$defs/{name}"}

    def _component(self, kind: type[ComponentConfig[Annotation]], type_name: str) -> Schema:
        component = self._registry.find(kind.kind, type_name)
        name = f"{kind.kind}.{type_name}"
        schema = self.struct(component.config)
        properties = schema["properties"]
        shared = self.struct(kind.shared)["properties"] if kind.shared else {}
        assert isinstance(shared, dict)
        required = schema.get("required", [])
        assert isinstance(properties, dict)
        assert isinstance(required, list)
        schema["description"] = summary_of(component)
        schema["properties"] = {"type": {"const": type_name}, **properties, **shared}
        schema["required"] = ["type", *required]
        self.found[name] = schema
        return {"$ref": f"#/$defs/{name}"}
