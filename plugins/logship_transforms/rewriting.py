"""Takes secrets out of one row's text and object, and remembers what it wrote in their place.

What was written is never looked into again: a digest may look like a secret itself, and a row must
come to rest after it has been rewritten. Objects are copied where they change; what is given is
never changed, and comes back itself where nothing changes.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import orjson

from logship.api import JsonObject, scalar_text
from logship_transforms.secrets import Finder


@dataclass(frozen=True, slots=True)
class Rewriting:
    """Of one row; made new for each."""

    finders: Sequence[Finder]
    substitute: Callable[[str], str]
    removes: bool
    """Fields are deleted, not replaced."""
    written: set[str] = field(default_factory=set)

    def text(self, text: str) -> str:
        """The text with each secret replaced."""
        for finder in self.finders:
            if not finder.hits(text):
                continue
            pieces = [text]
            if self.written:
                pieces = re.split(f"({'|'.join(map(re.escape, self.written))})", text)
            pieces[::2] = [finder.replaced(piece, self.put) for piece in pieces[::2]]
            text = "".join(pieces)
        return text

    def put(self, secret: str) -> str:
        """What is written in place of the secret."""
        made = self.substitute(secret)
        if made:
            self.written.add(made)
        return made

    def fields(self, found: JsonObject, paths: Iterable[str]) -> JsonObject:
        """The object without these fields, and with each secret inside it replaced."""
        clean: object = found if isinstance(found, dict) else dict(found)
        for path in paths:
            clean = self._without(clean, path)
        if self.finders:
            clean = self._walked(clean)
        assert isinstance(clean, dict)
        return clean

    def _without(self, value: object, path: str) -> object:
        """The path taken out, however keys with dots divide it; lists are passed through."""
        if isinstance(value, list):
            items = [self._without(item, path) for item in value]
            return items if _differ(items, value) else value
        if not isinstance(value, dict):
            return value
        made = dict(value)
        for key, inner in value.items():
            if key == path:
                self._take_out(made, key)
            elif path.startswith(f"{key}."):
                made[key] = self._without(inner, path[len(key) + 1 :])
        return made if len(made) != len(value) or _differ(made.values(), value.values()) else value

    def _take_out(self, made: dict[str, object], key: str) -> None:
        if self.removes:
            del made[key]
            return
        value = made[key]
        if isinstance(value, str) and value in self.written:
            return
        as_text = value if isinstance(value, str) else _canonical(value)
        made[key] = self.put(as_text)

    def _walked(self, value: object) -> object:
        if isinstance(value, dict):
            return self._walked_object(value)
        if isinstance(value, list):
            items = [self._walked(item) for item in value]
            return items if _differ(items, value) else value
        if value is None or isinstance(value, bool):
            return value
        text = scalar_text(value) or ""
        clean = self.text(text)
        return value if clean == text else clean

    def _walked_object(self, value: dict[str, object]) -> object:
        made: dict[str, object] = {}
        for key, inner in value.items():
            name = self.text(key)
            while name in made or (name != key and name in value):
                name += "_"  # two secrets as keys must not become one
            made[name] = self._walked(inner)
        same = made.keys() == value.keys() and not _differ(made.values(), value.values())
        return value if same else made


def _canonical(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _differ(made: Iterable[object], given: Iterable[object]) -> bool:
    return any(a is not b for a, b in zip(made, given, strict=True))
