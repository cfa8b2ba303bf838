"""What two configurations differ in. Pure.

Refused is what an agent cannot change while it runs: options of the whole agent that are part of
every row's identity, of where positions are, or of sockets. An option that nobody has taught to
change is refused too, so that none is ignored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from logship.config import AdminConfig, Config
from logship.outcome import ConfigError

_APPLIED = {
    "sources", "routes", "sinks", "memory", "held", "drain_timeout_secs", "log_level",
    "dead_letters", "admin",
}  # fmt: skip
_APPLIED_OF_ADMIN = {"reload"}


def refusals(before: Config, after: Config) -> list[ConfigError]:
    """Options that differ and cannot be changed without a restart."""
    found = [*_differing(before, after, _APPLIED, "")]
    return [*found, *_differing(before.admin, after.admin, _APPLIED_OF_ADMIN, "admin.")]


def _differing(
    before: Config | AdminConfig, after: Config | AdminConfig, applied: set[str], path: str
) -> Iterator[ConfigError]:
    for field in msgspec.structs.fields(type(before)):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if field.name not in applied and old != new:
            name = field.encode_name
            reason = (
                f"`{name}` cannot be changed while the agent runs: restart it, or write what is in"
                f" force ({_shown(old)})"
            )
            yield ConfigError(f"{path}{name}", reason)


def _shown(value: object) -> str:
    return "not given" if value is None else f"`{value}`"


@dataclass(frozen=True, slots=True)
class Changes:
    """Of one kind of parts, by name."""

    changed: Sequence[str]
    new: Sequence[str]
    removed: Sequence[str]
    same: int

    def __str__(self) -> str:
        parts = [
            f"{what} {', '.join(names)}"
            for what, names in (("changed", self.changed), ("new", self.new),
                                ("removed", self.removed))
            if names
        ]  # fmt: skip
        return "; ".join([*parts, f"{self.same} as before"])


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> Changes:
    """Between parts by name; parts that are equal are the same."""
    both = [name for name in after if name in before]
    changed = [name for name in both if before[name] != after[name]]
    return Changes(
        changed,
        [name for name in after if name not in before],
        [name for name in before if name not in after],
        len(both) - len(changed),
    )


def summary(before: Config, after: Config) -> str:
    """One line for the log."""
    routes = changes({r.name: r for r in before.routes}, {r.name: r for r in after.routes})
    sources = changes(before.sources, after.sources)
    sinks = changes(before.sinks, after.sinks)
    order = [r.name for r in before.routes if r.name in {x.name for x in after.routes}]
    moved = order != [r.name for r in after.routes if r.name in set(order)]
    text = f"sources: {sources}. routes: {routes}{'; in another order' * moved}. sinks: {sinks}"
    return text
