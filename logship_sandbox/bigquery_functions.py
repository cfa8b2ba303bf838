"""Where sqlglot's DuckDB is not what BigQuery means: the tree is put right before it is written.

Each rule takes one node of the BigQuery tree and gives the node that says the same to DuckDB.
Everything else is left to sqlglot; what it cannot write is refused by it, and a function that
nobody knows is refused by DuckDB.
"""

import re
from collections.abc import Callable, Mapping

from sqlglot import exp

from logship_sandbox.bigquery_errors import unsupported

Rule = Callable[[exp.Expr], exp.Expr]
# DuckDB's format codes for the ones BigQuery adds to strftime's.
_FORMAT_CODES = {"%E3S": "%S.%g", "%E6S": "%S.%f", "%E*S": "%S.%f", "%E4Y": "%Y", "%F": "%Y-%m-%d",
                 "%T": "%H:%M:%S", "%R": "%H:%M", "%D": "%m/%d/%y", "%e": "%-d",
                 "%k": "%-H"}  # fmt: skip


def rewrite_functions(tree: exp.Expr) -> exp.Expr:
    """The tree with every rule applied, inside out."""
    for node in reversed(list(tree.walk(bfs=True))):
        rule = _RULES.get(type(node))
        if isinstance(node, exp.Anonymous) and str(node.this).upper() == "TIMESTAMP_BUCKET":
            rule = _bucket
        if rule is None:
            continue
        new = rule(node)
        if node is tree:
            tree = new
        elif new is not node:
            node.replace(new)
    return tree


def _as(kind: str) -> Rule:
    return lambda node: exp.cast(node.copy(), kind, dialect="duckdb", copy=False)


def _number(node: exp.Expr) -> exp.Expr:
    """1.5 is a FLOAT64 in BigQuery and a DECIMAL in DuckDB."""
    fraction = isinstance(node, exp.Literal) and not node.is_string and not node.name.isdigit()
    return _as("DOUBLE")(node) if fraction and "." in node.name else node


def _extract(node: exp.Expr) -> exp.Expr:
    part = node.this.name.upper()
    if part == "DATE":
        return exp.cast(node.expression.copy(), "DATE")
    if part == "DAYOFWEEK":  # Sunday is 1 in BigQuery, 0 in DuckDB
        return exp.paren(exp.Add(this=node.copy(), expression=exp.Literal.number(1)))
    return node


def _time_format(node: exp.Expr) -> exp.Expr:
    """FORMAT_TIMESTAMP: %E3S and the like are BigQuery's own."""
    given = node.args.get("format")
    if not isinstance(given, exp.Literal):
        return node
    text = re.sub(r"%(E\d?\*?[SY]|[FTRDek])", lambda m: _FORMAT_CODES.get(m[0], m[0]), given.name)
    if "%E" in text:
        raise unsupported(f"the format {given.name!r}")
    given.replace(exp.Literal.string(text))
    return node


def _printf(node: exp.Expr) -> exp.Expr:
    arguments = [node.this, *node.expressions]
    return exp.Anonymous(this="printf", expressions=[a.copy() for a in arguments])


def _json_text(node: exp.Expr) -> exp.Expr:
    """A JSON value as text: a string without its quotes."""
    value = exp.Anonymous(this="to_json", expressions=[_first(node).copy()])
    path = exp.Literal.string("$")
    return exp.Anonymous(this="json_extract_string", expressions=[value, path])


def _first(node: exp.Expr) -> exp.Expr:
    found = node.this if isinstance(node.this, exp.Expr) else None
    argument = found or next(iter(node.expressions), None)
    if argument is None:
        raise unsupported(node.sql("bigquery"))
    return argument


def _json_scalar(kind: str, lax: bool) -> Rule:
    cast = exp.TryCast if lax else exp.Cast
    target = exp.DataType.build(kind, dialect="duckdb")
    return lambda node: cast(this=_json_text(node), to=target.copy())


def _bucket(node: exp.Expr) -> exp.Expr:
    """TIMESTAMP_BUCKET; equal to BigQuery's for widths that divide a day."""
    if len(node.expressions) != 2:
        raise unsupported("TIMESTAMP_BUCKET with an origin")
    ts, width = (e.copy() for e in node.expressions)
    return exp.Anonymous(this="time_bucket", expressions=[width, ts])


def _refused(what: str) -> Rule:
    def refuse(node: exp.Expr) -> exp.Expr:
        raise unsupported(what)

    return refuse


_RULES: Mapping[type[exp.Expr], Rule] = {
    exp.Literal: _number,
    exp.UnixToTime: _as("TIMESTAMPTZ"),
    exp.StrToTime: _as("TIMESTAMPTZ"),
    exp.ParseTime: _as("TIMESTAMPTZ"),
    exp.DateAdd: _as("DATE"),
    exp.DateSub: _as("DATE"),
    exp.DateTrunc: _as("DATE"),
    exp.Extract: _extract,
    exp.TimeToStr: _time_format,
    exp.Format: _printf,
    exp.JSONBool: _json_scalar("BOOLEAN", lax=False),
    exp.String: _json_text,
    exp.Int64: _json_scalar("BIGINT", lax=False),
    exp.Float64: _json_scalar("DOUBLE", lax=False),
    exp.LaxBool: _json_scalar("BOOLEAN", lax=True),
    exp.LaxInt64: _json_scalar("BIGINT", lax=True),
    exp.LaxFloat64: _json_scalar("DOUBLE", lax=True),
    exp.LaxString: _json_text,
    exp.SafeFunc: _refused("SAFE. functions"),
    exp.NetFunc: _refused("NET. functions"),
}
