"""What a change means for origins: of sources that change, and those that no route took."""

import asyncio
from pathlib import Path

import pytest

from tests.logship.reload.changing import ERRORS, REST, rows
from tests.logship.reload.reload_stage import Options, Stage, configured, on_stage


def test_origins_that_no_route_took_are_read_when_one_does(tmp_path: Path) -> None:
    only_bank: Options = {**REST, "match": {"namespace": "bank"}}

    async def work(stage: Stage) -> None:
        stage.say("shop_web", *rows(0, 10))
        await stage.quiet()
        assert (stage.agent.origins.unmatched, stage.agent.origins.descriptors.open) == (1, 0)
        await stage.applied(configured(stage.root, [{**REST, "start_from": "beginning"}]))
        stage.say("shop_web", *rows(10, 20))
        await stage.quiet()
        assert stage.to["a"].texts == rows(0, 20)
        await stage.applied(configured(stage.root, [only_bank]))
        await stage.quiet()
        assert stage.agent.origins.descriptors.open == 0

    on_stage(tmp_path, lambda root: configured(root, [only_bank]), work)


def sourced(root: Path, **sources: Options) -> Options:
    """One route that reads all of these sources."""
    trees = {name: {"type": "tree", "root": str(root), **more} for name, more in sources.items()}
    return configured(root, [{**REST, "from": list(trees)}], sources=trees)


def test_a_changed_source_keeps_what_it_names_and_lets_go_of_the_rest(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.say("shop_web", *rows(0, 100))
        stage.say("bank_web", *rows(100, 200))
        await stage.quiet()
        (route,) = stage.agent.routes
        kept = [b for b in route.bindings if b.feed.origin.key == "shop_web"]
        await stage.applied(sourced(stage.root, pods={"exclude": ["bank"]}))
        await asyncio.sleep(1)
        assert list(route.bindings) == kept
        stage.say("shop_web", *rows(200, 300))
        stage.say("bank_web", "not wanted")
        await stage.quiet()
        await stage.applied(sourced(stage.root, pods={}))
        await stage.quiet()
        assert sorted(stage.to["a"].texts) == sorted([*rows(0, 300), "not wanted"])

    on_stage(tmp_path, lambda root: sourced(root, pods={}), work)


@pytest.mark.parametrize("name", ["pods", "renamed"])
def test_a_pod_that_goes_while_its_source_changes_is_read_to_its_end(
    tmp_path: Path, name: str
) -> None:
    """Its sink is down, so only the agent's descriptors hold its rows."""

    async def work(stage: Stage) -> None:
        stage.to["a"].fails = True
        stage.say("shop_web", *rows(0, 100))
        stage.say("shop_other", *rows(100, 200))
        await asyncio.sleep(20)
        stage.say("shop_web", *rows(200, 300))
        stage.rotate("shop_web")
        stage.say("shop_web", *rows(300, 400))
        await asyncio.sleep(5)
        for path in (stage.root / "shop_web").glob("0.log.*"):
            path.unlink()
        stage.remove("shop_other")
        await stage.applied(sourced(stage.root, **{name: {"exclude": ["bank"]}}))
        await asyncio.sleep(5)
        stage.to["a"].fails = False
        await stage.quiet()
        wanted = rows(0, 400) if name == "pods" else [*rows(0, 100), *rows(200, 400)]
        assert sorted(stage.to["a"].texts) == sorted(wanted)

    on_stage(tmp_path, lambda root: sourced(root, pods={}), work)


def test_an_origin_whose_metadata_is_awaited_now_waits_at_its_place(tmp_path: Path) -> None:
    match = {"annotations": {"route": "app"}}
    app: Options = {"name": "app", "match": match, "to": "b", "start_from": "now"}

    def unknown(root: Path, *routes: Options) -> Options:
        tree = {"type": "tree", "root": str(root), "known": False}
        return configured(root, routes, sources={"pods": tree})

    async def work(stage: Stage) -> None:
        stage.say("shop_web", *rows(0, 100))
        await stage.quiet()
        await stage.applied(unknown(stage.root, app, REST))
        stage.say("shop_web", *rows(100, 200))
        stage.rotate("shop_web")
        stage.say("shop_web", *rows(200, 300))
        await asyncio.sleep(30)
        assert stage.to["a"].texts == rows(0, 100)
        stage.remove("shop_web")
        await asyncio.sleep(30)  # at risk, so `on_unknown` decides
        await stage.quiet()
        assert stage.to["a"].texts == rows(0, 100)
        assert stage.to["b"].texts == rows(100, 300)

    on_stage(tmp_path, lambda root: unknown(root, REST), work)


def test_routes_that_change_while_an_origin_is_being_bound_are_the_ones_it_goes_to(
    tmp_path: Path,
) -> None:
    """To find `start_from` in a file that is not in memory takes a while."""

    def of(root: Path, *routes: Options) -> Options:
        return configured(root, [{**route, "start_from": 600} for route in routes])

    async def work(stage: Stage) -> None:
        stage.say("shop_web", *rows(0, 50), stream="stderr")
        await asyncio.sleep(1000)
        stage.say("shop_web", *rows(50, 100), stream="stderr")
        await stage.quiet()
        slow = stage.read_slowly(2.0)
        late: Options = {"name": "late", "to": "c", "continue": True}
        await stage.applied(of(stage.root, late, ERRORS, REST))
        await asyncio.sleep(1)
        assert slow.reads, "else this test shows nothing"
        await stage.applied(of(stage.root, {**late, "when": {"stream": "stdout"}}, REST))
        slow.secs = 0.0
        stage.say("shop_web", *rows(100, 150), stream="stderr")
        stage.say("shop_web", "out", stream="stdout")
        await stage.quiet()
        assert stage.to["c"].texts == ["out"]
        assert sorted(stage.to["a"].texts) == sorted([*rows(100, 150), "out"])

    on_stage(tmp_path, lambda root: of(root, ERRORS, REST), work)
