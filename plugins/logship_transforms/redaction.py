"""What a redacted row says: the text and the fields of one row, in agreement.

    text, no object   secrets are replaced in the text
    object            fields are taken out and secrets replaced inside it: in every string, number
                      and key, after JSON's escapes are undone; then the text is written anew
    broken object     a text that begins with `{` but is none (cut off, too deep): secrets are
                      replaced in the text; where a name of `fields` occurs in it, or a secret is
                      hidden by escapes, the whole text is replaced, since nobody can say what to
                      take out

Whatever remains is looked at once more as text, because a secret may lie across JSON's syntax. A
JSON text may hide what it says from its parser (a key given twice) and from a search (`\\u0040`);
then it is written anew as well. Escapes are undone once: JSON inside a string of JSON is a string.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import orjson

from logship.api import JsonObject
from logship_transforms.objects import parse
from logship_transforms.rewriting import Rewriting
from logship_transforms.secrets import Finder

_MAX_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Redaction:
    paths: tuple[str, ...]
    presets: tuple[Finder, ...]
    own: tuple[Finder, ...]
    substitute: Callable[[str], str]
    removes: bool
    """Fields are deleted, not replaced."""
    leaves: tuple[str, ...] = field(init=False)
    """The last part of each path: no object without it holds the field."""

    def __post_init__(self) -> None:
        leaves = dict.fromkeys(path.rpartition(".")[2] for path in self.paths)
        object.__setattr__(self, "leaves", tuple(leaves))

    def all_clean(self, texts: Sequence[str], parsed: Iterable[JsonObject | None]) -> bool:
        """Cheap: whether no row of these columns can change. False only says: look at each."""
        if self.own:
            return False
        objects = [orjson.dumps(each).decode() for each in parsed if each is not None]
        column = "\n".join([*texts, *objects])
        if self._mentions(column) or _hits(self.presets, column):
            return False
        return "{" not in column or not self._hidden(column)

    def row(self, text: str, parsed: JsonObject | None) -> tuple[str, JsonObject | None]:
        """The row's text, and the object that this text is (None: it is none)."""
        json_like = text.lstrip()[:1] == "{"
        if parsed is None and not self._suspicious(text, json_like):
            return text, None
        if parsed is not None and self.all_clean([text], [parsed]):
            return text, parsed
        rewriting = Rewriting((*self.presets, *self.own), self.substitute, self.removes)
        found = parse(text.lstrip()) if parsed is None and json_like else parsed
        if found is not None:
            return self._object(text, found, rewriting)
        clean = rewriting.text(text)
        if json_like and (self._mentions(text) or self._hidden(clean)):
            return self.substitute(text), None
        return clean, None

    def _suspicious(self, text: str, json_like: bool) -> bool:
        if self._hit(text):
            return True
        if not json_like:
            return False
        # An own expression may hold anchors, which mean the single string inside the object.
        return bool(self.own) or self._mentions(text) or self._hidden(text)

    def _object(
        self, text: str, found: JsonObject, rewriting: Rewriting
    ) -> tuple[str, JsonObject | None]:
        for _ in range(_MAX_ROUNDS):
            clean = rewriting.fields(found, self.paths)
            written = text
            if clean is not found or self._hidden(text) or self._doubled(text, found):
                written = orjson.dumps(clean).decode()
            last = rewriting.text(written)
            if last == written:
                return written, clean
            again = parse(last.lstrip())
            if again is None:
                return last, None
            text, found = last, again
        return self.substitute(text), None

    def _hit(self, text: str) -> bool:
        return _hits(self.presets, text) or _hits(self.own, text)

    def _hidden(self, text: str) -> bool:
        """Whether a secret shows only when JSON's escapes are undone."""
        return "\\" in text and self._hit(unescaped(text))

    def _mentions(self, text: str) -> bool:
        """Whether a named field may be in the text, as it stands or behind JSON's escapes."""
        if not self.leaves:
            return False
        return _has(text, self.leaves) or ("\\" in text and _has(unescaped(text), self.leaves))

    def _doubled(self, text: str, found: JsonObject) -> bool:
        """Whether the text may hold a named field in a part that its parser passed over."""
        if not self._mentions(text):
            return False
        said, seen = unescaped(text), unescaped(orjson.dumps(found).decode())
        return any(said.count(leaf) != seen.count(leaf) for leaf in self.leaves)


def _has(text: str, words: Sequence[str]) -> bool:
    return any(word in text for word in words)


def _hits(finders: Sequence[Finder], text: str) -> bool:
    return any(finder.hits(text) for finder in finders)


_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def unescaped(text: str) -> str:
    """The text with JSON's escapes (RFC 8259 section 7) undone, wherever they stand."""

    def meaning(found: re.Match[str]) -> str:
        return chr(int(found[1], 16)) if found[1] else _SHORT.get(found[2], found[2])

    plain = _ESCAPE.sub(meaning, text)
    if plain.isascii():
        return plain
    # Two escapes may be one character: join the surrogates (RFC 8259 section 7).
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
