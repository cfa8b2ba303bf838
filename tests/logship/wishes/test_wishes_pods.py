"""Pods say how their logs are treated: an agent with real files, whose pods are told by a file."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import orjson
import pytest

from logship.config import load
from logship.pipeline import Pipeline
from logship.registry import Registry
from logship.status import status
from logship.testing import cri_line, world

SECS = 20.0
CONFIG = """\
cluster: c
sources:
  pods:
    type: kubernetes
    root: {directory}/pods
    start_from: beginning
    metadata: {{from: file, path: {directory}/pods.json}}
routes:
  - name: by-word
    from: [pods]
    match: {{annotations: {{logship/route: app}}}}
    to: word
  - {{name: errors, from: [pods], when: {{stream: stderr}}, to: errors}}
  - {{name: shops, from: [pods], match: {{namespace: shop*}}, to: rest}}
  - {{name: rest, from: [pods], to: rest}}
sinks:
  word: {{type: file, dir: {directory}/word}}
  errors: {{type: file, dir: {directory}/errors}}
  rest: {{type: file, dir: {directory}/rest}}
state_dir: {directory}/state
drain_timeout_secs: 5
"""


class Node:
    """Pods with annotations, whose containers have written something."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._pods: list[dict[str, object]] = []

    def pod(self, name: str, annotations: Mapping[str, str], *containers: str) -> None:
        pod = {"namespace": "shop", "name": name, "uid": f"u-{name}", "annotations": annotations}
        self._pods.append({**pod, "owner_kind": "Deployment", "owner_name": "cart"})
        for container in containers or ("app",):
            self.write(name, f"{name}/{container}", container)

    def write(self, name: str, text: str, container: str = "app", restart: int = 0) -> None:
        path = self.directory / "pods" / f"shop_{name}_u-{name}" / container
        path.mkdir(parents=True, exist_ok=True)
        with (path / f"{restart}.log").open("ab") as file:
            file.write(cri_line(text) + cri_line(f"{text} err", stream="stderr"))

    def tell(self) -> None:
        new = self.directory / "pods.json.new"
        new.write_text(json.dumps({"pods": self._pods}))
        new.rename(self.directory / "pods.json")

    def rows(self, sink: str) -> list[dict[str, object]]:
        path = self.directory / sink / "logship.jsonl"
        if not path.exists():
            return []
        return [orjson.loads(line) for line in path.read_bytes().splitlines()]

    def texts(self, sink: str) -> set[object]:
        return {row["text"] for row in self.rows(sink) if "text" in row}

    def notices(self, sink: str) -> list[dict[str, object]]:
        return [row for row in self.rows(sink) if "logship/notice" in str(row.get("labels"))]


def run(directory: Path, work: Callable[[Node, Pipeline], Awaitable[None]]) -> None:
    async def go() -> None:
        text = CONFIG.format(directory=directory)
        config = load(text, file="x.yaml", env={}, registry=Registry.installed())
        pipeline, stop = Pipeline(config, world(), logging.getLogger("test")), asyncio.Event()
        node = Node(directory)
        running = asyncio.ensure_future(pipeline.run(stop))
        try:
            await asyncio.wait_for(work(node, pipeline), SECS)
        finally:
            stop.set()
            await asyncio.wait_for(running, SECS)
            pipeline.world.offload.close()

    asyncio.run(go())


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.01)


def test_a_pod_that_is_excluded_is_not_read_but_for_the_container_that_is_not(
    tmp_path: Path,
) -> None:
    async def work(node: Node, pipeline: Pipeline) -> None:
        excluded = {"logship/exclude": "true", "loud.logship/exclude": "false"}
        node.pod("quiet", excluded, "app", "loud")
        node.pod("other", {})
        node.tell()
        await until(lambda: pipeline.origins.excluded == 1 and len(node.texts("rest")) == 2)
        await until(lambda: len(node.texts("errors")) == 2)
        assert node.texts("rest") == {"quiet/loud", "other/app"}
        assert node.texts("errors") == {"quiet/loud err", "other/app err"}
        shown = await status(pipeline)
        assert (shown["origins_excluded"], shown["origins_unmatched"]) == (1, 0)

    run(tmp_path, work)


def test_a_route_is_asked_for_by_a_word_that_is_matched_or_by_its_name(tmp_path: Path) -> None:
    async def work(node: Node, pipeline: Pipeline) -> None:
        node.pod("word", {"logship/route": "app"})
        node.pod("named", {"logship/route": "rest"})
        node.pod("mixed", {"logship/route": "rest", "app.logship/route": "app"})
        node.pod("plain", {})
        node.tell()
        await until(lambda: len(node.texts("rest")) == 3 and len(node.texts("word")) == 4)
        await until(lambda: len(node.texts("errors")) == 1)
        assert node.texts("word") == {"word/app", "word/app err", "mixed/app", "mixed/app err"}
        assert node.texts("rest") == {"named/app", "named/app err", "plain/app"}  # past `errors`
        assert node.texts("errors") == {"plain/app err"}
        assert not pipeline.origins.wishes.counts

    run(tmp_path, work)


WRONG = {
    "logship/exclude": ("yes", "wrong_value", "true or false"),
    "logship/route": ("nowhere", "no_such_route", "by-word, errors, shops, rest"),
    "logship/format": ("jsn", "wrong_value", "cri, docker or auto"),
    "logship/multiline": ("cobol", "wrong_value", "java"),
    "logship/limit": ("fast", "wrong_value", "100KiB"),
    "logship/severity_keys": ("a,,b", "wrong_value", "severity,level"),
    "logship/multi-line": ("java", "unknown_name", "logship/multiline"),
}


@pytest.mark.parametrize("annotation", WRONG)
def test_a_wrong_annotation_stops_nothing_and_is_told_everywhere(
    tmp_path: Path, annotation: str, caplog: pytest.LogCaptureFixture
) -> None:
    value, reason, advice = WRONG[annotation]

    async def work(node: Node, pipeline: Pipeline) -> None:
        node.pod("web", {annotation: value, "example.com/else": "x", "logship/mine": "y"})
        node.tell()
        await until(lambda: len(node.notices("rest")) == 1 and "web/app" in node.texts("rest"))
        node.write("web", "again", restart=1)  # a restart has the same annotations
        await until(lambda: "again" in node.texts("rest"))
        (notice,) = node.notices("rest")
        assert notice["labels"] == {"logship/notice": "annotation"}
        assert notice["pod"] == "web"
        fields = notice["fields"]
        assert isinstance(fields, dict)
        assert fields["severity"] == "WARNING"
        for word in (annotation, f"`{value}`", advice):
            assert word in fields["message"]
        assert not node.notices("errors")
        shown = await status(pipeline)
        problems = shown["annotation_problems"]
        assert isinstance(problems, dict)
        (latest,) = problems["latest"]
        assert latest.items() >= {
            "namespace": "shop", "pod": "web", "container": "app", "annotation": annotation,
            "value": value, "reason": reason,
        }.items()  # fmt: skip
        assert pipeline.origins.wishes.counts == {reason: 1}
        counters = [route.counters for route in pipeline.routes]
        assert sum(c.made_rows for c in counters) == 1
        assert sum(c.unaccounted for c in counters) == 0

    run(tmp_path, work)
    said = [r.getMessage() for r in caplog.records if "annotation is ignored" in r.getMessage()]
    assert len(said) == 1


def test_a_route_whose_match_does_not_take_the_pod_is_told(tmp_path: Path) -> None:
    async def work(node: Node, pipeline: Pipeline) -> None:
        node.pod("web", {"logship/route": "by-word"})
        node.tell()
        await until(lambda: len(node.notices("rest")) == 1 and "web/app" in node.texts("rest"))
        assert pipeline.origins.wishes.counts == {"route_does_not_match": 1}

    run(tmp_path, work)


def test_an_annotation_that_becomes_wrong_later_is_told_too(tmp_path: Path) -> None:
    async def work(node: Node, pipeline: Pipeline) -> None:
        node.pod("web", {"logship/limit": "1MiB"})
        node.tell()
        await until(lambda: "web/app" in node.texts("rest"))
        (entry,) = pipeline.origins.entries.values()
        binding = entry.bindings["rest" if "rest" in entry.bindings else "shops"]
        assert binding.throttle is not None
        assert binding.throttle.bytes_per_sec == 1 << 20
        node._pods.clear()
        node.pod("web", {"logship/limit": "2MiB", "logship/exclude": "perhaps"})
        node.tell()
        await until(lambda: len(node.notices("rest")) == 1)
        assert binding.throttle.bytes_per_sec == 2 << 20

    run(tmp_path, work)


@pytest.mark.parametrize(
    ("value", "reason"), [("nowhere", "no_such_route"), ("by-word", "route_does_not_match")]
)
def test_a_route_that_becomes_wrong_is_told_at_once_and_changes_nothing(
    tmp_path: Path, value: str, reason: str
) -> None:
    async def work(node: Node, pipeline: Pipeline) -> None:
        node.pod("web", {"logship/route": "rest"})
        node.tell()
        await until(lambda: node.texts("rest") == {"web/app", "web/app err"})
        node._pods.clear()
        node.pod("web", {"logship/route": value})
        node.tell()
        await until(lambda: len(node.notices("rest")) == 1)
        node.write("web", "more")
        await until(lambda: {"more", "more err"} <= node.texts("rest"))  # past `errors`, as before
        assert pipeline.origins.wishes.counts == {reason: 1}

    run(tmp_path, work)


def test_one_problem_of_a_pod_is_told_in_one_stream_and_each_containers_own_in_its(
    tmp_path: Path,
) -> None:
    async def work(node: Node, pipeline: Pipeline) -> None:
        wrong = {"logship/limit": "fast", "a.logship/route": "x", "b.logship/route": "y"}
        node.pod("web", wrong, "a", "b", "c")
        node.tell()
        await until(lambda: len(node.notices("rest")) == 3 and len(node.texts("rest")) == 3)
        told = {(row["container"], str(row["fields"])[:120]) for row in node.notices("rest")}
        assert sum("annotation logship/limit" in text for _, text in told) == 1
        for container in "ab":
            name = f"annotation {container}.logship/route"
            assert [where for where, text in told if name in text] == [container]
        assert pipeline.origins.wishes.counts == {"wrong_value": 1, "no_such_route": 2}

    run(tmp_path, work)
