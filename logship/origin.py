"""Origins: what logs there are, where their bytes lie, and what is known about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from logship.rows.address import origin_digest
from logship.rows.index import Cutting


@dataclass(frozen=True, slots=True)
class Labels:
    """What is known about an origin. Immutable: a change makes a new one.

    `values` has `source`, and as far as they apply `cluster`, `namespace`, `pod`, `uid`,
    `container`, `restart`, `node`, `path`; metadata of the pod under `label:KEY` and
    `annotation:KEY`.
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


@dataclass(frozen=True, slots=True)
class LogFile:
    """Where an origin's bytes lie on disk: the live file and the names it is rotated to."""

    directory: str
    name: str
    """Of the live file; rotated ones are `name.<anything>`, compressed ones end in `.gz`."""
    cutting: Cutting = field(default_factory=Cutting)
    roots: tuple[str, ...] = ()
    """Where links may lead; links elsewhere are refused."""
    rotated: bool = True
    """Whether files named `name.<anything>` belong to this log."""


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
