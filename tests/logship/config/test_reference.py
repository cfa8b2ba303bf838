"""The generated page and schema say what the classes say."""

import json
from pathlib import Path

import msgspec
import pytest

from logship.config import Config, RouteConfig
from logship.config.reference import files, markdown, write
from logship.config.schema import AdminConfig, DeadLettersConfig, MemoryConfig
from logship.config.shapes import description
from logship.registry import Registry
from logship.routes.match import Match
from logship.routes.when import Condition

ROWS = [
    "| `start_from` | a duration or `now` or `beginning` | `10m` | Where to start. |",
    "| `poll_secs` | a duration, more than 0s | `1s` | How often to look. |",
    "| `max_request_bytes` | a size, at least 1B, at most 10MB | `9MB` | Bound. |",
    '| `severity_keys` | a list of texts | `["severity"]` | Where to look. |',
    "| `topic` | text | required | The topic. Example: `app-logs` |",
    "| `format` | `record` or `block` | `record` | What a message is. |",
    "| `json.*` | a glob or a list of globs, not empty |",
]


@pytest.mark.parametrize("row", ROWS)
def test_an_option_is_a_row_with_type_default_and_meaning(row: str, registry: Registry) -> None:
    assert row in markdown(registry)


def test_nested_options_have_tables_of_their_own(registry: Registry) -> None:
    page = markdown(registry)
    assert "#### `grep: rules`\n" in page
    assert page.count("## `routes.match`\n") == 1


def test_the_reference_is_deterministic(registry: Registry) -> None:
    assert files(registry) == files(registry)


@pytest.mark.parametrize(
    "kind",
    [Config, RouteConfig, MemoryConfig, AdminConfig, DeadLettersConfig, Match, Condition],
)
def test_every_option_says_what_it_means(kind: type[msgspec.Struct]) -> None:
    for field in msgspec.structs.fields(kind):
        assert description(field.type), field.encode_name


def test_the_files_are_written(tmp_path: Path, registry: Registry) -> None:
    write(tmp_path, registry)
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert written == files(registry)


def test_every_reference_in_the_schema_leads_somewhere(registry: Registry) -> None:
    text = files(registry)["logship.schema.json"]
    schema = json.loads(text)
    references = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert references
    assert references == set(schema["$defs"])


def test_the_schema_takes_units_variables_and_fields(registry: Registry) -> None:
    definitions = json.loads(files(registry)["logship.schema.json"])["$defs"]
    size = definitions["MemoryConfig"]["properties"]["max_bytes"]
    assert [member["type"] for member in size["anyOf"]] == ["integer", "string"]
    count = definitions["sink.cloud_logging"]["properties"]["max_in_flight"]
    assert {"$ref": "#/$defs/variable"} in count["anyOf"]
    assert list(definitions["Condition"]["patternProperties"]) == ["^json\\."]
    assert definitions["sink.pubsub"]["properties"]["type"] == {"const": "pubsub"}
    assert definitions["sink.pubsub"]["required"] == ["type", "topic"]
