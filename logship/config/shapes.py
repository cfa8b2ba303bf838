"""What an option's annotation allows: for reading values, messages and the reference alike.

Annotations may be built from str, int, float, bool, None, Literal, list, tuple[T, ...], dict with
text keys, msgspec Structs, unions of these (with at most one Struct, one list and one dict) and
Annotated with msgspec's Meta.
"""

import re
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin

import msgspec
from msgspec import Meta

from logship.units import format_for, parser_for

Annotation = Any  # what get_type_hints gives: types, generic aliases, special forms


def is_union(annotation: Annotation) -> bool:
    origin: Annotation = get_origin(annotation)
    return origin is Union or origin is UnionType


def unwrap(annotation: Annotation) -> tuple[Annotation, tuple[Meta, ...]]:
    """The annotation without Annotated, and its Metas, outermost last."""
    origin: Annotation = get_origin(annotation)
    if origin is Annotated:
        inner, *metas = get_args(annotation)
        return inner, tuple(meta for meta in metas if isinstance(meta, Meta))
    return annotation, ()


def alternatives(annotation: Annotation) -> list[Annotation]:
    """The members of a union, each with its own Meta and those around the union that fit it."""
    inner, metas = unwrap(annotation)
    if not is_union(inner):
        return [annotation]
    wrapped = (constrain(member, metas) for member in get_args(inner))
    return [leaf for member in wrapped for leaf in alternatives(member)]


def constrain(annotation: Annotation, metas: tuple[Meta, ...]) -> Annotation:
    """Annotated with those Metas that its type can obey."""
    kind = core(annotation)
    fitting = tuple(meta for meta in metas if _fits(meta, kind))
    return Annotated[(annotation, *fitting)] if fitting else annotation


def _fits(meta: Meta, kind: Annotation) -> bool:
    if any(limit is not None for limit in (meta.ge, meta.gt, meta.le, meta.lt, meta.multiple_of)):
        return kind in (int, float)
    if meta.pattern is not None:
        return kind is str
    if meta.min_length is not None or meta.max_length is not None:
        return kind in (str, list, tuple, dict)
    return True


def core(annotation: Annotation) -> Annotation:
    """What is left without Meta and parameters: int, Literal, list, a Struct..."""
    inner, _ = unwrap(annotation)
    return get_origin(inner) or inner


def takes_none(annotation: Annotation) -> bool:
    return any(core(member) in (None, NoneType) for member in alternatives(annotation))


def is_struct(kind: Annotation) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def is_free(kind: Annotation) -> bool:
    return kind is Any or kind is object


def scalars(annotation: Annotation) -> list[Annotation]:
    containers = (list, tuple, dict, None, NoneType)
    return [
        member
        for member in alternatives(annotation)
        if core(member) not in containers and not is_struct(core(member))
    ]


def literals(annotation: Annotation) -> list[str]:
    members = (unwrap(m)[0] for m in alternatives(annotation) if core(m) is Literal)
    return [str(value) for member in members for value in get_args(member)]


def wants_list(annotation: Annotation) -> bool:
    return any(core(member) in (list, tuple) for member in alternatives(annotation))


def reader_for(option: str, annotation: Annotation) -> Callable[[str], float | str] | None:
    """units' parser, where the option's name says a unit and its type is a number."""
    numeric = any(core(member) in (int, float) for member in alternatives(annotation))
    return parser_for(option) if numeric else None


def description(annotation: Annotation) -> str:
    return next((m.description for m in reversed(_metas(annotation)) if m.description), "")


def examples(annotation: Annotation) -> list[object]:
    return next((list(m.examples) for m in reversed(_metas(annotation)) if m.examples), [])


def _metas(annotation: Annotation) -> tuple[Meta, ...]:
    """The Metas of the annotation; those further inside come first, so that outer ones win."""
    inner, metas = unwrap(annotation)
    if not is_union(inner):
        return metas
    return tuple(m for member in get_args(inner) for m in _metas(member)) + metas


def describe(annotation: Annotation, option: str = "") -> str:
    """What a value must be, in a few words: `a whole number, at least 1`."""
    words = dict.fromkeys(
        _describe_one(member, option)
        for member in alternatives(annotation)
        if core(member) not in (None, NoneType)
    )
    return " or ".join(words)


def _describe_one(member: Annotation, option: str) -> str:
    inner, metas = unwrap(member)
    kind = core(member)
    if kind is Literal:
        return _one_of(get_args(inner))
    noun = next((m.extra["noun"] for m in metas if m.extra and "noun" in m.extra), None)
    limits = [limit for meta in metas for limit in _limits(meta, option)]
    return ", ".join([noun or _noun(kind, inner, option), *dict.fromkeys(limits)])


def _one_of(values: tuple[object, ...]) -> str:
    *first, last = (f"`{value}`" for value in values)
    return f"{', '.join(first)} or {last}" if first else last


def _noun(kind: Annotation, inner: Annotation, option: str) -> str:
    if kind in (int, float) and option.endswith("_bytes_per_sec"):
        return "a size, per second"
    if kind in (int, float) and option.endswith("_bytes"):
        return "a size"
    if kind in (int, float) and (option.endswith("_secs") or option == "start_from"):
        return "a duration"
    if kind in (list, tuple):
        return f"a list of {_plural(describe((get_args(inner) or (object,))[0]))}"
    if kind is dict:
        return f"a mapping of names to {_plural(describe((get_args(inner) or (str, object))[1]))}"
    if is_struct(kind):
        return str(getattr(kind, "noun", "a mapping of options"))
    return _NOUNS.get(kind, str(kind))


_NOUNS: dict[Annotation, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "`true` or `false`",
    Any: "any value",
    object: "any value",
}


def _plural(words: str) -> str:
    """`a glob or a list of globs` -> `globs or lists of globs`; texts that name no thing stay."""
    if words == "text":
        return "texts"
    return re.sub(r"\b(a|an) (whole )?(\w+)", lambda found: f"{found[2] or ''}{found[3]}s", words)


def _limits(meta: Meta, option: str) -> list[str]:
    def show(limit: float) -> str:
        return format_for(option, limit) or str(limit)

    words = []
    for limit, said in ((meta.ge, "at least"), (meta.gt, "more than"),
                        (meta.le, "at most"), (meta.lt, "less than")):  # fmt: skip
        if limit is not None and not (said == "at least" and limit == 0):
            words.append(f"{said} {show(limit)}")
        elif limit is not None:
            words.append("not negative")
    if meta.min_length:
        words.append("not empty" if meta.min_length == 1 else f"{meta.min_length} or longer")
    if meta.max_length is not None:
        words.append(f"not longer than {meta.max_length}")
    if meta.pattern and not (meta.extra and "noun" in meta.extra):
        words.append(f"matching `{meta.pattern}`")
    return words
