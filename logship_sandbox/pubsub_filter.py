"""A subscription's filter on attributes.

The complete language of Pub/Sub: attributes.KEY = "V", attributes.KEY != "V", attributes:KEY,
hasPrefix(attributes.KEY, "P"), NOT and -, AND, OR, parentheses. As in Pub/Sub, AND and OR must not
be mixed without parentheses, != is true for an absent key, and a filter has at most 256 bytes.
"""

import re
from collections.abc import Callable, Mapping

from logship_sandbox.pubsub_messages import invalid

MAX_FILTER_BYTES = 256

Condition = Callable[[Mapping[str, str]], bool]

_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z_][\w\-]*)|(?P<sign>!=|[=():,.\-]))'
)


def parse_filter(text: str) -> Condition:
    """The condition on a message's attributes; raises INVALID_ARGUMENT."""
    if len(text.encode()) > MAX_FILTER_BYTES:
        raise invalid(f"The filter has over {MAX_FILTER_BYTES} bytes")
    if not text.strip():
        return lambda attributes: True
    return _Parser(text).parse()


class _Parser:
    """Recursive descent over tokens; `_at` is the next one."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0

    def parse(self) -> Condition:
        condition = self._junction()
        if self._peek():
            raise self._unexpected()
        return condition

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, *expected: str) -> str:
        token = self._peek()
        if not token or (expected and token not in expected):
            raise self._unexpected()
        self._at += 1
        return token

    def _unexpected(self) -> Exception:
        found = self._peek() or "its end"
        return invalid(
            f"Cannot parse the filter {self._text!r} at {found}: it may use attributes.KEY = "
            '"VALUE", !=, attributes:KEY, hasPrefix(attributes.KEY, "VALUE"), NOT, AND, OR, ( )'
        )

    def _junction(self) -> Condition:
        terms = [self._term()]
        word = self._peek()
        if word not in ("AND", "OR"):
            return terms[0]
        while self._peek() == word:
            self._take(word)
            terms.append(self._term())
        if self._peek() in ("AND", "OR"):
            raise invalid(f"The filter {self._text!r} mixes AND and OR: use parentheses")
        decide = all if word == "AND" else any
        return lambda attributes: decide(term(attributes) for term in terms)

    def _term(self) -> Condition:
        if self._peek() in ("NOT", "-"):
            self._take()
            negated = self._term()
            return lambda attributes: not negated(attributes)
        if self._peek() == "(":
            self._take()
            inner = self._junction()
            self._take(")")
            return inner
        if self._peek() == "hasPrefix":
            return self._prefix()
        return self._comparison()

    def _prefix(self) -> Condition:
        self._take("hasPrefix")
        self._take("(")
        self._take("attributes")
        self._take(".")
        key = self._key()
        self._take(",")
        prefix = self._string()
        self._take(")")
        return lambda attributes: attributes.get(key, "").startswith(prefix) and key in attributes

    def _comparison(self) -> Condition:
        self._take("attributes")
        if self._take(":", ".") == ":":
            present = self._key()
            return lambda attributes: present in attributes
        key = self._key()
        equal = self._take("=", "!=") == "="
        value = self._string()
        return lambda attributes: (attributes.get(key) == value) is equal

    def _key(self) -> str:
        token = self._take()
        if token.startswith('"'):
            return _unquoted(token)
        if not re.fullmatch(r"[A-Za-z_][\w\-]*", token):
            raise self._unexpected()
        return token

    def _string(self) -> str:
        if not self._peek().startswith('"'):
            raise self._unexpected()
        return _unquoted(self._take())


def _tokens(text: str) -> list[str]:
    tokens, place = [], 0
    end = len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            raise invalid(f"Cannot parse the filter {text!r} at {text[place:].strip()[:20]!r}")
        tokens.append(match[0].strip())
        place = match.end()
    return tokens


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1])
