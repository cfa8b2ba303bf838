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
        done = 0
        for match in self.regex.finditer(text):
            for start, end in self.refine(match) if self.refine else (_secret_span(match),):
                if max(start, done) < end:
                    yield max(start, done), end
                    done = end

    def hits(self, text: str) -> bool:
        return self.needle in text and next(self.spans(text), None) is not None

    def replaced(self, text: str, substitute: Callable[[str], str]) -> str:
        """The text with each secret replaced; itself if there is none."""
        parts, done = [], 0
        for start, end in self.spans(text):
            parts += [text[done:start], substitute(text[start:end])]
            done = end
        return "".join([*parts, text[done:]]) if parts else text


def _secret_span(match: re.Match[str]) -> tuple[int, int]:
    return match.span("secret" if "secret" in match.re.groupindex else 0)


# Each begins with a character that the engine can skip to; `refine` looks at what is around.
_IPV4 = r"[0-9][0-9]{0,2}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}"
_DOMAIN = r"@[\w-]{1,63}(?:\.[\w-]{1,63})+"
_LOCAL_PART = re.compile(r"[\w.%+-]+")
_MAX_LOCAL_CHARS = 64  # RFC 5321 section 4.5.3.1.1
# RFC 6750 section 2.1. Shorter than 8 is more often prose: "bearer of bad news".
_BEARER = r"(?i:bearer)[ \t:]{1,8}(?P<secret>[A-Za-z0-9._~+/=-]{8,}+)"
# RFC 7515 and 7516: three or five parts in base64url; a header begins with `{"`.
_JWT = r"eyJ[A-Za-z0-9_-]{4,1024}\.[A-Za-z0-9_-]{2,}+(?:\.[A-Za-z0-9_-]*+){1,3}"
_GCP_API_KEY = r"AIza[0-9A-Za-z_-]{35}"
_DIGITS = r"[0-9][0-9 -]{10,}[0-9]"


def email(domain: re.Match[str]) -> Spans:
    """The address whose `@` and domain these are."""
    at = domain.start()
    backwards = domain.string[max(0, at - _MAX_LOCAL_CHARS) : at][::-1]
    local = _LOCAL_PART.match(backwards)
    if local is not None:
        yield at - local.end(), domain.end()


def ipv4(match: re.Match[str]) -> Spans:
    """Four numbers up to 255 that are no part of a longer row of digits and dots."""
    (start, end), text = match.span(), match.string
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    if before[-1:].isdecimal() or (before[-1:] == "." and before[:1].isdecimal()):
        return
    if after[:1].isdecimal() or (after[:1] == "." and after[1:].isdecimal()):
        return
    if all(int(octet) <= 255 for octet in match[0].split(".")):
        yield start, end


def cards(match: re.Match[str]) -> Spans:
    """Card numbers in a run of digits, blanks and dashes.

    A card begins and ends where a group of digits does, its groups are one character apart, and it
    has the prefix and length of a known brand (a time in milliseconds or nanoseconds has neither)
    and a right check digit. The digits after a decimal point are none.
    """
    groups = [group.span() for group in _GROUP.finditer(match.string, *match.span())]
    if _FRACTION.match(match.string, match.start() - 2):
        del groups[0]
    for first, (start, _) in enumerate(groups):
        if match.string[start] not in "23456":
            continue
        digits, before, found = "", start, 0
        for low, high in groups[first : first + _MAX_DIGITS]:
            if low - before > 1 or len(digits) + high - low > _MAX_DIGITS:
                break
            digits, before = digits + match.string[low:high], high
            if is_card(digits):
                found = high
        if found:
            yield start, found


_MAX_DIGITS = 19
_GROUP = re.compile("[0-9]+")
_FRACTION = re.compile(r"[0-9]\.")
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
    "email": Finder(re.compile(_DOMAIN), "@", email),
    "ipv4": Finder(re.compile(_IPV4), ".", ipv4),
    "credit_card": Finder(re.compile(_DIGITS), refine=cards),
    "bearer_token": Finder(re.compile(_BEARER)),
    "jwt": Finder(re.compile(_JWT), "eyJ"),
    "gcp_api_key": Finder(re.compile(_GCP_API_KEY), "AIza"),
}
"""No form holds a newline or looks behind one: what is found in a text is found in it joined with
others by newlines, so that one search can say that a whole column is clean."""
