"""What `/metrics` says, and that it says it as Prometheus wants it."""

import asyncio
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from logship.config import load
from logship.counters import MAX_NAMESPACES, OTHER
from logship.metrics.family import AgentNow, Family
from logship.metrics.histogram import BOUNDS_SECS, Histogram
from logship.metrics.of_agent import OF_AGENT
from logship.metrics.of_routes import OF_ROUTES
from logship.metrics.text import lines_of, metrics, render
from logship.outcome import Altered
from logship.pipeline import Pipeline
from logship.registry import Registry
from logship.routes.lag import Lag, RouteLag
from logship.tail.loss import Loss, Reason
from logship.testing import origin_of, texts_batch, world

CONFIG = """\
sources: {{out: {{type: files, paths: [{directory}/*.log], start_from: beginning}}}}
routes:
  - name: all
    from: [out]
    transforms: [{{type: grep, drop: {{contains: [noise]}}}}]
    to: shipped
sinks: {{shipped: {{type: "null"}}}}
state_dir: {directory}/state
"""
EVERY: list[Family[Any]] = [*OF_AGENT, *OF_ROUTES]
LABELS = {"route", "sink", "namespace", "reason", "rule", "result", "version", "python", "kernel"}
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)')


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    text = CONFIG.format(directory=tmp_path)
    config = load(text, file="x.yaml", env={}, registry=Registry.installed())
    pipeline = Pipeline(config, world(), logging.getLogger("test"))
    yield pipeline
    pipeline.world.offload.close()


def shown(text: str) -> dict[str, float]:
    """Values by name and labels, as they are written."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            match = SAMPLE.fullmatch(line)
            assert match, f"no sample: {line!r}"
            assert line.rpartition(" ")[0] not in found, f"twice: {line}"
            found[line.rpartition(" ")[0]] = float(match[3])
    return found


def scraped(pipeline: Pipeline) -> dict[str, float]:
    return shown(asyncio.run(metrics(pipeline)))


def test_names_and_labels_follow_the_rules() -> None:
    names = [family.name for family in EVERY]
    assert len(set(names)) == len(names)
    for family in EVERY:
        assert re.fullmatch(r"logship_[a-z]+(_[a-z]+)*", family.name)
        assert family.name.endswith("_total") == (family.kind == "counter"), family.name
        assert not re.search(r"_(secs|ms|kb|mb)(_|$)", family.name)
        assert set(family.labels) <= LABELS
        assert family.help.strip().endswith((".", "0."))


def test_what_an_agent_did_is_what_it_says(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(content := b"one\nnoise\ntwo\n")

    async def go() -> dict[str, float]:
        stop = asyncio.Event()
        running = asyncio.ensure_future(pipeline.run(stop))
        async with asyncio.timeout(20):
            while pipeline.routes[0].counters.delivered_rows < 2:
                await asyncio.sleep(0.02)
            await pipeline.checkpoint_now()
            found = shown(await metrics(pipeline))
        stop.set()
        await asyncio.wait_for(running, 20)
        return found

    found = asyncio.run(go())
    namespace, sink = '{route="all",namespace="(out)"}', '{route="all",sink="shipped"}'
    expected = {
        f"logship_read_rows_total{namespace}": 3,
        f"logship_read_bytes_total{namespace}": len(content),
        f"logship_delivered_rows_total{sink}": 2,
        f"logship_delivered_bytes_total{sink}": len(content),
        'logship_dropped_rows_total{route="all",rule="grep"}': 1,
        'logship_unaccounted_rows{route="all"}': 0,
        'logship_held_rows{route="all"}': 0,
        f"logship_unread_bytes{namespace}": 0,
        f"logship_write_duration_seconds_count{sink}": 1,
        f'logship_write_duration_seconds_bucket{sink[:-1]},le="+Inf"}}': 1,
        "logship_ready": 1,
        "logship_origins": 1,
        "logship_open_log_files": 1,
    }
    assert {name: found.get(name) for name in expected} == expected
    assert 0 <= found["logship_checkpoint_age_seconds"] < 20
    assert "logship_rotation_risk_seconds" not in " ".join(found)


def test_every_metric_is_there_from_the_start_with_its_help_and_type(pipeline: Pipeline) -> None:
    text = asyncio.run(metrics(pipeline))
    assert text.endswith("\n")
    for family in EVERY:
        assert f"# HELP {family.name} " in text
        assert f"# TYPE {family.name} {family.kind}\n" in text
    found = shown(text)
    assert found["logship_ready"] == 0
    assert found['logship_delivered_rows_total{route="all",sink="shipped"}'] == 0


def test_losses_and_altered_rows_are_told_by_reason(pipeline: Pipeline) -> None:
    counters = pipeline.routes[0].counters
    counters.lose("shop", Loss(Reason.MAX_BYTES, 70, True))
    counters.lose("shop", Loss(Reason.MAX_BYTES, 7, False))
    counters.alter([Altered(3, "shortened"), Altered(1, "split")])
    found = scraped(pipeline)
    labels = '{route="all",namespace="shop",reason="held_max_bytes"}'
    assert found[f"logship_losses_total{labels}"] == 2
    assert found[f"logship_lost_bytes_total{labels}"] == 77
    assert found['logship_altered_rows_total{route="all",reason="shortened"}'] == 3
    assert found['logship_altered_rows_total{route="all",reason="split"}'] == 1


def test_lag_is_told_by_namespace_and_the_rest_is_one(pipeline: Pipeline) -> None:
    """However many there are: bytes add up, the oldest and the nearest risk are those of all."""
    now_ns = 10_000_000_000
    lags = {f"ns-{n}": Lag(1, 10, 1, now_ns - n, float(n)) for n in range(MAX_NAMESPACES + 7)}
    now = AgentNow(pipeline, {"all": RouteLag(lags)}, now_ns)
    found = shown(render(now))
    unread = {name: value for name, value in found.items() if "_unread_bytes{" in name}
    assert len(unread) == MAX_NAMESPACES + 1
    other = f'{{route="all",namespace="{OTHER}"}}'
    assert found[f"logship_unread_bytes{other}"] == 70
    assert found[f"logship_origins_behind{other}"] == 7
    assert found[f"logship_oldest_unread_age_seconds{other}"] == (MAX_NAMESPACES + 6) / 1e9
    assert found[f"logship_rotation_risk_seconds{other}"] == MAX_NAMESPACES
    assert sum(unread.values()) == 10 * len(lags)


def test_no_line_names_a_pod(pipeline: Pipeline) -> None:
    batch = texts_batch(["a"], origin_of("web-7d9f", namespace="shop"))
    counters = pipeline.routes[0].counters
    counters.read("shop", batch)
    counters.hold(batch)
    pipeline.routes[0].budget.hold(1)
    assert "web-7d9f" not in asyncio.run(metrics(pipeline))


def test_a_hostile_name_cannot_break_a_line() -> None:
    family: Family[str] = Family(
        "logship_x", "gauge", ("namespace",), "Two\nlines, a \\.", lambda name: [((name,), 1)]
    )
    text = "\n".join(lines_of(family, ['a"} 7\nlogship_y{b="\\']))
    assert text == (
        "# HELP logship_x Two\\nlines, a \\\\.\n# TYPE logship_x gauge\n"
        'logship_x{namespace="a\\"} 7\\nlogship_y{b=\\"\\\\"} 1'
    )


def test_prometheus_own_parser_reads_it(pipeline: Pipeline) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    counters = pipeline.routes[0].counters
    counters.lose('a"b\\c\nd', Loss(Reason.TRUNCATED, 5, True))
    counters.write_latency.observe(0.3)
    found = {
        family.name: family
        for family in parser.text_string_to_metric_families(asyncio.run(metrics(pipeline)))
    }
    assert found.keys() == {f.name.removesuffix("_total") for f in EVERY}
    (loss,) = found["logship_lost_bytes"].samples
    assert (loss.labels["namespace"], loss.value) == ('a"b\\c\nd', 5)
    buckets = {
        sample.labels["le"]: sample.value
        for sample in found["logship_write_duration_seconds"].samples
        if sample.name.endswith("_bucket")
    }
    assert (buckets["0.25"], buckets["0.5"], buckets["+Inf"]) == (0, 1, 1)


def test_a_value_on_a_bound_is_in_the_bucket_of_that_bound() -> None:
    histogram = Histogram()
    for value in (0.0, BOUNDS_SECS[0], BOUNDS_SECS[-1], BOUNDS_SECS[-1] + 1):
        histogram.observe(value)
    cumulative = dict(histogram.cumulative())
    assert cumulative[BOUNDS_SECS[0]] == 2
    assert cumulative[BOUNDS_SECS[-1]] == 3
    assert cumulative[float("inf")] == histogram.count == 4
