"""Which sources, transforms and sinks are installed, by their type names.

Plugins are found by the entry points of installed packages, in the groups `logship.sources`,
`logship.transforms` and `logship.sinks`. Finding one reads only names; a plugin's module is
imported when a configuration uses its type, so that the agent never pays for Google's clients or
Arrow unless it needs them. Everything that can be wrong with a plugin ends in `Unavailable`.
"""

import importlib.metadata
import re
from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import msgspec

from logship.api import Component, Sink, Source, Transform

Kind: TypeAlias = Literal["source", "transform", "sink"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_GROUPS: dict[Kind, str] = {
    "source": "logship.sources",
    "transform": "logship.transforms",
    "sink": "logship.sinks",
}
_BASES: dict[Kind, type[Component]] = {"source": Source, "transform": Transform, "sink": Sink}

# Extras for people who build or test logship; never what an operator has to install.
_NOT_FOR_OPERATORS = frozenset({"dev", "sandbox"})


class UnknownType(Exception):
    """No installed package offers this type."""


class Unavailable(Exception):
    """The type is installed but cannot be used; `hint` says what to do."""

    def __init__(self, reason: str, hint: str = "") -> None:
        self.reason = reason
        self.hint = hint
        super().__init__(reason)


class PluginSummary(msgspec.Struct, frozen=True):
    """One line of `logship plugins`; `problem` is empty for a plugin that can be used."""

    kind: Kind
    name: str
    package: str
    summary: str
    problem: str = ""


class _Entry(msgspec.Struct, frozen=True):
    package: str
    load: Callable[[], object]


class Registry:
    def __init__(self) -> None:
        self._entries: dict[tuple[Kind, str], _Entry] = {}

    @classmethod
    def installed(cls) -> "Registry":
        registry = cls()
        for kind, group in _GROUPS.items():
            for point in importlib.metadata.entry_points(group=group):
                registry._put(kind, point.name, _from_entry_point(point))
        return registry

    def add(self, name: str, component: type[Component]) -> None:
        """Registers a class directly: for tests and programs that embed the engine."""
        kind = next(kind for kind, base in _BASES.items() if issubclass(component, base))
        self._put(kind, name, _Entry(component.__module__, lambda: component))

    def names(self, kind: Kind) -> tuple[str, ...]:
        return tuple(sorted(name for k, name in self._entries if k == kind))

    def find(self, kind: Kind, name: str) -> type[Component]:
        """The component's class; imports its module. Raises UnknownType, Unavailable."""
        entry = self._entries.get((kind, name))
        if entry is None:
            raise UnknownType(name)
        component = entry.load()
        base = _BASES[kind]
        if not (isinstance(component, type) and issubclass(component, base)):
            raise Unavailable(f"{entry.package} offers {name!r}, which is not a {kind}")
        options = getattr(component, "config", None)
        if not (isinstance(options, type) and issubclass(options, msgspec.Struct)):
            raise Unavailable(f"{kind} {name!r} of {entry.package} has no class of options")
        return component

    def summaries(self) -> tuple[PluginSummary, ...]:
        """Imports every installed plugin."""
        pairs = [(kind, name) for kind in KINDS for name in self.names(kind)]
        return tuple(self._summary(kind, name) for kind, name in pairs)

    def _summary(self, kind: Kind, name: str) -> PluginSummary:
        package = self._entries[kind, name].package
        try:
            component = self.find(kind, name)
        except Unavailable as error:
            problem = f"{error.reason}; {error.hint}" if error.hint else error.reason
            return PluginSummary(kind, name, package, "", problem)
        return PluginSummary(kind, name, package, summary_of(component))

    def _put(self, kind: Kind, name: str, entry: _Entry) -> None:
        first = self._entries.get((kind, name))
        self._entries[kind, name] = _contested(kind, name, first, entry) if first else entry


def summary_of(component: type[Component]) -> str:
    """The first line of the class's docstring."""
    lines = (component.__doc__ or "").strip().splitlines()
    return lines[0] if lines else ""


def _contested(kind: Kind, name: str, first: _Entry, second: _Entry) -> _Entry:
    both = f"{first.package} and {second.package}"

    def load() -> object:
        raise Unavailable(f"{both} both offer the {kind} {name!r}", "uninstall one of them")

    return _Entry(both, load)


def _from_entry_point(point: importlib.metadata.EntryPoint) -> _Entry:
    package = point.dist.name if point.dist is not None else point.value

    def load() -> object:
        try:
            return point.load()
        except ModuleNotFoundError as error:
            raise _missing(error.name or "", point.dist) from error
        except Exception as error:  # a plugin's module may fail in any way while it is imported
            reason = f"{package} cannot be imported: {type(error).__name__}: {error}"
            raise Unavailable(reason, f"reinstall {package}") from error

    return _Entry(package, load)


def _missing(module: str, dist: importlib.metadata.Distribution | None) -> Unavailable:
    reason = f"the Python module {module} is missing"
    if dist is None:
        return Unavailable(reason)
    extra = _extra_with(module, dist.requires or [])
    if extra is None:
        return Unavailable(f"{dist.name} cannot be imported: {reason}", f"reinstall {dist.name}")
    target = f"{dist.name}[{extra}]"
    return Unavailable(f"needs the packages of {target}: {reason}", f"pip install '{target}'")


def _extra_with(module: str, requires: list[str]) -> str | None:
    """The extra whose packages look like the module: google.cloud.x is in google-cloud-x."""
    wanted = re.sub(r"[._]+", "-", module)
    for requirement in requires:
        found = re.match(r"([\w.-]+).*;.*\bextra\s*==\s*['\"]([\w.-]+)['\"]", requirement)
        if found is None or found[2] in _NOT_FOR_OPERATORS:
            continue
        offered = re.sub(r"[._]+", "-", found[1].lower())
        if f"{offered}-".startswith(f"{wanted}-") or f"{wanted}-".startswith(f"{offered}-"):
            return found[2]
    return None
