"""`${NAME}` in values.

Substitution happens in scalars after YAML is parsed, so a variable's value can never become
structure: it is text, or the number or boolean that the option asks for, and nothing more. Keys
are not substituted.

    ${NAME}            the variable's value; it is an error if NAME is not set
    ${NAME:-default}   `default` if NAME is not set or empty (it ends at the first `}`)
    $$                 a dollar sign, so $${NAME} is the text ${NAME}
    $                  before anything else: itself
"""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from logship.config.document import Entry, Items, Node, Scalar, Table, is_unicode, join_path
from logship.config.problems import Report, advise, suggest

_DOLLAR = re.compile(r"\$(?:(\$)|\{([^}]*)(\}?))")
_REFERENCE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


class Substitution:
    def __init__(self, env: Mapping[str, str], report: Report) -> None:
        self._env = env
        self._report = report

    def tree(self, node: Node, path: str = "") -> Node:
        if isinstance(node, Scalar):
            return self._scalar(node, path)
        if isinstance(node, Items):
            children = enumerate(node.items)
            return replace(node, items=tuple(self.tree(c, f"{path}[{i}]") for i, c in children))
        return self.table(node, path)

    def table(self, node: Table, path: str = "") -> Table:
        entries = (Entry(e.key, self.tree(e.value, join_path(path, e.key.text)))
                   for e in node.entries)  # fmt: skip
        return Table(tuple(entries), node.mark)

    def _scalar(self, node: Scalar, path: str) -> Scalar:
        if "$" not in node.text:
            return node
        used: list[str | None] = []

        def value(found: re.Match[str]) -> str:
            if found[1]:
                return "$"
            used.append(self._value(node, path, found))
            return used[-1] or ""

        text = _DOLLAR.sub(value, node.text)
        return replace(node, text=text, substituted=bool(used), unresolved=None in used)

    def _value(self, node: Scalar, path: str, found: re.Match[str]) -> str | None:
        """None: there is none, and it was reported."""
        reference = _REFERENCE.fullmatch(found[2])
        if reference is None or not found[3]:
            self._report.error(
                node.mark,
                path,
                f"`{found[0]}` is not a reference to a variable",
                "write ${NAME} or ${NAME:-default}; for the text itself write $${",
            )
            return None
        name, default = reference[1], reference[2]
        value = self._env.get(name)
        if value and not is_unicode(value):
            self._report.error(node.mark, path, f"the value of the variable `{name}` is not UTF-8")
            return None
        if value:
            self._report.secrets[value] = name
            return value
        if default is not None:
            return default
        if value is None:
            self._missing(node, path, name)
            return None
        return ""

    def _missing(self, node: Scalar, path: str, name: str) -> None:
        self._report.error(
            node.mark,
            path,
            f"the environment variable `{name}` is not set",
            advise(suggest(name, self._env), f"set it, or give a default: ${{{name}:-default}}"),
        )
