"""Metadata that comes later than a log, even after the log is gone.

Broken on purpose: logs that are gone are told of no more (all rows of a pod that ended before the
metadata came went where `on_unknown` sends them).
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from logship_tail.sightings import Sighting
from logship_tail.told import LATE_SECS, Told

from logship.api import Labels, LogFile
from logship.testing.virtual_time import VirtualClock, run_virtual
from tests.plugins.logship_tail.recording import Recorder, running
from tests.plugins.logship_tail.test_pods_file import KEY, YAML, source

LOG = LogFile("/logs", "0.log")


@dataclass
class Metadata:
    known: set[str] = field(default_factory=set)

    def labels(self, base: Mapping[str, str]) -> Labels:
        known = base["pod"] in self.known
        return Labels({**base, "label:app": "x"} if known else base, known=known)


@pytest.fixture
def metadata() -> Metadata:
    return Metadata()


def run(metadata: Metadata, work: Callable[[Told, Recorder], Coroutine[None, None, None]]) -> None:
    async def go() -> None:
        recorder = Recorder()
        await work(Told(recorder, VirtualClock(), metadata.labels), recorder)

    run_virtual(go())


def seen(pod: str) -> Sighting:
    return Sighting(pod, {"pod": pod}, LOG, frozenset())


def test_what_becomes_known_of_a_log_that_is_gone_is_told_once(metadata: Metadata) -> None:
    async def work(told: Told, recorder: Recorder) -> None:
        told.add(seen("web"), LOG)
        told.retire("web")
        told.relabel()
        assert recorder.told("update", "web") == 0
        metadata.known.add("web")
        told.relabel()
        assert recorder.labels["web"].get("label:app") == "x"
        told.relabel()
        assert recorder.told("update", "web") == 1

    run(metadata, work)


def test_of_a_log_that_was_known_nothing_is_told_once_it_is_gone(metadata: Metadata) -> None:
    async def work(told: Told, recorder: Recorder) -> None:
        metadata.known.add("web")
        told.add(seen("web"), LOG)
        told.retire("web")
        told.relabel()
        assert recorder.told("update", "web") == 0

    run(metadata, work)


def test_a_log_that_is_back_is_told_of_as_one_that_is_there(metadata: Metadata) -> None:
    async def work(told: Told, recorder: Recorder) -> None:
        told.add(seen("web"), LOG)
        told.retire("web")
        told.add(seen("web"), LOG)
        metadata.known.add("web")
        told.relabel()
        assert recorder.told("update", "web") == 1

    run(metadata, work)


def test_logs_that_are_gone_for_long_are_forgotten(metadata: Metadata) -> None:
    async def work(told: Told, recorder: Recorder) -> None:
        for pod in ("web", "job"):
            told.add(seen(pod), LOG)
            told.retire(pod)
            await asyncio.sleep(LATE_SECS)
        metadata.known |= {"web", "job"}
        told.relabel()
        assert recorder.told("update", "web") == 0

    run(metadata, work)


def test_a_pod_that_ended_before_its_metadata_came_gets_it(tmp_path: Path) -> None:
    directory = tmp_path / "pods/shop_web_u1/app"
    directory.mkdir(parents=True)
    (directory / "0.log").touch()

    async def scenario() -> None:
        async with running(source(tmp_path / "pods", tmp_path / "pods.yaml")) as catalog:
            await catalog.until_keys(KEY)
            (directory / "0.log").unlink()
            await catalog.until_keys()
            (tmp_path / "pods.yaml").write_text(YAML)
            await catalog.until(lambda: catalog.told("update", KEY) > 0)
            assert catalog.labels[KEY].get("annotation:logship/route") == "app"

    asyncio.run(scenario())
