"""What is gone is kept for a while, and not more of it than that."""

import asyncio
from pathlib import Path

from logship_tail.kept import Keep, Kept

from logship.testing.virtual_time import VirtualClock, run_virtual
from tests.plugins.logship_tail.api_stub import answer, event, serving
from tests.plugins.logship_tail.following import following, web


def test_what_is_gone_is_kept_for_its_time_and_forgotten_without_another_word() -> None:
    async def work() -> None:
        kept: Kept[str, int] = Kept(VirtualClock(), Keep(60.0, 10))
        assert kept.put({"a": 1, "b": 2})
        assert not kept.put({"a": 1})
        kept.remove(["a", "never there"])
        await asyncio.sleep(59)
        kept.forget_old()
        assert kept.get("a") == 1
        await asyncio.sleep(1)
        kept.forget_old()
        assert (kept.get("a"), kept.get("b")) == (None, 2)

    run_virtual(work())


def test_of_too_many_the_oldest_are_forgotten() -> None:
    async def work() -> None:
        kept: Kept[int, int] = Kept(VirtualClock(), Keep(60.0, 3))
        kept.put({n: n for n in range(10)})
        for n in range(6):
            kept.remove([n])
            await asyncio.sleep(1)
        assert [n for n in range(10) if kept.get(n) is None] == [0, 1, 2]
        kept.put({4: 4})  # it is there again: two are gone now
        kept.remove([9])
        assert [n for n in range(10) if kept.get(n) is None] == [0, 1, 2]

    run_virtual(work())


def test_labels_of_the_namespace_are_known_with_those_of_the_pod(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.pods = [web("one")]
            namespace = {"metadata": {"name": "shop", "labels": {"team": "retail"}}}
            stub.namespaces = [namespace]
            async with following(stub, tmp_path, namespaces=True) as known:
                await known.until(lambda: known.labels("web", "u1").known)
                labels = known.labels("web", "u1")
                assert labels.get("namespace_label:team") == "retail"
                assert labels.get("label:app") == "one"
                (asked,) = [
                    r for r in stub.requests if "namespaces" in r.path and not r.query.get("watch")
                ]
                assert dict(asked.query) == {"resourceVersion": "0"}
                changed = {"metadata": {"name": "shop", "labels": {"team": "web"}}}
                stub.namespace_stream.put_nowait(event("MODIFIED", changed))
                await known.until(
                    lambda: known.labels("web", "u1").get("namespace_label:team") == "web"
                )

    asyncio.run(scenario())


def test_without_the_right_to_namespaces_a_pod_is_not_known_but_its_labels_are(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.pods = [web("one")]
            stub.of_namespaces = answer(403)
            async with following(stub, tmp_path, namespaces=True) as known:
                await known.until_app("one")
                assert not known.labels("web", "u1").known

    asyncio.run(scenario())
