"""requirePartitionFilter: does a query filter the partition column of each table that wants it?

BigQuery asks for a predicate that prunes partitions: the column (or its date) compared with
something constant, in the WHERE of the SELECT that reads the table, or in one around it that may be
pushed down. Through a window function it may be pushed only when what it compares is in the
window's PARTITION BY, through GROUP BY only when it is a key, through LIMIT never.
https://cloud.google.com/bigquery/docs/querying-partitioned-tables

Where BigQuery's optimizer is cleverer than this, the sandbox refuses a query that BigQuery takes.
"""

from collections.abc import Iterable, Sequence

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from logship_sandbox.bigquery_errors import invalid_query
from logship_sandbox.bigquery_resources import Table

META = "table"  # where the translator leaves the Table of a table reference
# These keep the order of days, so a comparison of their result prunes.
_PRUNING = (
    exp.Date,
    exp.TsOrDsToDate,
    exp.Cast,
    exp.TimestampTrunc,
    exp.DateTrunc,
    exp.DatetimeTrunc,
    exp.Timestamp,
)
_COMPARED = (exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE)


def check_partition_filters(tree: exp.Expr) -> None:
    """ApiError invalidQuery, in BigQuery's words, for a table read without its filter."""
    root = build_scope(tree)
    if root is not None:
        _visit(root, [])


def _visit(scope: Scope, outer: Sequence[exp.Expr]) -> None:
    select = scope.expression
    if isinstance(select, exp.SetOperation):
        for branch in scope.set_operation_scopes:
            _visit(branch, outer)
        return
    if not isinstance(select, exp.Select):
        return
    filters = [*_filters(select), *_pushed_down(outer, select)]
    for name, (_, source) in scope.selected_sources.items():
        own = [_unqualified(f) for f in filters if _only_about(f, name)]
        if isinstance(source, Scope):
            _visit(source, own)
            continue
        _check_table(source.meta.get(META), own)
    for inner in scope.subquery_scopes:
        _visit(inner, [])


def _check_table(table: Table | None, filters: Iterable[exp.Expr]) -> None:
    if table is None or not table.needs_partition_filter:
        return
    column = table.partition_column or ""
    if any(_prunes(f, column) for f in filters):
        return
    raise invalid_query(
        f"Cannot query over table '{table.table_reference.sql_name}' without a filter over "
        f"column(s) '{column}' that can be used for partition elimination"
    )


def _filters(select: exp.Select) -> list[exp.Expr]:
    """The conjuncts of WHERE and of inner joins."""
    where = select.args.get("where")
    found = list(_conjuncts(where.this)) if where else []
    for join in select.args.get("joins") or []:
        if join.args.get("on") is not None and not join.side:
            found.extend(_conjuncts(join.args["on"]))
    return found


def _conjuncts(node: exp.Expr) -> list[exp.Expr]:
    node = node.unnest()
    if isinstance(node, exp.And):
        return [*_conjuncts(node.left), *_conjuncts(node.right)]
    return [node]


def _pushed_down(outer: Sequence[exp.Expr], select: exp.Select) -> list[exp.Expr]:
    """The filters of the query around `select` that hold inside it as well."""
    if select.args.get("limit") or select.args.get("offset"):
        return []
    projected = {p.alias_or_name.lower(): p.unalias() for p in select.selects}
    inside = []
    for condition in outer:
        moved = condition.copy().transform(_project, projected)
        if _may_pass(moved, select):
            inside.append(moved)
    return inside


def _project(node: exp.Expr, projected: dict[str, exp.Expr]) -> exp.Expr:
    if not isinstance(node, exp.Column):
        return node
    found = projected.get(node.name.lower(), node)
    return exp.Paren(this=found.copy()) if not isinstance(found, exp.Column) else found.copy()


def _may_pass(condition: exp.Expr, select: exp.Select) -> bool:
    subjects = {_text(subject) for subject in _subjects(condition)}
    if not subjects:
        return False
    keys = [w.args.get("partition_by") or [] for w in _windows(select)]
    group = select.args.get("group")
    if group:
        keys.append(_group_keys(group, select))
    return all(subjects <= {_text(key) for key in allowed} for allowed in keys)


def _windows(select: exp.Select) -> list[exp.Window]:
    parts = [*select.selects, *filter(None, [select.args.get("qualify")])]
    return [window for part in parts for window in part.find_all(exp.Window)]


def _group_keys(group: exp.Group, select: exp.Select) -> list[exp.Expr]:
    named = {p.alias_or_name.lower(): p.unalias() for p in select.selects}
    keys = []
    for key in group.expressions:
        if isinstance(key, exp.Literal) and not key.is_string:
            key = select.selects[int(key.name) - 1].unalias()
        elif isinstance(key, exp.Column):
            key = named.get(key.name.lower(), key)
        keys.append(key)
    return keys


def _subjects(condition: exp.Expr) -> list[exp.Expr]:
    """What a predicate compares with constants; empty when it is no such predicate."""
    condition = condition.unnest()
    if isinstance(condition, (exp.Or, exp.And)):
        left, right = _subjects(condition.left), _subjects(condition.right)
        if isinstance(condition, exp.Or) and not (left and right):
            return []
        return left + right
    if isinstance(condition, _COMPARED):
        if _constant(condition.right):
            return [condition.left.unnest()]
        return [condition.right.unnest()] if _constant(condition.left) else []
    if isinstance(condition, exp.Between):
        bounds = (condition.args["low"], condition.args["high"])
        return [condition.this.unnest()] if all(_constant(b) for b in bounds) else []
    if isinstance(condition, exp.In):
        plain = condition.args.get("query") is None and all(map(_constant, condition.expressions))
        return [condition.this.unnest()] if plain else []
    if isinstance(condition, exp.Is):
        return [condition.this.unnest()]
    if isinstance(condition, exp.Not) and isinstance(condition.this.unnest(), exp.Is):
        return _subjects(condition.this)
    return []


def _prunes(condition: exp.Expr, column: str) -> bool:
    """Whether the predicate limits the partitions: every arm of an OR must, one of an AND."""
    condition = condition.unnest()
    if isinstance(condition, exp.Or):
        return _prunes(condition.left, column) and _prunes(condition.right, column)
    if isinstance(condition, exp.And):
        return _prunes(condition.left, column) or _prunes(condition.right, column)
    return any(_is_partition(subject, column) for subject in _subjects(condition))


def _is_partition(node: exp.Expr, column: str) -> bool:
    while isinstance(node, (*_PRUNING, exp.Paren)):
        node = node.this
    return isinstance(node, exp.Column) and node.name.lower() == column.lower()


def _constant(node: exp.Expr) -> bool:
    return node.find(exp.Column, exp.Query) is None


def _only_about(condition: exp.Expr, source: str) -> bool:
    return all(c.table in ("", source) for c in condition.find_all(exp.Column))


def _unqualified(condition: exp.Expr) -> exp.Expr:
    bare = condition.copy()
    for column in bare.find_all(exp.Column):
        column.set("table", None)
    return bare


def _text(node: exp.Expr) -> str:
    return _unqualified(node.unnest()).sql("bigquery").lower().replace("`", "")
