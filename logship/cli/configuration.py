"""Reads the configuration file of a command, and prints what is wrong with it."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from logship.config import Config, examine, problem_at, render
from logship.outcome import ConfigError
from logship.registry import Registry

MAX_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Written:
    """A configuration and the text it came from."""

    file: str
    text: str
    config: Config

    def explain(self, *errors: ConfigError) -> None:
        """Print problems that components found, at their places in the file."""
        problems = [
            problem_at(
                self.text, file=self.file, env=os.environ, path=error.path, reason=error.reason
            )
            for error in errors
        ]
        print(render(problems), file=sys.stderr)


def read(file: str) -> Written | None:
    """The configuration; None after everything wrong with it was printed."""
    try:
        with Path(file).open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
        text = content.decode()
    except OSError as error:
        print(f"{file}: cannot be read: {error.strerror}", file=sys.stderr)
        return None
    except UnicodeDecodeError as error:
        print(f"{file}: not UTF-8 at byte {error.start}: save it as UTF-8", file=sys.stderr)
        return None
    examined = examine(text, file=file, env=os.environ, registry=Registry.installed())
    if examined.problems:
        print(render(examined.problems), file=sys.stderr)
    return Written(file, text, examined.config) if examined.config is not None else None
