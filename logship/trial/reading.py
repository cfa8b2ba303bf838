"""A file of tests out of its text, read like a configuration: strictly, every problem at its place.

Names of sources, routes and sinks are those of a configuration, which may need the file's `env`; so
they are checked afterwards.
"""

from collections.abc import Iterable, Mapping

import msgspec

from logship.config import Config, Problem
from logship.config.conversion import Conversion
from logship.config.document import Table, read
from logship.config.loading import places
from logship.config.problems import Mark, Report, advise, listing, suggest
from logship.registry import Registry
from logship.trial.options import Case, Tests

_NEEDS = "it needs `tests:`, a list"


class Loaded(msgspec.Struct, frozen=True):
    file: str
    text: str
    tests: Tests
    marks: Mapping[str, Mark]

    def line(self, path: str) -> int:
        return self.marks[path].line


class Examined(msgspec.Struct, frozen=True):
    """`loaded` is None if there are problems."""

    loaded: Loaded | None
    problems: tuple[Problem, ...]


def examine(text: str, *, file: str) -> Examined:
    """Never raises."""
    report = Report(file, text)
    tree = read(text, report, needs=_NEEDS)
    if tree is None:
        return Examined(None, report.problems)
    tests = Conversion(Registry(), report).struct(tree, Tests, "")
    if not isinstance(tests, Tests) or report.failed:
        return Examined(None, report.problems)
    marks = _marks(tree)
    _check_titles(tests.tests, marks, report)
    loaded = None if report.failed else Loaded(file, text, tests, marks)
    return Examined(loaded, report.problems)


def _marks(tree: Table) -> Mapping[str, Mark]:
    return dict(places(tree, ""))


def _check_titles(cases: Iterable[Case], marks: Mapping[str, Mark], report: Report) -> None:
    first: dict[str, str] = {}
    for number, case in enumerate(cases):
        path = f"tests[{number}].name"
        if first.setdefault(case.name, path) != path:
            line = marks[first[case.name]].line
            report.error(marks[path], path, f"the test in line {line} has the same name")


def check_names(loaded: Loaded, config: Config) -> tuple[Problem, ...]:
    """What of the configuration the tests name and it does not have."""
    report = Report(loaded.file, loaded.text)
    sources, sinks = list(config.sources), list(config.sinks)
    routes = [route.name for route in config.routes]

    def check(kind: str, name: str | None, path: str, known: list[str]) -> None:
        if name is not None and name not in known:
            hint = advise(suggest(name, known), f"the {kind}s are {listing(known)}")
            said = f"the configuration has no {kind} named `{name}`"
            report.error(loaded.marks[path], path, said, hint)

    for number, case in enumerate(loaded.tests.tests):
        for n, given in enumerate(case.given):
            path = f"tests[{number}].given[{n}]"
            check("source", given.source, f"{path}.source", sources)
            if given.source is None and len(sources) > 1:
                hint = f"the sources are {listing(sources)}"
                report.error(loaded.marks[path], path, "`source` is missing: which one?", hint)
        for n, expected in enumerate(case.expect):
            path = f"tests[{number}].expect[{n}]"
            check("route", expected.route, f"{path}.route", routes)
            check("sink", expected.sink, f"{path}.sink", sinks)
    return report.problems
