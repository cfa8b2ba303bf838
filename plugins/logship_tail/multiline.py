"""Which lines become one row: the option `join`, and what an annotation says in its place.

The option is a list of languages, or a mapping where a pattern or bounds are wanted.
"""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from logship.api import ConfigError, Joins

Language = Literal["exceptions", "java", "python", "go", "nodejs", "ruby", "php", "dotnet", "rust"]
_EXCEPTIONS = "exceptions"
_LANGUAGES = tuple(name for name in get_args(Language) if name != _EXCEPTIONS)
_FIRST_LINE = "first-line:"
_EXPECTED = (
    f"expected {_EXCEPTIONS}, none, names of {', '.join(_LANGUAGES)}, or {_FIRST_LINE} with a "
    "regular expression"
)


class JoinConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows that are joined to one, and for how long. `languages` or `first_line`, one of them."""

    languages: Annotated[
        tuple[Language, ...],
        Meta(description="Stack traces of these are joined; `exceptions` is all of them."),
    ] = ()
    first_line: Annotated[
        str | None,
        Meta(
            description="A regular expression. A record begins at each line whose beginning "
            "matches (of its first 128 characters); lines that do not match belong to the record "
            "before. In RE2's syntax: no backreferences, no lookaround.",
            examples=[r"^\d{4}-\d\d-\d\d "],
        ),
    ] = None
    max_rows: Annotated[
        int,
        Meta(ge=2, le=100_000, description="A record has at most this many lines. Its bytes are "
             "bounded by `max_row_bytes`."),
    ] = 1000  # fmt: skip
    wait_secs: Annotated[
        float,
        Meta(gt=0, le=60, description="How long the last record waits for another line of it."),
    ] = 1.0

    def __post_init__(self) -> None:
        if self.languages and self.first_line is not None:
            raise ConfigError("first_line", "either `languages` or `first_line`, not both")
        if not self.languages and self.first_line is None:
            raise ConfigError("", "nothing is joined: name `languages`, or a `first_line`")
        try:
            self.joins()
        except ValueError as error:
            raise ConfigError("first_line", str(error)) from None

    def joins(self) -> Joins:
        return Joins(_named(self.languages), self.first_line or "", self.max_rows, self.wait_secs)


JoinOption = Annotated[
    tuple[Language, ...] | JoinConfig,
    Meta(
        description="Lines that become one row. A list: stack traces of these languages, "
        "`exceptions` is all of them. A mapping: the same with bounds, or records that begin at a "
        "`first_line`. Default: rows are as they were written.",
        examples=[["exceptions"], ["java", "python"], {"first_line": r"^\d{4}-"}],
    ),
]


def joins_of(option: tuple[Language, ...] | JoinConfig) -> Joins | None:
    if isinstance(option, JoinConfig):
        return option.joins()
    return Joins(_named(option)) if option else None


def _named(languages: tuple[str, ...]) -> tuple[str, ...]:
    """Without repetitions, in one order, so that equal wishes are equal."""
    return tuple(name for name in _LANGUAGES if {name, _EXCEPTIONS} & {*languages})


def parse_annotation(value: str, default: Joins | None) -> Joins | None:
    """Bounds are those of `default`. Raises ValueError with what is expected."""
    max_rows, wait_secs = (default.max_rows, default.wait_secs) if default else (1000, 1.0)
    value = value.strip()
    if value == "none":
        return None
    if value.startswith(_FIRST_LINE):
        pattern = value.removeprefix(_FIRST_LINE).strip()
        if not pattern:
            raise ValueError(f"there is no pattern: {_EXPECTED}")
        return Joins((), pattern, max_rows, wait_secs)
    names = tuple(name.strip() for name in value.split(","))
    for name in names:
        if name not in (*_LANGUAGES, _EXCEPTIONS):
            raise ValueError(f"{name!r} is no language: {_EXPECTED}")
    return Joins(_named(names), "", max_rows, wait_secs)
