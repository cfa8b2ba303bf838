"""The Grafana dashboard asks only for metrics and labels that exist, and can be shown."""

import re
from collections.abc import Iterable
from itertools import combinations

import msgspec
import pytest

from tests.docs.deploy.promql import problems
from tests.docs.manifests import DEPLOY


class GridPos(msgspec.Struct):
    h: int
    w: int
    x: int
    y: int

    def overlaps(self, other: "GridPos") -> bool:
        apart = (
            self.x + self.w <= other.x or other.x + other.w <= self.x
            or self.y + self.h <= other.y or other.y + other.h <= self.y
        )  # fmt: skip
        return not apart


class Datasource(msgspec.Struct):
    type: str
    uid: str


class Target(msgspec.Struct):
    refId: str
    datasource: Datasource
    expr: str
    legendFormat: str


class Defaults(msgspec.Struct):
    unit: str


class FieldConfig(msgspec.Struct):
    defaults: Defaults


class Panel(msgspec.Struct):
    id: int
    type: str
    title: str
    gridPos: GridPos
    targets: list[Target] = []
    fieldConfig: FieldConfig | None = None


class Variable(msgspec.Struct):
    name: str
    type: str
    query: str


class Templating(msgspec.Struct, rename={"variables": "list"}):
    variables: list[Variable]


class Dashboard(msgspec.Struct):
    uid: str
    title: str
    schemaVersion: int
    templating: Templating
    panels: list[Panel]


BOARD = msgspec.json.decode((DEPLOY / "dashboard.json").read_bytes(), type=Dashboard)
PANELS = [panel for panel in BOARD.panels if panel.type != "row"]
UNITS = {"short", "s", "bytes", "Bps", "cps", "ops"}


def names(texts: Iterable[str], pattern: str) -> set[str]:
    return {name for text in texts for name in re.findall(pattern, text)}


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_a_panel_asks_only_for_what_exists(panel: Panel) -> None:
    assert panel.targets
    for target in panel.targets:
        shown = re.findall(r"\{\{(\w+)\}\}", target.legendFormat)
        assert problems(target.expr, shown) == []
    assert len({target.refId for target in panel.targets}) == len(panel.targets)
    assert panel.fieldConfig is not None
    assert panel.fieldConfig.defaults.unit in UNITS


def test_variables_are_made_of_what_exists_and_all_are_there() -> None:
    variables = {variable.name: variable for variable in BOARD.templating.variables}
    for variable in variables.values():
        if variable.type == "query":
            found = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable.query)
            assert found is not None
            assert problems(found[1], [found[2]]) == []
    targets = [target for panel in PANELS for target in panel.targets]
    used = names((t.expr + t.datasource.uid for t in targets), r"\$\{?(\w+)")
    assert used - {"__rate_interval"} == variables.keys()


def test_every_panel_has_a_place_and_a_number_of_its_own() -> None:
    assert len({panel.id for panel in BOARD.panels}) == len(BOARD.panels)
    for one, other in combinations(BOARD.panels, 2):
        assert not one.gridPos.overlaps(other.gridPos), (one.title, other.title)
    assert all(panel.gridPos.x + panel.gridPos.w <= 24 for panel in BOARD.panels)


def test_what_the_alerts_are_about_can_be_seen() -> None:
    asked = names((t.expr for panel in PANELS for t in panel.targets), r"logship_\w+")
    alerts = (DEPLOY / "alerts.yaml").read_text(encoding="utf-8")
    expressions = re.findall(r"expr:(.*?)\n          (?:for|labels):", alerts, re.S)
    assert names(expressions, r"logship_\w+") - asked == set()
