"""What a scalar means to the option it stands for.

YAML's own reading of plain scalars is not used. A scalar is offered to msgspec as each value its
text can mean (boolean, number, text), and the first that the option's type takes is the value. So
text is text wherever text is expected: `no`, `1.10` and `0123` stay as they are written. Only
`true` and `false` are booleans. Pure.
"""

import re
from collections.abc import Iterator

import msgspec

from logship.config.document import Scalar
from logship.config.problems import listing, suggest
from logship.config.shapes import (
    Annotation,
    core,
    describe,
    examples,
    is_free,
    literals,
    reader_for,
    scalars,
    takes_none,
    wants_list,
)

_INT = re.compile(r"[-+]?\d{1,40}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\d{1,40}\.?\d{0,40}|\.\d{1,40})([eE][-+]?\d{1,3})?", re.ASCII)
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_LOOKS_BOOL = {"yes": "true", "on": "true", "y": "true", "1": "true",
               "no": "false", "off": "false", "n": "false", "0": "false"}  # fmt: skip


class Refused(Exception):
    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)


def convert_scalar(node: Scalar, annotation: Annotation, option: str) -> object:
    """The value; raises Refused with what to tell the person."""
    if takes_none(annotation) and (node.is_null or (node.substituted and not node.text)):
        return None
    allowed = scalars(annotation)
    free = any(is_free(core(member)) for member in allowed)
    if node.is_null:
        return None if free else _refuse_null(annotation, option)
    for meaning in _meanings(node, annotation, option):
        if free:
            return meaning
        for member in allowed:
            if takes(meaning, member):
                return msgspec.convert(meaning, member)
    expected = describe(annotation, option)
    raise Refused(f"expected {expected}, got {node.shown}", _hint(node, annotation))


def takes(value: object, annotation: Annotation) -> bool:
    try:
        msgspec.convert(value, annotation)
    except msgspec.ValidationError:
        return False
    return True


def _refuse_null(annotation: Annotation, option: str) -> object:
    raise Refused(
        f"the value is missing: expected {describe(annotation, option)}",
        "give one, or delete the line",
    )


def _meanings(node: Scalar, annotation: Annotation, option: str) -> Iterator[object]:
    """What the text can mean, most specific first."""
    if (parse := reader_for(option, annotation)) is not None:
        try:
            yield parse(node.text)
        except ValueError as error:
            raise Refused(f"{error}, got {node.shown}") from None
        return
    if node.substituted or not node.quoted:
        if node.text in _BOOLS:
            yield _BOOLS[node.text]
        if _INT.fullmatch(node.text):
            yield int(node.text)
        if _FLOAT.fullmatch(node.text):
            yield float(node.text)
    yield node.text


def _hint(node: Scalar, annotation: Annotation) -> str:
    kinds = [core(member) for member in scalars(annotation)]
    if not node.substituted and bool in kinds and node.text.lower() in _LOOKS_BOOL:
        return f"write `{_LOOKS_BOOL[node.text.lower()]}`"
    if node.quoted and not node.substituted and not {int, float, bool}.isdisjoint(kinds):
        return "in quotes it is text: remove the quotes"
    if near := suggest(node.text, literals(annotation)):
        return near
    if wants_list(annotation) and not node.substituted:
        return f"write it as a list: [{node.written}]"
    return f"for example {listing(map(str, known))}" if (known := examples(annotation)) else ""
