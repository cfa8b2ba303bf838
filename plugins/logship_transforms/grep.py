"""`grep`: keeps or drops rows by their text or one field.

A rule is a conjunction, as `match` is: every key it names must hold; of a list, one entry must. A
field that is absent, an object or a list fits nothing. Fields come from the column that
`parse_json` made, otherwise the text is parsed for this one question and nothing is kept of it.

`pattern` looks at the first `max_text_bytes` of a text only: that bounds a regular expression whose
time grows with the square of the text, though not one that is exponential (see `regexes`). `equals`
and `contains` look at the whole text.
"""

import operator
import re
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Annotated

import msgspec
from msgspec import Meta

from logship.api import Batch, ConfigError, Context, Rows, Transform, lookup, scalar_text
from logship_transforms.objects import one_by_one, parse
from logship_transforms.regexes import compiled

Test = Callable[[Sequence[str]], list[bool]]
_Needle = Annotated[str, Meta(min_length=1)]


class GrepRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every key given must hold."""

    field: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(
            description="Look at this field of the row's JSON object; dots lead into nested "
            "objects. Numbers, `true`, `false` and `null` are compared as JSON writes them. "
            "Default: the row's text.",
            examples=["http.path"],
        ),
    ] = None
    pattern: Annotated[
        str | None,
        Meta(
            description="This regular expression (Python's `re`) is found somewhere in it.",
            examples=["^GET /healthz"],
        ),
    ] = None
    equals: Annotated[
        str | Annotated[tuple[str, ...], Meta(min_length=1)] | None,
        Meta(description="It is this text, or one of these texts."),
    ] = None
    contains: Annotated[
        _Needle | Annotated[tuple[_Needle, ...], Meta(min_length=1)] | None,
        Meta(description="It contains this text, or one of these texts."),
    ] = None

    def __post_init__(self) -> None:
        if self.pattern is None and self.equals is None and self.contains is None:
            raise ConfigError("", "it needs `pattern`, `equals` or `contains`")
        if self.pattern is not None:
            compiled(self.pattern, "pattern")


class GrepConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `grep`: `keep` or `drop`."""

    keep: Annotated[
        GrepRule | None, Meta(description="Rows that fit are kept, all others dropped.")
    ] = None
    drop: Annotated[
        GrepRule | None, Meta(description="Rows that fit are dropped, all others kept.")
    ] = None
    max_text_bytes: Annotated[
        int,
        Meta(
            ge=1,
            description="How much of a text `pattern` looks at, from its start; counted in "
            "characters. It bounds the time that a slow pattern can take.",
        ),
    ] = 64 * 1024

    def __post_init__(self) -> None:
        if (self.keep is None) == (self.drop is None):
            given = "both are given" if self.keep else "none is given"
            raise ConfigError("", f"exactly one of `keep` and `drop` is needed, {given}")


class Grep(Transform):
    """Keeps or drops rows by their text or a field."""

    config = GrepConfig

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        super().__init__(config, context)
        assert isinstance(config, GrepConfig)
        rule = config.keep or config.drop
        assert rule is not None
        self._keeps = config.keep is not None
        self._field = rule.field
        self._tests = _tests(rule, config.max_text_bytes)

    def apply(self, batch: Batch) -> Batch:
        if not len(batch.rows):
            return batch
        fits = self._fits(batch.rows)
        return batch.keep(fits if self._keeps else list(map(operator.not_, fits)))

    def _fits(self, rows: Rows) -> list[bool]:
        if self._field is None:
            return _all(self._tests, rows.texts)
        values = _column(rows, self._field)
        fits = _all(self._tests, [value or "" for value in values])
        return [fit and value is not None for fit, value in zip(fits, values, strict=True)]


def _column(rows: Rows, path: str) -> list[str | None]:
    """Per row the field as text; None where there is no such scalar."""
    objects = map(parse, rows.texts) if rows.fields is None else one_by_one(rows.fields)
    return [None if each is None else scalar_text(lookup(each, path)) for each in objects]


def _all(tests: Sequence[Test], texts: Sequence[str]) -> list[bool]:
    first, *others = (test(texts) for test in tests)
    for other in others:
        first = list(map(operator.and_, first, other))
    return first


def _tests(rule: GrepRule, max_chars: int) -> list[Test]:
    """Each is a few calls into C per column."""
    tests: list[Test] = []
    if rule.equals is not None:
        tests.append(_equals(frozenset(_listed(rule.equals))))
    if rule.contains is not None:
        tests.append(_contains(_listed(rule.contains)))
    if rule.pattern is not None:
        tests.append(_found(compiled(rule.pattern, "pattern"), max_chars))
    return tests


def _listed(texts: str | tuple[str, ...]) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else texts


def _equals(wanted: frozenset[str]) -> Test:
    return lambda texts: list(map(wanted.__contains__, texts))


def _contains(needles: tuple[str, ...]) -> Test:
    def test(texts: Sequence[str]) -> list[bool]:
        columns = [map(operator.contains, texts, repeat(needle)) for needle in needles]
        return list(map(any, zip(*columns, strict=True)))

    return test


def _found(regex: re.Pattern[str], max_chars: int) -> Test:
    def test(texts: Sequence[str]) -> list[bool]:
        return [
            found is not None for found in map(regex.search, texts, repeat(0), repeat(max_chars))
        ]

    return test
