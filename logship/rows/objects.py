"""Texts that are JSON objects. Engine, transforms and sinks must agree on which these are."""

from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from typing import overload

import orjson

from logship.rows.rows import JsonObject, Rows

NO_LIMIT = 2**31 - 1
"""A row is never longer."""


def parse_object(text: str) -> JsonObject | None:
    """The JSON object that the text is; None when it is none."""
    if text[:1] != "{":
        return None
    try:
        found: JsonObject = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found


class Parsed(Sequence[JsonObject | None]):
    """Per text its object: a column of fields that is made when somebody looks at it.

    Until then, and after it, `fields` says no more than the texts do: a sink that can write objects
    from their texts need not ask.
    """

    def __init__(
        self,
        texts: Sequence[str],
        parse: Callable[[str], JsonObject | None] = parse_object,
        max_chars: int = NO_LIMIT,
    ) -> None:
        self.texts = texts
        self.max_chars = max_chars
        """Longer texts are no objects."""
        self._parse = parse
        self._made: list[JsonObject | None] | None = None

    def over(self, texts: Sequence[str], mask: Sequence[object]) -> "Parsed":
        """The same of these texts: its own whose entry in `mask` is true."""
        some = Parsed(texts, self._parse, self.max_chars)
        if self._made is not None:
            some._made = list(compress(self._made, mask))
        return some

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, key: int) -> JsonObject | None: ...
    @overload
    def __getitem__(self, key: slice) -> list[JsonObject | None]: ...
    def __getitem__(self, key: int | slice) -> JsonObject | list[JsonObject | None] | None:
        if self._made is None and isinstance(key, int):
            return self._object(self.texts[key])
        return self._all()[key]

    def __iter__(self) -> Iterator[JsonObject | None]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all() == list(other)

    def __repr__(self) -> str:
        return repr(self._all())

    def _object(self, text: str) -> JsonObject | None:
        return self._parse(text) if text[:1] == "{" and len(text) <= self.max_chars else None

    def _all(self) -> list[JsonObject | None]:
        if self._made is None:
            self._made = list(map(self._object, self.texts))
        return self._made


def told_by_texts(rows: Rows) -> bool:
    """Whether the fields, if there are any, are nothing but the texts, parsed."""
    fields = rows.fields
    return fields is None or (isinstance(fields, Parsed) and fields.texts is rows.texts)
