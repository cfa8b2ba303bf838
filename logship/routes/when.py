"""Which rows a route takes: `when` of the configuration, evaluated on a row.

The grammar is that of `match`, on the row's stream, its severity and the fields of its JSON
object. A condition is a pure function of the joined row before transforms, so that every route
can evaluate the conditions of the routes above it and get the same answers. It is called per row:
its tests are compiled once, and a glob without wildcards is one set lookup.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from logship.routes.match import Globs, compile_globs

_FieldPath = Annotated[str, Meta(min_length=1)]
_Fits: TypeAlias = Callable[[str], bool]


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True,
                rename={"not_": "not", "json": "json.*"}):  # fmt: skip
    """Every key given must hold; a field that is absent fits no glob."""

    stream: Annotated[
        Globs | None, Meta(description="`stdout` or `stderr` fits.", examples=["stderr"])
    ] = None
    severity: Annotated[
        Globs | None,
        Meta(
            description="The row's severity fits: DEFAULT, DEBUG, INFO, NOTICE, WARNING, ERROR, "
            "CRITICAL, ALERT or EMERGENCY, in any case.",
            examples=[["ERROR", "CRITICAL"]],
        ),
    ] = None
    json: Annotated[
        dict[_FieldPath, Globs],
        Meta(
            description="A field of the row's JSON object fits; dots lead into nested objects. "
            "Numbers, `true`, `false` and `null` are compared as JSON writes them; an object or "
            "a list fits no glob.",
            examples=["json.log_type: app", "json.http.status: 5??"],
        ),
    ] = {}
    not_: Annotated[
        "Condition | None", Meta(description="The same keys; they must not all hold.")
    ] = None

    @cached_property
    def _tests(self) -> tuple[_Fits | None, _Fits | None, tuple[tuple[str, _Fits], ...]]:
        stream = None if self.stream is None else compile_globs(self.stream)
        severity = None if self.severity is None else compile_globs(_upper(self.severity))
        return stream, severity, tuple((k, compile_globs(v)) for k, v in self.json.items())

    @property
    def needs_fields(self) -> bool:
        """Whether the answer can depend on the row's JSON object (parse it only then)."""
        return bool(self.json) or (self.not_ is not None and self.not_.needs_fields)

    @property
    def needs_severity(self) -> bool:
        own = self.severity is not None
        return own or (self.not_ is not None and self.not_.needs_severity)

    def evaluate(self, stream: str, severity: str, fields: Mapping[str, object] | None) -> bool:
        """`fields` is the row's parsed JSON object, None if the row is no JSON object."""
        on_stream, on_severity, on_fields = self._tests
        if on_stream is not None and not on_stream(stream):
            return False
        if on_severity is not None and not on_severity(severity):
            return False
        for path, fits in on_fields:
            text = None if fields is None else scalar_text(lookup(fields, path))
            if text is None or not fits(text):
                return False
        return self.not_ is None or not self.not_.evaluate(stream, severity, fields)


def _upper(globs: Globs) -> Globs:
    """Severities are upper case, whatever case their globs have."""
    return globs.upper() if isinstance(globs, str) else tuple(glob.upper() for glob in globs)


class _Absent:
    pass


ABSENT = _Absent()


def lookup(fields: Mapping[str, object], path: str) -> object:
    """The value at a dotted path, or ABSENT. A key that contains the dots itself comes first.

    Objects inside are dicts, as every JSON parser makes them: this runs per row.
    """
    if path in fields:
        return fields[path]
    head, dot, rest = path.partition(".")
    inner = fields.get(head) if dot else None
    return lookup(inner, rest) if isinstance(inner, dict) else ABSENT


def scalar_text(value: object) -> str | None:
    """A JSON scalar as text, as JSON writes it (strings without quotes); None if not a scalar."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return "null" if value is None else None
