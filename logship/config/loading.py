"""The way from text to Config: read, substitute, convert, check; all problems at the end.

The text, the environment and the installed plugins are passed in; nothing here touches a file.
"""

from collections.abc import Iterator, Mapping

import msgspec

from logship.config.conversion import Conversion
from logship.config.crosschecks import check_references, warn_doubtful
from logship.config.document import Items, Node, Table, join_path, read
from logship.config.environment import Substitution
from logship.config.problems import ConfigErrors, Mark, Problem, Report
from logship.config.schema import Config
from logship.registry import Registry


class Examined(msgspec.Struct, frozen=True):
    """`config` is None if one of the problems is an error; the others are warnings."""

    config: Config | None
    problems: tuple[Problem, ...]


def load(text: str, *, file: str, env: Mapping[str, str], registry: Registry) -> Config:
    """The configuration; raises ConfigErrors. `file` is only named in messages."""
    examined = examine(text, file=file, env=env, registry=registry)
    if examined.config is None:
        raise ConfigErrors(examined.problems)
    return examined.config


def problem_at(text: str, *, file: str, env: Mapping[str, str], path: str, reason: str) -> Problem:
    """A problem found after loading, by a component when it was built, at its place in the file.

    `path` is from the top, as in `sinks.gcl.project`; if the file has no such option, the problem
    stands at the nearest part around it. Values from `env` in `reason` are hidden.
    """
    report = Report(file, text)
    written = read(text, report)
    if written is None:
        return report.problems[0]
    found_at = dict(places(Substitution(env, report).table(written), ""))
    near = path
    while near not in found_at:
        near = near[: max(near.rfind("."), near.rfind("["), 0)]
    found = Report(file, text)
    found.secrets = report.secrets
    found.foreign(found_at[near], path, reason)
    return found.problems[0]


def places(node: Node, path: str) -> Iterator[tuple[str, Mark]]:
    """Where every part of the tree stands."""
    yield path, node.mark
    if isinstance(node, Items):
        for index, item in enumerate(node.items):
            yield from places(item, f"{path}[{index}]")
    if isinstance(node, Table):
        for entry in node.entries:
            yield from places(entry.value, join_path(path, entry.key.text))


def examine(text: str, *, file: str, env: Mapping[str, str], registry: Registry) -> Examined:
    """The configuration with its warnings, or every problem it has; never raises."""
    report = Report(file, text)
    written = read(text, report)
    if written is None:
        return Examined(None, report.problems)
    tree = Substitution(env, report).table(written)
    config = Conversion(registry, report).struct(tree, Config, "")
    check_references(tree, report)
    if report.failed or not isinstance(config, Config):
        return Examined(None, report.problems)
    warn_doubtful(config, tree, report)
    return Examined(config, report.problems)
