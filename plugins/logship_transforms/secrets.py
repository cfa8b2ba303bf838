"""Secrets in texts: where they are, by well-known forms and by people's own regular expressions.

The forms err on the side of finding too much. None of them backtracks far: each repetition is
bounded, possessive or ends at a character it cannot hold, so that a hostile text of 256 KiB costs
fractions of a second. A group named `secret` limits what is taken out to itself.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

PresetName: TypeAlias = Literal[
    "email", "ipv4", "credit_card", "bearer_token", "jwt", "gcp_api_key"
]
PRESET_NAMES: tuple[PresetName, ...] = get_args(PresetName)

Spans: TypeAlias = Iterator[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Finder:
    regex: re.Pattern[str]
    needle: str = ""
    """A text without it holds no such secret: cheaper to see than a search."""
    refine: Callable[[re.Match[str]], Spans] | None = None
    """Which parts of a match are secrets, where the expression cannot say."""

    def spans(self, text: str) -> Spans:
        """Ascending, apart from each other, none empty."""
        if self.needle not in text:
            return
        for match in self.regex.finditer(text):
            found = self.refine(match) if self.refine else iter([_secret_span(match)])
            yield from (span for span in found if span[0] < span[1])

    def hits(self, text: str) -> bool:
        return next(self.spans(text), None) is not None

    def replaced(self, text: str, substitute: Callable[[str], str]) -> str:
        """The text with each secret replaced; itself if there is none."""
        parts, done = [], 0
        for start, end in self.spans(text):
            parts += [text[done:start], substitute(text[start:end])]
            done = end
        return "".join([*parts, text[done:]]) if parts else text


def _secret_span(match: re.Match[str]) -> tuple[int, int]:
    return match.span("secret" if "secret" in match.re.groupindex else 0)


_OCTET = r"(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])"
_IPV4 = rf"(?<![0-9])(?<![0-9]\.)(?:{_OCTET}\.){{3}}{_OCTET}(?![0-9])(?!\.[0-9])"
_EMAIL = r"[\w.%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"
# RFC 6750 section 2.1. Shorter than 8 is more often prose: "bearer of bad news".
_BEARER = r"(?i:bearer)[ \t:]{1,8}(?P<secret>[A-Za-z0-9._~+/=-]{8,}+)"
# RFC 7515 and 7516: three or five parts in base64url; a header begins with `{"`.
_JWT = r"eyJ[A-Za-z0-9_-]{4,1024}\.[A-Za-z0-9_-]{2,}+(?:\.[A-Za-z0-9_-]*+){1,3}"
_GCP_API_KEY = r"AIza[0-9A-Za-z_-]{35}"
_DIGITS = r"[0-9][0-9 -]{10,}[0-9]"


def cards(match: re.Match[str]) -> Spans:
    """Card numbers in a run of digits, blanks and dashes.

    A card begins and ends where a group of digits does, its groups are one character apart, and it
    has the prefix and length of a known brand (a time in milliseconds or nanoseconds has neither)
    and a right check digit.
    """
    groups = [group.span() for group in _GROUP.finditer(match.string, *match.span())]
    begin = end = -1
    for first, (start, _) in enumerate(groups):
        digits = ""
        before = start
        for low, high in groups[first : first + 19]:
            if low - before > 1 or len(digits) + high - low > 19:
                break
            digits, before = digits + match.string[low:high], high
            if is_card(digits):
                if begin >= 0 and start >= end:
                    yield begin, end
                    begin = -1
                begin, end = (start, high) if begin < 0 else (begin, max(end, high))
    if begin >= 0:
        yield begin, end


_GROUP = re.compile("[0-9]+")
# Visa, Mastercard, American Express, Discover and UnionPay, JCB, Diners, Maestro (ISO/IEC 7812).
_BRANDS = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|(?:5[1-5]|2[2-7])[0-9]{14}|3[47][0-9]{13}"
    r"|6[0-9]{12,18}|35[0-9]{14,17}|3[0689][0-9]{12,17}|5[06-9][0-9]{10,17}"
)


def is_card(digits: str) -> bool:
    """Whether these digits, and nothing more, can be a card's number."""
    return _BRANDS.fullmatch(digits) is not None and luhn(digits)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    reverse = [int(digit) for digit in reversed(digits)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in reverse[1::2])
    return (sum(reverse[0::2]) + sum(doubled)) % 10 == 0


PRESETS: dict[PresetName, Finder] = {
    "email": Finder(re.compile(_EMAIL), "@"),
    "ipv4": Finder(re.compile(_IPV4), "."),
    "credit_card": Finder(re.compile(_DIGITS), refine=cards),
    "bearer_token": Finder(re.compile(_BEARER)),
    "jwt": Finder(re.compile(_JWT), "eyJ"),
    "gcp_api_key": Finder(re.compile(_GCP_API_KEY), "AIza"),
}
"""No form holds a newline or looks behind one: what is found in a text is found in it joined with
others by newlines, so that one search can say that a whole column is clean."""
