"""What is known of pods from the API: of which, how much, and for how long."""

import asyncio
import json
from pathlib import Path

import pytest
from logship_tail.kubernetes import Kubernetes, KubernetesConfig, MetadataConfig
from logship_tail.pod_events import Lines
from logship_tail.pods import CONFIG_HASH
from logship_tail.reflecting import Timing, pause

from logship.testing import context
from tests.plugins.logship_tail.api_stub import (
    answer,
    event,
    gone_event,
    pod,
    serving,
)
from tests.plugins.logship_tail.following import following, web
from tests.plugins.logship_tail.recording import container, running


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
                    "annotation:logship/route": "app",
                    "owner_kind": "ReplicaSet", "owner_name": "web-5d9",
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
    assert [pause(n, timing, 0.0) for n in (0, 1, 2, 10, 10**6)] == [0.1, 0.2, 0.4, 6.0, 6.0]
    assert pause(10, timing, 0.999) < 60.0


def test_a_line_has_a_bound_in_every_cut() -> None:
    assert Lines(3).feed(b"abc\n\nd\n") == [b"abc", b"d"]
    with pytest.raises(ValueError, match="more than 3 bytes"):
        Lines(3).feed(b"abcd\n")
    lines = Lines(3)
    assert lines.feed(b"ab") == []
    with pytest.raises(ValueError, match="more than 3 bytes"):
        lines.feed(b"cd")


def test_what_was_known_of_a_log_that_is_still_there_is_not_forgotten(tmp_path: Path) -> None:
    """Its pod was deleted long ago; its last rows are still to be delivered."""
    (container(tmp_path / "pods", "shop_web_u1") / "0.log").touch()
    path = tmp_path / "pods.json"

    def told(*pods: dict[str, object]) -> None:
        new = tmp_path / "new"
        new.write_text(json.dumps({"pods": pods}))
        new.replace(path)

    web, api = ({"namespace": "shop", "name": name, "labels": {"app": name}} for name in "wa")
    web["name"] = "web"

    async def scenario() -> None:
        metadata = MetadataConfig(from_="file", path=str(path), keep_secs=0.0)
        config = KubernetesConfig(root=str(tmp_path / "pods"), metadata=metadata)
        async with running(Kubernetes(config, context("containers"))) as catalog:
            told(web)
            key = "test/u1/app/0"
            await catalog.until(lambda: key in catalog.keys and catalog.labels[key].known)
            (container(tmp_path / "pods", "shop_a_u2") / "0.log").touch()
            told(api)
            await catalog.until(
                lambda: "test/u2/app/0" in catalog.keys and catalog.labels["test/u2/app/0"].known
            )
            assert catalog.labels[key].get("label:app") == "w"

    asyncio.run(scenario())
