"""The golden corpus: what Google's agent on GKE makes of a line, logship makes of it too."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from google.cloud.logging_v2.types import LogEntry
from google.protobuf import json_format

from logship.api import Cutting
from tests.plugins.logship_gcp.cloud_logging.batches import (
    FIRST_NS,
    LABELS,
    TIME,
    cri,
    kept_entries,
    make_batch,
    make_encoder,
)

GOLDEN = Path(__file__).parent / "golden"
BASE = orjson.loads((GOLDEN / "base.json").read_bytes())
CUT_BYTES = 240 * 1024


def corpus() -> Iterator[Any]:
    for path in sorted(GOLDEN.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text()):
            yield pytest.param(case, id=f"{path.stem}: {case['name']}")


def block_of(case: dict[str, Any]) -> bytes:
    if "lines_latin1" in case:
        return b"".join(line.encode("latin-1") + b"\n" for line in case["lines_latin1"])
    if "lines" in case:
        return "".join(f"{line}\n" for line in case["lines"]).encode()
    return cri(text_of(case), stream=case.get("stream", "stdout"), time=case.get("time", TIME))


def text_of(case: dict[str, Any]) -> str:
    if "nested" in case:
        levels = int(case["nested"])
        return '{"a":' * levels + "1" + "}" * levels
    parts = case.get("repeat", [case.get("text"), 1])
    return "".join(text * count for text, count in zip(parts[::2], parts[1::2], strict=True))


def expected(case: dict[str, Any], changes: dict[str, Any], insert_id: str) -> dict[str, Any]:
    entry = {**BASE, "insertId": insert_id, **changes}
    if "nested" in case:
        text = text_of(case)
        entry = {k: {"jsonPayload": orjson.loads(text), "textPayload": text}.get(k, v)
                 for k, v in entry.items()}  # fmt: skip
    return {key: value for key, value in entry.items() if value is not None}


@pytest.mark.parametrize("case", list(corpus()))
def test_entry_is_what_gke_would_write(case: dict[str, Any]) -> None:
    labels = {k: v for k, v in {**LABELS, **case.get("labels", {})}.items() if v is not None}
    cutting = Cutting(case.get("format", "cri"), case.get("max_row_bytes", 1 << 20))
    batch = make_batch(block_of(case), labels, cutting=cutting, extra=case.get("extra"))
    if "fields" in case:
        batch = batch.with_fields(replace(batch.rows, fields=[case["fields"]]))
    ids = batch.ids()
    (request,) = make_encoder(**case.get("config", {})).requests([batch], FIRST_NS)
    changes = case.get("entries") or [case["entry"]]
    wanted = [expected(case, *pair) for pair in zip(changes, ids, strict=True)]
    found = kept_entries(request)
    if "repeat" in case:
        check_cut(found[0], wanted[0], text_of(case))
    else:
        assert found == wanted
        assert len({len(entry_id) for entry_id in ids}) == 1
    for entry in found:
        json_format.ParseDict(entry, LogEntry.pb(LogEntry()))


def check_cut(found: dict[str, Any], wanted: dict[str, Any], text: str) -> None:
    kept = found.pop("textPayload")
    wanted.pop("textPayload")
    assert found == wanted
    assert text.startswith(kept)
    assert CUT_BYTES - 2048 < len(kept.encode()) <= CUT_BYTES
