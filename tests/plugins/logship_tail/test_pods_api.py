"""Metadata of pods from the API, in all the ways it can fail, over real TLS on loopback."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from logship_tail.kubernetes import Kubernetes, KubernetesConfig, MetadataConfig
from logship_tail.pod_events import MAX_LINE_BYTES, Lines
from logship_tail.pods import CONFIG_HASH, Pods
from logship_tail.pods_api import Account, PodsFromApi, Timing, pause

from logship.api import Labels
from logship.testing import context
from tests.plugins.logship_tail.api_stub import (
    ApiStub,
    End,
    answer,
    bookmark,
    drop,
    event,
    gone_event,
    never,
    pod,
    serving,
)
from tests.plugins.logship_tail.recording import BOUND_SECS, container, running

QUICK = Timing(answer_secs=5.0, silence_secs=5.0, pause_secs=0.01, max_pause_secs=0.05)


@dataclass
class Known:
    """What the watcher of pods has learnt."""

    pods: Pods = field(init=False)
    changes: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self) -> None:
        self.changes += 1
        self._changed.set()

    def labels(self, name: str, uid: str) -> Labels:
        return self.pods.labels({"namespace": "shop", "pod": name, "uid": uid})

    def app(self, name: str = "web", uid: str = "u1") -> str:
        return self.labels(name, uid).get("label:app")

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(BOUND_SECS):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def until_app(self, app: str) -> None:
        await self.until(lambda: self.app() == app)


@asynccontextmanager
async def following(
    stub: ApiStub, directory: Path, timing: Timing = QUICK, keep_secs: float = 300.0
) -> AsyncIterator[Known]:
    here = context("containers")
    known = Known()
    known.pods = Pods(here.world.clock, keep_secs, known.note)
    account = Account(stub.url, str(directory / "token"), str(directory / "ca.crt"))
    task = asyncio.create_task(PodsFromApi(account, here, timing).run(known.pods))
    try:
        yield known
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.wait([task])
        here.world.offload.close()


def web(app: str) -> dict[str, object]:
    return pod("web", "u1", labels={"app": app})


def test_one_list_of_this_node_from_memory_then_a_watch_from_its_version(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.pods = [web("one")]
            async with following(stub, tmp_path) as known:
                await known.until_app("one")
                stub.stream.put_nowait(event("MODIFIED", web("two")))
                await known.until_app("two")
                assert len(stub.requests) == 2
                assert dict(stub.lists[0].query) == {
                    "fieldSelector": "spec.nodeName=node-1", "resourceVersion": "0",
                }  # fmt: skip
                assert dict(stub.watches[0].query) == {
                    "fieldSelector": "spec.nodeName=node-1", "resourceVersion": "1000",
                    "watch": "1", "allowWatchBookmarks": "true",
                }  # fmt: skip

    asyncio.run(scenario())


def test_labels_annotations_and_the_controller_are_known(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.pods = [
                pod(
                    "web", "u1", labels={"app": "web"},
                    annotations={"logship/route": "app", "huge": "x" * 5000},
                    ownerReferences=[
                        {"kind": "Other", "name": "no"},
                        {"kind": "ReplicaSet", "name": "web-5d9", "controller": True},
                    ],
                )
            ]  # fmt: skip
            async with following(stub, tmp_path) as known:
                await known.until_app("web")
                labels = known.labels("web", "u1")
                assert labels.known
                assert labels.values == {
                    "namespace": "shop", "pod": "web", "uid": "u1", "label:app": "web",
                    "annotation:logship/route": "app", "owner": "ReplicaSet/web-5d9",
                }  # fmt: skip
                assert not known.labels("web", "other").known

    asyncio.run(scenario())


def test_a_static_pod_is_known_by_the_hash_of_its_configuration(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            thief = pod("thief", "u2", labels={"app": "bad"}, annotations={CONFIG_HASH: "abc"})
            static = pod("web", "u1", labels={"app": "ok"}, annotations={CONFIG_HASH: "abc"})
            stub.pods = [static, thief]
            async with following(stub, tmp_path) as known:
                await known.until_app("ok")
                assert known.app("web", "abc") == "ok"
                assert not known.labels("other", "abc").known

    asyncio.run(scenario())


def test_events_cut_anywhere_are_put_together(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub, following(stub, tmp_path) as known:
            content = event("ADDED", web("one")) + bookmark("8") + event("MODIFIED", web("two"))
            for position in range(0, len(content), 7):
                stub.stream.put_nowait(content[position : position + 7])
            await known.until_app("two")
            assert len(stub.requests) == 2

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "trouble",
    [gone_event(), End.CLEAN, End.DROP, b"not json\n", b"x" * (MAX_LINE_BYTES + 2),
     event("ERROR", {"code": 500, "message": "etcd"})],
    ids=["410 event", "end", "lost connection", "not JSON", "endless line", "error"],
)  # fmt: skip
def test_after_the_watch_has_ended_pods_are_listed_again(
    tmp_path: Path, trouble: bytes | End
) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.pods = [web("one")]
            async with following(stub, tmp_path) as known:
                await known.until_app("one")
                stub.pods, stub.version = [web("two")], "2000"
                stub.stream.put_nowait(trouble)
                await known.until_app("two")
                stub.stream.put_nowait(event("MODIFIED", web("three")))
                await known.until_app("three")
                assert stub.watches[-1].query["resourceVersion"] == "2000"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "trouble",
    [answer(410), answer(500), answer(429), answer(403), answer(200, b"[]"), answer(200, b"{"),
     answer(302), drop],
    ids=["410", "500", "429", "403", "wrong JSON", "torn JSON", "redirect", "lost"],
)  # fmt: skip
@pytest.mark.parametrize("before", [0, 1], ids=["list", "watch"])
def test_after_a_failed_request_pods_are_listed_again(
    tmp_path: Path, trouble: Callable[..., object], before: int
) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            ok = answer(200, b'{"metadata":{"resourceVersion":"1"},"items":[]}')
            stub.answers.extend([ok] * before)
            stub.answers.append(trouble)  # type: ignore[arg-type]
            stub.pods = [web("one")]
            # aiohttp itself repeats a request whose reused connection was closed
            stub.stream.put_nowait(event("ADDED", web("one")))
            async with following(stub, tmp_path) as known:
                await known.until_app("one")

    asyncio.run(scenario())


def test_a_watch_that_falls_silent_is_left(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.pods = [web("one")]
            timing = Timing(silence_secs=0.2, pause_secs=0.01, max_pause_secs=0.05)
            async with following(stub, tmp_path, timing) as known:
                await known.until_app("one")
                stub.pods = [web("two")]
                await known.until_app("two")

    asyncio.run(scenario())


def test_a_server_that_never_answers_is_asked_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.answers.append(never)
            stub.pods = [web("one")]
            timing = Timing(answer_secs=0.2, pause_secs=0.01, max_pause_secs=0.05)
            async with following(stub, tmp_path, timing) as known:
                await known.until_app("one")

    asyncio.run(scenario())


def test_a_token_that_has_rotated_is_read_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.pods = [web("one")]
            async with following(stub, tmp_path) as known:
                await known.until_app("one")
                stub.token = "second"
                stub.pods = [web("two")]
                stub.stream.put_nowait(End.CLEAN)
                async with asyncio.timeout(BOUND_SECS):
                    while len(stub.lists) < 3:  # refused with the first token, and again
                        await asyncio.sleep(0.005)
                assert known.app() == "one"
                (tmp_path / "token").write_text("second")
                await known.until_app("two")

    asyncio.run(scenario())


def test_a_server_with_a_foreign_certificate_gets_no_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "other").mkdir()

    async def scenario() -> None:
        other = tmp_path / "other"
        async with serving(tmp_path) as stub, serving(other), following(stub, other) as known:
            async with asyncio.timeout(BOUND_SECS):
                while "CERTIFICATE_VERIFY_FAILED" not in caplog.text:
                    await asyncio.sleep(0.005)
            assert not known.labels("web", "u1").known
            assert not stub.requests

    asyncio.run(scenario())


def test_failures_are_said_once_and_their_end_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.answers.extend([answer(403)] * 5)
            stub.pods = [web("one")]
            async with following(stub, tmp_path) as known:
                await known.until_app("one")
                for app in ("two", "three"):
                    stub.pods = [web(app)]
                    stub.stream.put_nowait(End.CLEAN)
                    await known.until_app(app)

    with caplog.at_level(logging.INFO):
        asyncio.run(scenario())
    said = [r.message for r in caplog.records]
    assert len(said) == 2
    assert "get, list and watch on pods" in said[0]
    assert "up to date again" in said[1]


def test_a_deleted_pod_is_kept_for_a_while_and_then_forgotten(tmp_path: Path) -> None:
    async def scenario(keep_secs: float, kept: bool) -> None:
        async with serving(tmp_path) as stub:
            stub.pods = [web("one")]
            async with following(stub, tmp_path, keep_secs=keep_secs) as known:
                await known.until_app("one")
                stub.stream.put_nowait(event("DELETED", web("one")))
                stub.stream.put_nowait(event("ADDED", pod("api", "u2", labels={"app": "x"})))
                await known.until(lambda: known.app("api", "u2") == "x")
                assert known.labels("web", "u1").known == kept
                assert len(known.pods) == 1 + kept

    asyncio.run(scenario(300.0, True))
    asyncio.run(scenario(0.0, False))


def test_a_pod_that_a_new_list_lacks_counts_as_deleted(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.pods = [web("one")]
            async with following(stub, tmp_path, keep_secs=0.0) as known:
                await known.until_app("one")
                stub.pods = [pod("api", "u2", labels={"app": "x"})]
                stub.stream.put_nowait(gone_event())
                await known.until(lambda: known.app("api", "u2") == "x")
                assert not known.labels("web", "u1").known

    asyncio.run(scenario())


def test_an_event_that_changes_nothing_known_is_not_passed_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.pods = [web("one")]
            async with following(stub, tmp_path) as known:
                await known.until_app("one")
                stub.stream.put_nowait(event("MODIFIED", {**web("one"), "status": {"phase": "x"}}))
                stub.stream.put_nowait(event("NEWKIND", web("nine")))
                stub.stream.put_nowait(event("MODIFIED", web("two")))
                await known.until_app("two")
                assert known.changes == 2

    asyncio.run(scenario())


def test_an_origin_gets_its_labels_when_they_arrive_and_ships_without_the_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (container(tmp_path / "pods", "shop_web_u1") / "0.log").touch()

    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.answers.append(answer(503))
            stub.pods = [web("one")]
            host, port = stub.url.removeprefix("https://").split(":")
            monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
            monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
            metadata = MetadataConfig(
                token_path=str(tmp_path / "token"), ca_path=str(tmp_path / "ca.crt")
            )
            config = KubernetesConfig(root=str(tmp_path / "pods"), metadata=metadata)
            async with running(Kubernetes(config, context("containers"))) as catalog:
                key = "test/u1/app/0"
                await catalog.until_keys(key)
                assert not catalog.labels[key].known
                await catalog.until(lambda: catalog.labels[key].known)
                assert catalog.labels[key].get("label:app") == "one"
                (tmp_path / "pods" / "shop_web_u1" / "app" / "1.log").touch()
                await catalog.until_keys(key, "test/u1/app/1")
                assert catalog.labels["test/u1/app/1"].get("label:app") == "one"
                assert catalog.told("update", "test/u1/app/1") == 0
                stub.stream.put_nowait(event("MODIFIED", web("two")))
                await catalog.until(lambda: catalog.told("update", "test/u1/app/1") == 1)

    asyncio.run(scenario())


def test_pauses_grow_have_jitter_and_a_bound() -> None:
    timing = Timing(pause_secs=1.0, max_pause_secs=60.0)
    assert [pause(n, timing, 0.0) for n in (0, 1, 2, 10, 10**6)] == [0.5, 1.0, 2.0, 30.0, 30.0]
    assert pause(10, timing, 0.999) < 60.0


def test_a_line_has_a_bound_in_every_cut() -> None:
    assert Lines(3).feed(b"abc\n\nd\n") == [b"abc", b"d"]
    with pytest.raises(ValueError, match="more than 3 bytes"):
        Lines(3).feed(b"abcd\n")
    lines = Lines(3)
    assert lines.feed(b"ab") == []
    with pytest.raises(ValueError, match="more than 3 bytes"):
        lines.feed(b"cd")
