"""What went wrong, as a text that may be shown: bounded, and without what looks like a secret.

A text comes from a server, from a library or from an exception that nobody foresaw; `/status` shows
it to whoever reaches the agent. Tokens travel in headers and passwords in addresses, so both are
taken out by how they look, wherever they come from.
"""

import re
from dataclasses import dataclass

MAX_CHARS = 500
"""A message may quote the answer of a server."""
_SECRETS = re.compile(
    r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"
    r"|(?<=://)[^/\s@]+@"
    r"|\b(access_token|token|api_?key|key|password|secret|assertion|signature)\"?\s*[=:]\s*\"?"
    r"[\w.~+/=-]{8,}"
    r"|\bya29\.[\w.-]+"
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*"
)


def shown(text: str) -> str:
    """At most `MAX_CHARS` of the text, with `***` in place of credentials."""
    return _SECRETS.sub("***", text[: 2 * MAX_CHARS])[:MAX_CHARS]


@dataclass(frozen=True, slots=True)
class Said:
    text: str = ""
    """Empty: nothing."""
    at_ns: int = 0
    """Wall clock."""

    @classmethod
    def of(cls, text: str, at_ns: int) -> "Said":
        return cls(shown(text), at_ns)

    def age_secs(self, now_ns: int) -> float | None:
        return max(0.0, (now_ns - self.at_ns) / 1e9) if self.text else None
