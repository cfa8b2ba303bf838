"""Origins: what logs there are, where their bytes lie, and what is known about them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from logship.rows.address import origin_digest
from logship.rows.index import Cutting


@dataclass(frozen=True, slots=True)
class Labels:
    """What is known about an origin. Immutable: a change makes a new one.

    `values` has `source`, and as far as they apply `cluster`, `namespace`, `pod`, `uid`,
    `container`, `restart`, `node`, `path`; metadata of the pod under `owner_kind`, `owner_name`,
    `label:KEY` and `annotation:KEY`, of its namespace under `namespace_label:KEY`. `severity_keys`
    (with commas) are asked in place of a sink's own.
    """

    values: Mapping[str, str]
    known: bool = True
    """False as long as the pod's metadata has not arrived."""

    def get(self, key: str) -> str:
        """The value, or an empty text."""
        return self.values.get(key, "")

    def prefixed(self, prefix: str) -> dict[str, str]:
        """The metadata under a prefix such as `label:`, without the prefix."""
        return {k[len(prefix) :]: v for k, v in self.values.items() if k.startswith(prefix)}


def is_metadata(key: str) -> bool:
    """Whether a label of this key may come later than the origin's first rows."""
    return ":" in key or key in ("owner_kind", "owner_name")


PROBLEMS = ("wrong_value", "unknown_name", "no_such_route", "route_does_not_match")
"""What can be wrong with an annotation."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in what metadata asks for. It is told, and has no other effect."""

    reason: Literal["wrong_value", "unknown_name", "no_such_route", "route_does_not_match"]
    annotation: str
    value: str
    advice: str
    """What was expected."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the metadata of an origin asks for. What is not asked for is as without it."""

    cutting: Cutting | None = None
    """None: as the source says."""
    exclude: bool = False
    """It is not to be read."""
    route: str = ""
    """The name of a route, or what some route's `match` wants to hear."""
    max_bytes_per_sec: float | None = None
    """Each route reads it at most so fast."""
    problems: tuple[Problem, ...] = ()


NO_WISH = Wish()


@dataclass(frozen=True, slots=True)
class Rotation:
    """What is kept of a log by whoever rotates it: the oldest file goes when one more is begun."""

    max_bytes: int
    """A file is rotated when it has grown to this size."""
    max_files: int
    """Files kept, with the live one."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """Where an origin's bytes lie on disk: the live file and the names it is rotated to."""

    directory: str
    name: str
    """Of the live file; compressed ones end in `.gz`."""
    cutting: Cutting = field(default_factory=Cutting)
    roots: tuple[str, ...] = ()
    """Where its files, and links to them, may lie; others are refused. Empty: links are refused."""
    rotated: str | None = None
    """A regex (fullmatch) of the names it is rotated to; empty: none; None: `name.<anything>`."""
    rotation: Rotation | None = None
    """None: not known; then nobody can say when unread bytes will be deleted."""
    wish: Callable[[Labels], Wish] | None = None
    """What its metadata asks for: it is not read before that is known, or late.

    How it is cut, and whether and by whom it is read, then holds for as long as the origin is
    followed. Never raises.
    """

    def owns(self, name: str) -> bool:
        """Whether a file of this name in `directory` is the live one or a rotated one."""
        if name.endswith(".tmp"):
            return False
        if name == self.name:
            return True
        if self.rotated is None:
            return name.startswith(f"{self.name}.")
        return re.fullmatch(self.rotated, name, re.DOTALL) is not None


@dataclass(slots=True)
class Origin:
    """One append-only log with a stable key."""

    key: str
    """Stable over restarts of the agent: `cluster/uid/container/restart`, or `node/path`."""
    labels: Labels
    digest: str = ""
    """12 hex digits of the key; the first part of every row's id."""

    def __post_init__(self) -> None:
        self.digest = self.digest or origin_digest(self.key)
