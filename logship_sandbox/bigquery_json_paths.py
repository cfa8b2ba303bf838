"""payload.user.id and payload['items'][0] on a JSON column, as one JSON path.

The parser cannot know JSON columns, and takes `payload.user` for a column of a table `payload`. A
chain is one of JSON access when its first name (after a table's alias) is a JSON column of a table
that the query reads, and is not the alias of one.
"""

from collections.abc import Sequence

from sqlglot import exp

from logship_sandbox.bigquery_errors import unsupported
from logship_sandbox.bigquery_resources import Table


def rewrite_json_access(tree: exp.Expr, tables: Sequence[Table]) -> exp.Expr:
    """The tree with json_extract(column, path) for every chain."""
    columns = {f.name.lower() for t in tables for f in t.fields if f.type == "JSON"}
    if not columns:
        return tree
    sources = {n.alias_or_name.lower() for n in tree.find_all(exp.Table, exp.Subquery, exp.CTE)}
    for column in list(tree.find_all(exp.Column)):
        parts = [part.name for part in column.parts]
        first = 1 if len(parts) > 1 and parts[0].lower() in sources else 0
        if parts[first].lower() not in columns:
            continue
        top, path = _chain(column, parts[first + 1 :])
        if path:
            base = exp.column(parts[first], table=parts[0] if first else None)
            literal = exp.Literal.string("$" + "".join(path))
            access = exp.Anonymous(this="json_extract", expressions=[base, literal])
            top.replace(named_as_before(top, access))
    return tree


def named_as_before(old: exp.Expr, new: exp.Expr) -> exp.Expr:
    """`new` for `old`; as an item of a SELECT it keeps the name that the result column had."""
    selected = isinstance(old.parent, exp.Select) and old.arg_key == "expressions"
    return exp.alias_(new, old.name, quoted=True) if selected else new


def _chain(column: exp.Column, names: Sequence[str]) -> tuple[exp.Expr, list[str]]:
    """The topmost node of the chain, and its steps as pieces of a path."""
    path = [_member(name) for name in names]
    top: exp.Expr = column
    while isinstance(top.parent, (exp.Dot, exp.Bracket)) and top.parent.this is top:
        top = top.parent
        key = top.expression if isinstance(top, exp.Dot) else top.expressions[0]
        if isinstance(key, exp.Literal) and not key.is_string:
            path.append(f"[{int(key.name)}]")
        elif isinstance(key, (exp.Literal, exp.Identifier)):
            path.append(_member(key.name))
        else:
            raise unsupported(f"a JSON subscript that is not a literal: {top.sql('bigquery')}")
    return top, path


def _member(name: str) -> str:
    if '"' in name or "\\" in name:
        raise unsupported(f"the JSON field name {name!r}")
    return f'."{name}"'
