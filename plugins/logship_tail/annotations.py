"""What a pod's annotations ask for: `logship/NAME`, for one container `CONTAINER.logship/NAME`.

They are what a pod's owner wrote: one that is wrong is a problem that is told (by the engine, which
also knows whether there is a route of that name) and otherwise has no effect, since it must never
keep a log from being shipped. A name that is nearly one of ours is taken for a slip; other names
below `logship/` are the user's own, for `match` and templates. Pure.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from logship.api import Cutting, Labels, Problem, Wish, parse_size
from logship_tail.multiline import parse_annotation as parse_joins

PREFIX = "logship/"
_WORDS = ("exclude", "route", "format", "multiline", "limit", "severity_keys")
NAMES = tuple(PREFIX + word for word in _WORDS)
EXCLUDE, ROUTE, FORMAT, MULTILINE, LIMIT, SEVERITY_KEYS = NAMES
FORMATS = ("auto", "cri", "docker")
MIN_LIMIT = 1024
MAX_KEYS = 8
MAX_KEY_CHARS = 128
_LIKE = 0.8
"""How near a name must be to be a slip (difflib's ratio)."""

T = TypeVar("T")


def wish_of(labels: Labels, cutting: Cutting) -> Wish:
    """What the annotations in the labels ask for; `cutting` is what holds without them."""
    asked = _Asked(labels)
    format = asked.value(FORMAT, _format, "auto")
    cutting = cutting if format == "auto" else replace(cutting, format=format)
    joins = asked.value(MULTILINE, lambda text: parse_joins(text, cutting.joins), cutting.joins)
    asked.value(SEVERITY_KEYS, _severity_keys, "")  # its value is a label
    return Wish(
        cutting=cutting if joins == cutting.joins else replace(cutting, joins=joins),
        exclude=asked.value(EXCLUDE, _exclude, False),
        route=labels.get(f"annotation:{ROUTE}").strip(),
        max_bytes_per_sec=asked.value(LIMIT, _limit, None),
        problems=(*asked.problems, *_slips(labels)),
    )


@dataclass(slots=True)
class _Asked:
    labels: Labels
    problems: list[Problem] = field(default_factory=list)

    def value(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """What the annotation says; the default where it says nothing, or nothing that is right."""
        text = self.labels.values.get(f"annotation:{name}")
        if text is None:
            return default
        try:
            return parse(text.strip())
        except ValueError as error:
            name = as_written(name, self.labels)
            self.problems.append(Problem("wrong_value", name, text, str(error)))
            return default


def as_written(name: str, labels: Labels) -> str:
    """The name of an annotation that holds: the container's own goes before the pod's."""
    own = f"{labels.get('container')}.{name}"
    return own if f"annotation:{own}" in labels.values else name


def _exclude(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("expected true or false")
    return text.lower() == "true"


def _format(text: str) -> str:
    if text not in FORMATS:
        raise ValueError("expected cri, docker or auto")
    return text


def _limit(text: str) -> float | None:
    try:
        size = parse_size(text.removesuffix("/s"))
    except ValueError as error:
        raise ValueError(f"expected bytes per second such as 100KiB: {error}") from None
    if size < MIN_LIMIT:
        raise ValueError(f"expected at least {MIN_LIMIT} bytes per second, such as 100KiB")
    return float(size)


def _severity_keys(text: str) -> str:
    keys = [key.strip() for key in text.split(",")]
    if not all(keys) or len(keys) > MAX_KEYS or max(map(len, keys)) > MAX_KEY_CHARS:
        raise ValueError(
            f"expected keys with commas between them, such as severity,level: at most {MAX_KEYS}, "
            f"of at most {MAX_KEY_CHARS} characters"
        )
    return ",".join(keys)


def severity_keys(text: str) -> str:
    """The keys as the label `severity_keys` has them; empty where they say nothing."""
    try:
        return _severity_keys(text)
    except ValueError:
        return ""


def _slips(labels: Labels) -> list[Problem]:
    found = []
    for name, text in labels.prefixed("annotation:").items():
        if not name.startswith(PREFIX) or name in NAMES:
            continue
        word = name.removeprefix(PREFIX).replace("-", "_").lower()
        if near := difflib.get_close_matches(word, _WORDS, 1, _LIKE):
            advice = f"did you mean {PREFIX}{near[0]}?"
            found.append(Problem("unknown_name", as_written(name, labels), text, advice))
    return found
