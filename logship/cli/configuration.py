"""Reads the configuration file of a command, and prints what is wrong with it.

The file may be a manifest of Kubernetes: then the configuration is in its ConfigMap.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from logship.config import Config, Report, examine, problem_at, render
from logship.config.manifest import KEY, find, is_manifest
from logship.outcome import ConfigError
from logship.registry import Registry

MAX_BYTES = 1024 * 1024


class Unreadable(Exception):
    """The message names the file and what to do."""


@dataclass(frozen=True)
class Written:
    """A configuration and the text it came from."""

    file: str
    text: str
    config: Config
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)
    place: str = ""
    """Where in the file it is; empty: it is the whole file."""

    def explain(self, *errors: ConfigError) -> None:
        """Print problems that components found, at their places in the file."""
        problems = [
            problem_at(
                self.text, file=self.file, env=self.env, path=error.path, reason=error.reason
            )
            for error in errors
        ]
        print(render(problems), file=sys.stderr)


def text_of(file: str) -> str:
    """Raises Unreadable."""
    try:
        with Path(file).open("rb") as opened:
            return opened.read(MAX_BYTES + 1).decode()
    except OSError as error:
        raise Unreadable(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise Unreadable(f"{file}: not UTF-8 at byte {error.start}: save it as UTF-8") from None


def read(file: str, more: Mapping[str, str] | None = None, *, only_looks: bool = False) -> (
    Written | None
):  # fmt: skip
    """The configuration; None after everything wrong with it was printed.

    `more`: variables beside those of the environment, and before them. `only_looks`: nothing will
    run, so in a manifest the variables that its containers are given stand for themselves.
    """
    try:
        text = text_of(file)
    except Unreadable as error:
        print(error, file=sys.stderr)
        return None
    env, place = {**os.environ, **(more or {})}, ""
    if is_manifest(text):
        report = Report(file, text)
        found = find(text, report)
        if found is None:
            print(render(report.problems), file=sys.stderr)
            return None
        text, place = found.text, f"{KEY} of the ConfigMap {found.name}"
        env = {**(found.env if only_looks else {}), **env}
    examined = examine(text, file=file, env=env, registry=Registry.installed())
    if examined.problems:
        print(render(examined.problems), file=sys.stderr)
    config = examined.config
    return None if config is None else Written(file, text, config, env, place)
