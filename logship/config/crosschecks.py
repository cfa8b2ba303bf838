"""What must hold between parts of a configuration: names that refer to names.

Errors are looked for in the tree, so that they are found beside errors of other kinds. Warnings
need a sound configuration and are looked for there: what they name works, but hardly as meant.
"""

from collections.abc import Iterator

from logship.config.document import Items, Node, Scalar, Table
from logship.config.problems import Report, advise, listing, suggest
from logship.config.reach import ANNOTATION, hidden
from logship.config.schema import Config, RouteConfig


class _Route:
    """What other parts refer to in one item of `routes`, as far as it is well formed."""

    def __init__(self, node: Table, path: str) -> None:
        self.path = path
        self.mark = node.mark
        self.name = _text(node.get("name"))
        self.was = _text(node.get("was"))
        self.to = _text(node.get("to"))
        sources = node.get("from")
        items = sources.items if isinstance(sources, Items) else ()
        self.sources = [(i, text) for i, item in enumerate(items) if (text := _text(item))]


def check_references(tree: Table, report: Report) -> None:
    """Errors: names of sources, sinks and routes that are unknown, double or in conflict."""
    routes = list(_routes(tree))
    sources, sinks = _names(tree, "sources"), _names(tree, "sinks")
    for route in routes:
        for index, source in route.sources:
            _check_known(source, sources, "source", f"{route.path}.from[{index}]", report)
        if route.to is not None:
            _check_known(route.to, sinks, "sink", f"{route.path}.to", report)
    _check_names(routes, report)


def _check_known(
    name: Scalar, known: list[str] | None, kind: str, path: str, report: Report
) -> None:
    if known is None or name.text in known:  # None: the section itself is missing or malformed
        return
    hint = advise(suggest(name.text, known), f"the {kind}s are {listing(known)}")
    report.error(name.mark, path, f"there is no {kind} named {name.shown}", hint)


def _check_names(routes: list[_Route], report: Report) -> None:
    names: dict[str, _Route] = {}
    heirs: dict[str, _Route] = {}
    for route in routes:
        if route.name is not None:
            first = names.setdefault(route.name.text, route)
            if first is not route:
                message = f"the name {route.name.shown} is taken by {first.path}"
                hint = "names are unique, because positions are kept under them"
                report.error(route.name.mark, f"{route.path}.name", message, hint)
    for route in routes:
        if route.was is not None:
            _check_was(route, route.was, names, heirs, report)


def _check_was(
    route: _Route,
    was: Scalar,
    names: dict[str, _Route],
    heirs: dict[str, _Route],
    report: Report,
) -> None:
    path = f"{route.path}.was"
    if (live := names.get(was.text)) is not None:
        message = f"{was.shown} is still the name of {live.path}"
        report.error(was.mark, path, message, "a route can only take over from one that is gone")
    elif (heir := heirs.setdefault(was.text, route)) is not route:
        message = f"{heir.path} takes over from {was.shown} already"
        report.error(was.mark, path, message, "positions can move to one route only")


def warn_doubtful(config: Config, tree: Table, report: Report) -> None:
    """Warnings: sources and sinks that nothing uses, routes that can hardly get a row."""
    used = {source for route in config.routes for source in route.from_}
    _warn_unused("sources", sorted(config.sources.keys() - used), tree, report)
    used = {route.to for route in config.routes}
    _warn_unused("sinks", sorted(config.sinks.keys() - used), tree, report)
    for index, place in enumerate(_routes(tree)):
        _warn_without_metadata(config.routes[index], config, place, report)
        _warn_hidden(index, config, place, report)


def _warn_hidden(index: int, config: Config, place: _Route, report: Report) -> None:
    """Those above leave nothing to it."""
    found, name = hidden(index, config.routes, config.sources), config.routes[index].name
    if found is None:
        return
    who = f"{listing(found.blockers)} above it take{'s' * (len(found.blockers) == 1)}"
    hint = "move it up, or give the route above it `continue: true`"
    if found.by_name:
        asked = f"{ANNOTATION}: {found.by_name}"
        message = f"only pods that ask for it (`{asked}`) come to `{name}`: {who} all others"
        mark = f"`match: {{annotations: {{{asked}}}}}`"
        hint = advise(f"{hint}.", f"if those pods are meant, move it up with {mark}")
    else:
        message = f"`{name}` can never get a row: {who} all of them"
    report.warning(place.mark, place.path, message, hint)


def _warn_without_metadata(
    route: RouteConfig, config: Config, place: _Route, report: Report
) -> None:
    """Its `match` asks for what its sources never know."""
    if route.match is None or not route.match.needs_metadata:
        return
    sources = {name: config.sources[name] for name in route.from_}
    never = f"which {listing(sources)} never {'knows' if len(sources) == 1 else 'know'}"
    path = f"{place.path}.match"
    if not any(source.component.tells_metadata(source.options) for source in sources.values()):
        message = f"its `match` asks for labels, annotations or the owner of a pod, {never}"
        hint = "only the source `kubernetes` knows them, with `metadata: {from: api}` or a file"
        report.warning(place.mark, path, message, hint)
    elif route.match.needs_namespace_labels and not any(
        source.component.tells_namespace_labels(source.options) for source in sources.values()
    ):
        message = f"its `match` asks for labels of a namespace, {never}"
        hint = "the source `kubernetes` knows them with `metadata: {namespace_labels: true}`"
        report.warning(place.mark, path, message, hint)


def _warn_unused(section: str, names: list[str], tree: Table, report: Report) -> None:
    table = tree.get(section)
    for name in names:
        mark = table.mark_of(name) if isinstance(table, Table) else tree.mark
        verb = "reads" if section == "sources" else "delivers to"
        report.warning(mark, f"{section}.{name}", f"no route {verb} it")


def _routes(tree: Table) -> Iterator[_Route]:
    routes = tree.get("routes")
    for index, node in enumerate(routes.items if isinstance(routes, Items) else ()):
        if isinstance(node, Table):
            yield _Route(node, f"routes[{index}]")


def _names(tree: Table, section: str) -> list[str] | None:
    table = tree.get(section)
    return [entry.key.text for entry in table.entries] if isinstance(table, Table) else None


def _text(node: Node | None) -> Scalar | None:
    """None also for what is reported already: nothing, or a variable without a value."""
    if not isinstance(node, Scalar) or node.is_null or node.unresolved:
        return None
    return node
