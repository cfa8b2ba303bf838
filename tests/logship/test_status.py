"""`/status` can always be shown, and says how far behind what is and what is wrong."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from shutil import rmtree

import msgspec
import orjson

from logship.config import load
from logship.pipeline import Pipeline
from logship.registry import Registry
from logship.said import MAX_CHARS
from logship.status import status
from logship.testing import cri_line, texts_batch, world
from logship.trouble import Trouble

CONFIG = """\
sources: {{out: {{type: files, paths: [{directory}/*.log], start_from: beginning}}}}
routes:
  - name: all
    from: [out]
    transforms: [{{type: grep, drop: {{contains: [noise]}}}}]
    to: out
sinks: {{out: {{type: file, dir: {directory}/shipped}}}}
state_dir: {directory}/state
drain_timeout_secs: 0.2
"""
SECS = 20.0


class ShownLag(msgspec.Struct):
    origins_behind: int
    unread_bytes: int
    in_flight_bytes: int
    oldest_unread_age_secs: float | None
    rotation_risk_secs: float | None


class RouteShownLag(ShownLag):
    namespaces: dict[str, ShownLag]
    other_namespaces: dict[str, float | None]


class ShownRoute(msgspec.Struct):
    waiting_bytes: int
    dropped_rows: dict[str, int]
    lag: RouteShownLag
    last_error: str


class ShownTrouble(msgspec.Struct):
    complaints: int
    last_complaint: str
    last_complaint_age_secs: float | None


class SinkTrouble(ShownTrouble):
    last_error: str
    last_error_age_secs: float | None


class ShownPod(msgspec.Struct):
    namespace: str
    pod: str
    bytes: int


class Shown(msgspec.Struct):
    ready: bool
    lag: ShownLag
    loudest_pods: list[ShownPod]
    sources: dict[str, ShownTrouble]
    sinks: dict[str, SinkTrouble]
    routes: dict[str, ShownRoute]


async def shown(pipeline: Pipeline) -> Shown:
    return msgspec.json.decode(orjson.dumps(await status(pipeline)), type=Shown)


def built(directory: Path) -> Pipeline:
    text = CONFIG.format(directory=directory)
    config = load(text, file="x.yaml", env={}, registry=Registry.installed())
    return Pipeline(config, world(), logging.getLogger("test"))


def while_running(directory: Path, work: Callable[[Pipeline], Awaitable[None]]) -> None:
    async def go() -> None:
        pipeline, stop = built(directory), asyncio.Event()
        running = asyncio.ensure_future(pipeline.run(stop))
        try:
            await asyncio.wait_for(work(pipeline), SECS)
        finally:
            stop.set()
            await asyncio.wait_for(running, SECS)
            pipeline.world.offload.close()

    asyncio.run(go())


async def until(pipeline: Pipeline, true: Callable[[Shown], bool]) -> Shown:
    while not true(now := await shown(pipeline)):
        await asyncio.sleep(0.02)
    return now


def test_rows_dropped_by_a_transform_are_shown_under_its_name(tmp_path: Path) -> None:
    pipeline = built(tmp_path)
    route = pipeline.routes[0]
    name, grep = route.transforms[0]
    batch = texts_batch(["noise", "signal"])
    left = grep.apply(batch)
    route.counters.read("shop", batch)
    route.counters.leave_out(0, [(name, batch.row_count() - left.row_count())])
    route.counters.hold(left)
    route.counters.deliver(left, 1, None, ())
    assert asyncio.run(shown(pipeline)).routes["all"].dropped_rows == {"grep": 1}


def test_an_agent_that_has_read_everything_is_not_behind(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"one\ntwo\n")

    async def work(pipeline: Pipeline) -> None:
        counters = pipeline.routes[0].counters
        now = await until(pipeline, lambda now: counters.delivered_rows == 2)
        assert now.lag == ShownLag(0, 0, 0, None, None)
        assert now.routes["all"].lag.namespaces == {}
        (pod,) = now.loudest_pods
        assert (pod.namespace, pod.bytes) == ("(out)", len(b"one\ntwo\n"))
        assert pod.pod.endswith("a.log")
        assert now.ready
        assert (now.sinks["out"].last_error, now.sinks["out"].last_error_age_secs) == ("", None)

    while_running(tmp_path, work)


def test_what_a_sink_that_is_away_leaves_unread_is_shown_by_namespace(tmp_path: Path) -> None:
    """A log of the source `files` has no namespace: its source stands in for it."""

    async def work(pipeline: Pipeline) -> None:
        await until(pipeline, lambda now: (tmp_path / "shipped").exists())
        rmtree(tmp_path / "shipped")
        rows = [cri_line("x" * 100, time_ns=pipeline.started_ns + n) for n in range(100_000)]
        (tmp_path / "a.log").write_bytes(content := b"".join(rows))

        def behind(now: Shown) -> bool:
            return now.lag.unread_bytes + now.lag.in_flight_bytes == len(content)

        now = await until(pipeline, lambda now: behind(now) and now.sinks["out"].complaints > 0)
        lag = now.routes["all"].lag
        assert lag.unread_bytes == now.routes["all"].waiting_bytes > 0
        assert lag.namespaces.keys() == {"(out)"}
        assert lag.namespaces["(out)"].unread_bytes == lag.unread_bytes
        assert lag.oldest_unread_age_secs is not None
        assert 0 <= lag.oldest_unread_age_secs < SECS
        sink = now.sinks["out"]
        assert "cannot be written to" in sink.last_complaint
        assert "cannot be written to" in sink.last_error
        assert sink.last_error == now.routes["all"].last_error
        assert sink.last_error_age_secs is not None
        assert 0 <= sink.last_error_age_secs < SECS
        assert now.sources["out"].complaints == 0

    while_running(tmp_path, work)


def test_a_source_and_a_sink_of_one_name_have_complaints_of_their_own(tmp_path: Path) -> None:
    pipeline = built(tmp_path)
    pipeline.sources["out"].context.log.warning("cannot read %s", "it")
    now = asyncio.run(shown(pipeline))
    assert (now.sources["out"].complaints, now.sinks["out"].complaints) == (1, 0)
    assert now.sources["out"].last_complaint == "cannot read it"
    assert now.sources["out"].last_complaint_age_secs is not None


def test_a_log_that_cannot_be_read_is_trouble_of_its_source(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"one\n")
    (tmp_path / "a.log.1.gz").write_bytes(b"no gzip")

    async def work(pipeline: Pipeline) -> None:
        now = await until(pipeline, lambda now: now.sources["out"].complaints > 0)
        assert "a.log.1.gz" in now.sources["out"].last_complaint

    while_running(tmp_path, work)


def test_complaints_still_come_into_the_log() -> None:
    parent, heard = logging.Logger("logship"), Trouble()
    parent.addHandler(heard)
    trouble = Trouble()
    log = trouble.logger(parent, "containers")
    log.error("x" * 2 * MAX_CHARS)
    log.info("all is well")
    assert (trouble.count, heard.count) == (1, 1)
    assert trouble.last.text == "x" * MAX_CHARS
    assert log.name == "logship.containers"
