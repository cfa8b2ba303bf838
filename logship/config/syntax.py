"""YAML's syntax errors, said for people who do not know YAML's grammar.

PyYAML names the token it stumbled over, mostly not the cause. The table maps what it says to what
people usually did; anything else is shown as PyYAML says it.
"""

import yaml

from logship.config.problems import Mark, Report

_NEEDS_QUOTES = "a value that begins with `{}` needs quotes, as in '{}'"

# part of PyYAML's problem or context -> message, hint, whether the context's place is the cause
_KNOWN: tuple[tuple[str, str, str, bool], ...] = (
    ("expected a single document", "the file holds more than one document",
     "delete the `---` line; one file holds one configuration", False),
    ("character '\\t'", "a tab cannot be used here",
     "indent with spaces", False),
    ("character '@'", _NEEDS_QUOTES.format("@", "@value"), "", False),
    ("character '`'", _NEEDS_QUOTES.format("`", "`value`"), "", False),
    ("character '%'", _NEEDS_QUOTES.format("%", "%value"), "", False),
    ("while scanning an alias", _NEEDS_QUOTES.format("*", "*-system"),
     "without quotes, `*` begins an alias of YAML", False),
    ("found undefined alias", _NEEDS_QUOTES.format("*", "*-system"),
     "without quotes, `*` begins an alias of YAML, and there is no anchor of this name", False),
    ("found duplicate anchor", "the anchor is given twice", "rename one of them", False),
    ("while scanning an anchor", _NEEDS_QUOTES.format("&", "&value"), "", False),
    ("while scanning a quoted scalar", "the quote that opens here is never closed",
     "close it; inside '...' write '' for a quote, inside \"...\" write \\\"", True),
    ("while scanning a double-quoted scalar", "an escape inside \"...\" is not valid",
     "use '...' for patterns and paths: there a backslash is only a backslash", False),
    ("while parsing a flow sequence", "the list that opens here with `[` is not well formed",
     "separate its items with commas and close it with `]`", True),
    ("while parsing a flow mapping", "the mapping that opens here with `{` is not well formed",
     "write `{key: value, key: value}`; a text that begins with `{` needs quotes", True),
    ("mapping values are not allowed here", "a `:` is not expected here",
     "text that contains `: ` needs quotes; otherwise check the indentation of this line", False),
    ("could not find expected ':'", "a `:` is missing after a key",
     "write `key: value`, with a space after the colon", True),
    ("expected '<document start>'", "what stands above this line is no mapping",
     "write `key: value`, one in a line (an unfilled `{{ template }}`?)", False),
    ("but found '<scalar>'", "this text belongs to nothing",
     "nothing may follow a closed quote in its line; otherwise check the indentation", False),
    ("while parsing a block mapping", "this line does not fit the lines above it",
     "keys of one mapping begin in the same column", False),
    ("while parsing a block collection", "this line does not fit the list above it",
     "the items of one list begin with `- ` in the same column", False),
    ("sequence entries are not allowed here", "a list item `- ` is not expected here",
     "begin the list in a line of its own", False),
)  # fmt: skip


def report_yaml_error(error: yaml.YAMLError, text: str, report: Report) -> None:
    if isinstance(error, yaml.MarkedYAMLError):
        _report_marked(error, text, report)
        return
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        column = len(before) - (before.rfind("\n") + 1) + 1
        code = ord(error.character) if isinstance(error.character, str) else error.character
        mark = Mark(before.count("\n") + 1, column)
        report.error(mark, "", f"the character U+{code:04X} is not allowed in YAML", "delete it")
        return
    report.error(Mark(1, 1), "", "this is not valid YAML")


def _variable_before(error: yaml.MarkedYAMLError, text: str) -> bool:
    """Whether the parser stumbled over the `{` of `${`, which inside braces opens a mapping."""
    at = error.problem_mark
    line = text.split("\n")[at.line : at.line + 1] if at is not None else []
    return bool(at and line and line[0][max(0, at.column - 1) : at.column + 1] == "${")


def report_value_error(text: str, report: Report) -> None:
    """PyYAML does not say where an escape or directive with an absurd number stands."""
    lines = text.splitlines()
    suspects = (i for i, line in enumerate(lines, 1) if "\\" in line or line.startswith("%"))
    message = "an escape or a directive holds a number out of range"
    report.error(Mark(next(suspects, 1), 1), "", message, "use '...' in place of \"...\"")


def _report_marked(error: yaml.MarkedYAMLError, text: str, report: Report) -> None:
    said = f"{error.context or ''} {error.problem or ''}"
    if "flow" in said and error.problem_mark is not None and _variable_before(error, text):
        place = Mark(error.problem_mark.line + 1, max(1, error.problem_mark.column))
        message = "`${NAME}` between `{` and `}` or `[` and `]` needs quotes, as in '${NAME}'"
        report.error(place, "", message)
        return
    known = next((entry for entry in _KNOWN if entry[0] in said), None)
    _, message, hint, at_context = known or ("", f"not valid YAML: {said.strip()}", "", False)
    at = error.context_mark if at_context and error.context_mark else error.problem_mark
    at = at or error.context_mark
    mark = Mark(at.line + 1, at.column + 1) if at is not None else Mark(1, 1)
    report.error(mark, "", message, hint)
