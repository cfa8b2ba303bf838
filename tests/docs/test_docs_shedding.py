"""The page on shedding: its configuration loads, its summary is the one that is made."""

import logging
import re
from pathlib import Path

from logship.config import load
from logship.metrics.of_routes import OF_ROUTES
from logship.pipeline import Pipeline
from logship.registry import Registry
from logship.routes.shed_options import ShedRule
from logship.routes.shed_rules import Dropped, Place
from logship.routes.summary import OF_SEVERITY, ROWS, RULE, message
from logship.rows.address import time_text
from logship.testing import GENERATION, START_NS, texts_batch, world
from tests.docs.command import REPOSITORY

PAGE = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
SECTION = PAGE.split("\n## Shedding\n", 1)[1].split("\n## ", 1)[0]
REST = """
sources: {containers: {type: kubernetes}}
sinks: {gcl: {type: cloud_logging, project: p, location: l}}
"""


def pipeline(directory: Path) -> Pipeline:
    found = re.search(r"```yaml\n(.*?)```", SECTION, re.S)
    assert found is not None
    text = f"state_dir: {directory}\n{REST}{found[1]}"
    config = load(text, file="x.yaml", env={}, registry=Registry.installed())
    return Pipeline(config, world(), logging.getLogger("test"))


def test_the_example_is_a_configuration_with_the_stages_that_the_page_tells(tmp_path: Path) -> None:
    made = pipeline(tmp_path)
    made.world.offload.close()
    shed = made.config.routes[0].shed
    assert shed is not None
    assert shed.stages == ("DEBUG", "INFO", "NOTICE", "DEFAULT")
    assert f"{shed.escalate_after_secs:g} s more (`escalate_after_secs`)" in SECTION


def test_the_page_names_every_field_of_shedding(tmp_path: Path) -> None:
    made = pipeline(tmp_path)
    made.world.offload.close()
    shedding = made.routes[0].shedding
    assert shedding is not None
    assert re.findall(r"^\| `(\w+)` \|", SECTION, re.M) == list(shedding.as_dict())


def test_the_page_shows_a_summary_as_it_is_made() -> None:
    first, last = (Place("", time_text(START_NS + secs * 10**9), GENERATION, 0) for secs in (0, 60))
    rule = ShedRule(name="debug", severity="DEBUG")
    dropped = Dropped(12_345, first, last)
    why = "sink gcl asked for less (quota or overload)"
    assert message(texts_batch(["x"]), rule, "DEBUG", dropped, [why]) in SECTION
    for label in (ROWS, OF_SEVERITY, RULE):
        assert f"`{label}`" in SECTION


def test_the_metrics_that_the_page_names_exist() -> None:
    named = set(re.findall(r"`(logship_\w+)`", SECTION))
    assert len(named) == 4
    assert named <= {family.name for family in OF_ROUTES}
