"""Regular expressions that people write in the configuration.

They are compiled when the configuration is read; a wrong one says where. Python's engine
backtracks: a pattern such as `(\\w+\\s?)+$` can take time exponential in the length of a text, and
nothing can stop it once it runs. We refuse the plainest such form, a repetition that is all a
repeated group holds, and leave the rest to whoever writes them: possessive quantifiers (`\\w++`)
and atomic groups (`(?>...)`) never backtrack.
"""

import re

from logship.api import ConfigError

_REPEATED_REPETITION = re.compile(
    r"(?<!\\)\((?:\?:|\?P<\w+>)?(?:\\?[^()\\]|\[[^\]]+\])(?:[+*]|\{\d*,\})\??\)(?:[+*]|\{\d*,\})(?!\+)"
)


def compiled(pattern: str, path: str) -> re.Pattern[str]:
    """Raises ConfigError at `path` that shows what is wrong and where."""
    try:
        regex = re.compile(pattern)
    except re.error as error:
        raise ConfigError(path, f"not a regular expression: {_pointed(pattern, error)}") from None
    except (RecursionError, OverflowError):
        raise ConfigError(path, f"the regular expression is too large: {pattern!r}") from None
    if (nested := _REPEATED_REPETITION.search(pattern)) is not None:
        raise ConfigError(
            path,
            f"`{nested[0]}` repeats a repetition, which can take exponential time: "
            "repeat it once, or write the inner one with `++`",
        )
    return regex


def _pointed(pattern: str, error: re.error) -> str:
    if error.pos is None:
        return f"{error.msg}, in `{pattern}`"
    before, after = pattern[: error.pos], pattern[error.pos :]
    return f"{error.msg}, at character {error.pos + 1}, after `{before}` and before `{after}`"
