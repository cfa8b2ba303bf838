"""BigQuery's SQL into DuckDB's: parse, refuse, resolve, put right, write.

Supported: one SELECT (or UNION/INTERSECT/EXCEPT of them) over tables and views of the sandbox.

- WITH, joins, subqueries, GROUP BY (ALL), HAVING, QUALIFY, window functions and WINDOW, ORDER BY,
  LIMIT, SELECT * EXCEPT/REPLACE, DISTINCT, PIVOT, UNNEST (also WITH OFFSET), pipe syntax as far
  as sqlglot reads it
- COUNT, COUNTIF, SUM, AVG, MIN, MAX, ANY_VALUE, STRING_AGG, ARRAY_AGG, LOGICAL_OR/AND,
  MAX_BY/MIN_BY, APPROX_QUANTILES(x, n)[OFFSET(i)], APPROX_COUNT_DISTINCT, PERCENTILE_CONT/DISC
- TIMESTAMP_TRUNC/ADD/SUB/DIFF/BUCKET, TIMESTAMP(), DATE(), DATETIME(), EXTRACT, FORMAT_TIMESTAMP,
  PARSE_TIMESTAMP, UNIX_*, TIMESTAMP_SECONDS/MILLIS/MICROS, CURRENT_TIMESTAMP, DATE_* likewise
- JSON_VALUE, JSON_QUERY, JSON_EXTRACT(_SCALAR), payload.field.sub and payload['field'][0] on JSON
  columns of tables, STRING/INT64/FLOAT64/BOOL and their LAX_ forms, PARSE_JSON, TO_JSON_STRING
- CAST, SAFE_CAST, SAFE_DIVIDE, IF, CASE, COALESCE, IFNULL, string and REGEXP_ functions,
  STRUCT, ARRAY
- query parameters, named and positional; names as `project.dataset.table`, dataset.table, or table
  with a default dataset; requirePartitionFilter is enforced (bigquery_partitions)

Refused with a 400 that names it: DML, DDL (tables and views are made over REST), scripts, SAFE.
functions, table functions, wildcard tables, INFORMATION_SCHEMA, time travel, legacy SQL.

Known to differ: DuckDB answers, so the texts of some errors, rounding, and the exact values of
approximate aggregates are its own; JSON keeps its spelling (BigQuery normalises it); a JSON column
that a CTE renames takes .field, but not [index]; a JSON field called `list` wants ['list'], because
the parser knows a function of that name. CURRENT_TIMESTAMP is the machine's clock.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError, UnsupportedError
from sqlglot.optimizer.scope import traverse_scope

from logship_sandbox.bigquery_errors import ApiError, invalid_query, unsupported
from logship_sandbox.bigquery_functions import rewrite_functions
from logship_sandbox.bigquery_json_paths import named_as_before, rewrite_json_access
from logship_sandbox.bigquery_partitions import META, check_partition_filters
from logship_sandbox.bigquery_resources import DatasetReference, Table, TableReference

MAX_VIEW_DEPTH = 16  # https://cloud.google.com/bigquery/quotas#view_limits
_FORBIDDEN = (exp.DML, exp.DDL, exp.Command, exp.Into, exp.SessionParameter, exp.Lock)


@dataclass(frozen=True)
class Parameters:
    """Query parameters as literals."""

    named: Mapping[str, exp.Expr] = field(default_factory=dict)
    positional: Sequence[exp.Expr] = ()


NO_PARAMETERS = Parameters()


@dataclass(frozen=True)
class Context:
    """What a query's names mean. `lookup` raises ApiError notFound."""

    project: str
    lookup: Callable[[TableReference], Table]
    default_dataset: DatasetReference | None = None
    for_view: bool = False  # the query of a view is filtered later, by who reads the view


def translate(sql: str, context: Context, parameters: Parameters = NO_PARAMETERS) -> str:
    """DuckDB's text. ApiError: invalidQuery (wrong or not supported) or notFound (a table)."""
    try:
        tree = _bound(_parsed(sql), parameters)
        tables = _expand(tree, context, 0)
        if not context.for_view:
            check_partition_filters(tree)
        for select in tree.find_all(exp.Select):
            _name_columns(select)
        _zero_based_offsets(tree)
        final = rewrite_functions(rewrite_json_access(tree, tables))
        return final.sql("duckdb", identify=True, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise unsupported(f"this: {error}") from None
    except RecursionError:
        raise invalid_query("The query is nested too deeply.") from None
    except SqlglotError as error:
        raise invalid_query(f"Syntax error: {str(error).splitlines()[0]}") from None


def _parsed(sql: str) -> exp.Query:
    statements = [s for s in sqlglot.parse(sql, read="bigquery") if s is not None]
    if not statements:
        raise invalid_query("Syntax error: Unexpected end of script")
    if len(statements) > 1:
        raise unsupported(f"scripts (the text has {len(statements)} statements)")
    tree = statements[0]
    if isinstance(tree, (exp.Condition, exp.Alias)):
        raise invalid_query(f"Syntax error: Unexpected {tree.sql('bigquery')!r}; expected SELECT")
    if not isinstance(tree, exp.Query):
        raise unsupported(f"{_statement(tree)} statements")
    for node in tree.walk():
        if isinstance(node, _FORBIDDEN):
            raise unsupported(f"{_statement(node)} in a query")
    return tree


def _statement(node: exp.Expr) -> str:
    if isinstance(node, exp.Command):
        return str(node.this).upper()
    kind = node.args.get("kind")
    return f"{node.key.upper()} {kind}" if isinstance(kind, str) else node.key.upper()


def _bound(tree: exp.Query, parameters: Parameters) -> exp.Query:
    """The tree with every parameter replaced by its literal."""
    positional = iter(parameters.positional)
    for node in list(tree.find_all(exp.Parameter, exp.Placeholder, bfs=False)):
        if isinstance(node, exp.Parameter):
            value = parameters.named.get(node.name)
            if value is None:
                raise invalid_query(f"Query parameter '{node.name}' not found")
        else:
            value = next(positional, None)
            if value is None:
                raise invalid_query("There are more ? in the query than positional parameters")
        node.replace(value.copy())
    return tree


def _expand(tree: exp.Expr, context: Context, depth: int) -> list[Table]:
    """Give every table its DuckDB name and put every view's query in its place."""
    if depth > MAX_VIEW_DEPTH:
        raise invalid_query(f"Views are nested more than {MAX_VIEW_DEPTH} deep.")
    found: list[Table] = []
    seen: set[int] = set()
    for scope in traverse_scope(tree):
        for node in scope.sources.values():
            if not isinstance(node, exp.Table) or id(node) in seen:
                continue
            seen.add(id(node))
            table = context.lookup(_reference(node, context))
            if table.view is None:
                _set_physical(node, table)
                found.append(table)
                continue
            query = _parsed(table.view.query)
            ref = table.table_reference
            inner = Context(ref.project_id, context.lookup)
            found.extend(_expand(query, inner, depth + 1))
            alias = exp.TableAlias(this=exp.to_identifier(node.alias_or_name, quoted=True))
            node.replace(exp.Subquery(this=query, alias=alias, joins=node.args.get("joins")))
    return found


def _reference(node: exp.Table, context: Context) -> TableReference:
    if not isinstance(node.this, exp.Identifier):
        raise unsupported(f"the table function {node.sql('bigquery')}")
    name, dataset, project = node.name, node.db, node.catalog or context.project
    if "*" in name or "INFORMATION_SCHEMA" in f"{dataset}.{name}".upper():
        raise unsupported(f"the table name {node.sql('bigquery')}")
    if node.args.get("version") or node.args.get("when"):
        raise unsupported("FOR SYSTEM_TIME AS OF")
    if dataset:
        return TableReference(project, dataset, name)
    if context.default_dataset is None:
        raise invalid_query(
            f'Table "{name}" must be qualified with a dataset (e.g. dataset.table).'
        )
    default = context.default_dataset
    return TableReference(default.project_id, default.dataset_id, name)


def _set_physical(node: exp.Table, table: Table) -> None:
    ref = table.table_reference
    if not node.alias:
        node.set("alias", exp.TableAlias(this=exp.to_identifier(ref.table_id, quoted=True)))
    node.set("this", exp.to_identifier(ref.table_id, quoted=True))
    node.set("db", exp.to_identifier(f"{ref.project_id}.{ref.dataset_id}", quoted=True))
    node.set("catalog", None)
    node.meta[META] = table


def _name_columns(select: exp.Select) -> None:
    """Columns without a name are f0_, f1_, ... in BigQuery."""
    unnamed = 0
    for item in list(select.expressions):
        if item.is_star or isinstance(item, (exp.Alias, exp.Column, exp.Dot)):
            continue
        item.replace(exp.alias_(item.copy(), f"f{unnamed}_", quoted=True))
        unnamed += 1


def _zero_based_offsets(tree: exp.Expr) -> None:
    """WITH OFFSET counts from 0, DuckDB's WITH ORDINALITY from 1."""
    for unnest in list(tree.find_all(exp.Unnest)):
        offset = unnest.args.get("offset")
        if not offset:
            continue
        name = offset.name if isinstance(offset, exp.Identifier) else "offset"
        select = unnest.find_ancestor(exp.Select)
        for column in list(select.find_all(exp.Column)) if select else []:
            if column.name.lower() == name.lower() and not column.table:
                zero_based = exp.Sub(this=column.copy(), expression=exp.Literal.number(1))
                column.replace(named_as_before(column, exp.paren(zero_based)))


def query_error(message: str) -> ApiError:
    """DuckDB's complaint, where possible in BigQuery's words."""
    first = message.splitlines()[0] if message else "unknown error"
    kind, _, text = first.partition(": ")
    if "does not exist" in text and "Function with name" in text:
        return invalid_query(f"Function not found: {text.split('with name ')[1].split()[0]}")
    if 'Referenced column "' in text:
        return invalid_query(f"Unrecognized name: {text.split(chr(34))[1]}")
    if "Interrupt" in kind:
        return invalid_query("Operation timed out or was cancelled: the sandbox stopped the query.")
    return invalid_query(f"{text or first} (the sandbox's DuckDB says so)")
