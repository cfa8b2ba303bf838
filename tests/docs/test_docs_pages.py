"""The pages say what the code says: /status, dead letters, the table, lines of the log."""

import asyncio
import logging
import re
from pathlib import Path

import msgspec
import orjson
import pytest
from logship_gcp.bigquery.schema import CLUSTER_COLUMNS, COLUMNS, PARTITION_COLUMN

from logship.api import Refused
from logship.config import load
from logship.delivery.deadletters import DeadLetters
from logship.pipeline import Pipeline
from logship.registry import Registry
from logship.status import status
from logship.testing import texts_batch, world
from tests.docs.command import REPOSITORY

OPERATIONS = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
MIGRATE = (REPOSITORY / "docs" / "migrate.md").read_text(encoding="utf-8")
CONFIG = """
sources: {containers: {type: kubernetes}}
routes: [{name: all, from: [containers], to: nowhere}]
sinks: {nowhere: {type: "null"}}
"""


class ShownStatus(msgspec.Struct):
    routes: dict[str, dict[str, object]]


def section(page: str, title: str) -> str:
    return page.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_page_names_every_field_of_status(tmp_path: Path) -> None:
    registry = Registry.installed()
    config = load(f"state_dir: {tmp_path}\n{CONFIG}", file="c.yaml", env={}, registry=registry)
    here = world()
    try:
        shown = asyncio.run(status(Pipeline(config, here, logging.getLogger("test"))))
    finally:
        here.offload.close()
    of_route = msgspec.convert(shown, ShownStatus).routes["all"]
    rows = re.findall(r"^\| (`.+?) \|", section(OPERATIONS, "`/status`"), re.M)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {*shown, *of_route}


def test_the_page_shows_a_dead_letter_as_it_is_written(tmp_path: Path) -> None:
    here = world()
    letters = DeadLetters(str(tmp_path), 1 << 20, 3600, here)
    try:
        encoded = letters.encoded("gcl", texts_batch(["row"]), [Refused(0, 0, "why")])
        asyncio.run(letters.store(encoded))
    finally:
        here.offload.close()
    (file,) = tmp_path.glob("*.jsonl")
    block = re.search(r"```json\n(.*?)```", section(OPERATIONS, "Dead letters"), re.S)
    assert block is not None
    assert list(orjson.loads(block[1])) == list(orjson.loads(file.read_bytes()))
    assert re.fullmatch(r"\d+\.jsonl", file.name)
    assert file.stat().st_mode & 0o777 == 0o600


def source_code() -> str:
    """All code of the agent, with texts that are written in several pieces put together."""
    files = [*REPOSITORY.glob("logship/**/*.py"), *REPOSITORY.glob("plugins/**/*.py")]
    code = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return re.sub(r'"\s*\n\s*f?"', "", code)


LOG_LINES = [
    text
    for line in re.findall(r"^\* Log: .+(?:\n  .+)*", OPERATIONS, re.M)
    for text in re.findall(r"`([^`]+)`", line)
]


@pytest.mark.parametrize("line", LOG_LINES)
def test_a_line_of_the_log_is_one_that_the_agent_writes(line: str) -> None:
    pieces = [piece.strip() for piece in line.replace("\n ", "").split("…")]
    code = source_code()
    for piece in filter(lambda text: len(text) > 3, pieces):
        assert piece in code


def test_there_are_lines_of_the_log_on_the_page() -> None:
    assert len(LOG_LINES) >= 8


def test_the_table_is_the_one_that_the_loader_makes() -> None:
    sql = section(MIGRATE, "The table")
    columns = re.findall(r"^  (\w+) (TIMESTAMP|STRING|INT64|JSON)( NOT NULL)?,?$", sql, re.M)
    assert columns == [(c.name, c.type, " NOT NULL" if c.required else "") for c in COLUMNS]
    assert f"PARTITION BY DATE({PARTITION_COLUMN})\n" in sql
    assert f"CLUSTER BY {', '.join(CLUSTER_COLUMNS)}\n" in sql


@pytest.mark.parametrize("page", sorted((REPOSITORY / "docs").glob("*.md")), ids=lambda p: p.name)
def test_a_link_to_a_file_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), target


def test_files_that_the_pages_name_exist() -> None:
    for page in (OPERATIONS, MIGRATE):
        for name in re.findall(r"`((?:deploy|examples)/[\w.-]+)`", page):
            assert (REPOSITORY / name).exists(), name
