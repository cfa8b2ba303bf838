"""A route that may shed, and what makes it: its sink refuses for quota while logs are rotated away.

Drawn by itself, so that what other seeds draw stays what it was. Rows say severities, as JSON or as
glog does; what a row says is read here again, and not by the agent's code.
"""

import json
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from zlib import crc32

ERROR_AND_ABOVE = ("ERROR", "CRITICAL", "ALERT", "EMERGENCY")
_LETTERS = {"D": "DEBUG", "I": "INFO", "W": "WARNING", "E": "ERROR", "F": "CRITICAL"}
_GLOG = re.compile(r"([DIWEF])1123 \d\d:\d\d:\d\d\.\d{6} +1 app\.go:1\] ")
_SAYS = re.compile(r"logship dropped ([\d,]+) rows? of severity (\w+) of ")
_OFTEN = ("DEBUG",) * 5 + ("INFO",) * 4 + ("NOTICE", "WARNING", "WARNING", "ERROR", "CRITICAL", "")
ROTATION_BYTES, ROTATION_FILES = 40_000, 5


@dataclass(frozen=True)
class ShedPlan:
    dropped: tuple[str, ...]
    sampled: tuple[str, ...]
    one_in: int
    throttled_secs: float | None
    rotation_risk_secs: float | None

    def config(self) -> str:
        """As the configuration says it."""
        rules = []
        if self.dropped:
            rules.append(f"{{name: drop, severity: [{', '.join(self.dropped)}]}}")
        if self.sampled:
            severities = ", ".join(self.sampled)
            rules.append(f"{{name: sample, severity: [{severities}], keep_one_in: {self.one_in}}}")
        throttled = "" if self.throttled_secs is None else f"throttled_secs: {self.throttled_secs},"
        risk = "null" if self.rotation_risk_secs is None else self.rotation_risk_secs
        return (
            f"shed: {{rules: [{', '.join(rules)}], {throttled} rotation_risk_secs: {risk},"
            " escalate_after_secs: 4, calm_secs: 6}, "
        )

    def may_drop(self, record_id: str, severity: str) -> bool:
        if severity in self.sampled:
            return crc32(record_id.encode()) % self.one_in != 0
        return severity in self.dropped


def draw_shed(draw: random.Random) -> ShedPlan:
    named = ["DEBUG", *(s for s in ("INFO", "NOTICE", "DEFAULT", "WARNING") if draw.random() < 0.6)]
    sampled = tuple(s for s in named if draw.random() < 0.3)
    risk = draw.choice((None, 20.0, 120.0))
    throttled = draw.choice((2.0, 8.0)) if risk is None else draw.choice((None, 2.0, 8.0))
    dropped = tuple(s for s in named if s not in sampled)
    return ShedPlan(dropped, sampled, draw.choice((2, 5)), throttled, risk)


def text_of(draw: random.Random, count: int, words: str) -> str:
    """A row that says its severity, or none, or says it wrongly."""
    severity = draw.choice(_OFTEN)
    if not severity:
        return draw.choice((words, f'{{"severity": "ERROR", {words}', f"E1123 {words}"))
    letter = next((key for key, name in _LETTERS.items() if name == severity), None)
    if letter is not None and draw.random() < 0.4:
        return f"{letter}1123 04:46:31.{count % 10**6:06d}       1 app.go:1] {words}"
    key = draw.choice(("severity", "level"))
    return json.dumps({"n": count, key: severity, "message": words})


@cache
def severity_of(text: str) -> str:
    """What a row says itself."""
    if text.startswith("{"):
        try:
            found = json.loads(text)
        except ValueError:
            return "DEFAULT"
        return str(found.get("severity") or found.get("level") or "DEFAULT")
    match = _GLOG.match(text)
    return _LETTERS[match[1]] if match else "DEFAULT"


def summary_of(text: str) -> tuple[str, int] | None:
    """(severity, how many were dropped); None: it is no summary."""
    if not text.startswith('{"severity":"WARNING","message":"logship dropped '):
        return None
    match = _SAYS.match(json.loads(text)["message"])
    return (match[2], int(match[1].replace(",", ""))) if match else None


class Announced:
    """What a route was told to have been dropped, and what was."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], int] = {}
        """By origin and severity."""
        self.shed: dict[tuple[str, str], set[str]] = {}
        self._summaries: dict[str, tuple[str, int]] = {}

    @property
    def summaries(self) -> int:
        return len(self._summaries)

    @property
    def count(self) -> int:
        """Rows that were dropped."""
        return sum(map(len, self.shed.values()))

    def tell(self, row_id: str, said: tuple[str, int]) -> str:
        """A summary is durable. A problem, or nothing."""
        known = row_id in self._summaries
        before = self._summaries.setdefault(row_id, said)
        if before != said:
            return f"{row_id} said {before}, and now {said}"
        if not known:
            key = row_id[:12], said[0]
            self.rows[key] = self.rows.get(key, 0) + said[1]
        return ""

    def drop(self, row_id: str, severity: str) -> str:
        """A row was settled though it is durable nowhere. A problem, or nothing."""
        key = row_id[:12], severity
        gone = self.shed.setdefault(key, set())
        gone.add(row_id)
        told = self.rows.get(key, 0)
        if len(gone) <= told:
            return ""
        return f"{len(gone)} rows {severity} were dropped, {told} are announced: {row_id}"

    def dropped(self, row_id: str, severity: str) -> bool:
        return row_id in self.shed.get((row_id[:12], severity), ())

    def exact(self) -> Iterable[str]:
        """Problems, where nothing was read by two processes."""
        for key, told in self.rows.items():
            if told != (gone := len(self.shed.get(key, ()))):
                yield f"{told} rows of {key} are announced, but {gone} were dropped"
