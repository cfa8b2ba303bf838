"""What a changed configuration touches, and what it leaves alone."""

import asyncio
from pathlib import Path

import pytest

from logship.reload.exchange import DRAIN_SECS
from tests.logship.reload.reload_stage import Options, Stage, configured, on_stage

REST: Options = {"name": "rest", "to": "a"}
ERRORS: Options = {"name": "errors", "when": {"stream": "stderr"}, "to": "b"}


def rows(start: int, stop: int) -> list[str]:
    return [f"row {number}" for number in range(start, stop)]


def test_a_sink_that_a_route_goes_to_now_gets_what_comes_next(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.say("shop_web", *rows(0, 100))
        await stage.quiet()
        await stage.applied(configured(stage.root, [{**REST, "to": "b"}]))
        stage.say("shop_web", *rows(100, 200))
        await stage.quiet()
        assert stage.to["a"].texts == rows(0, 100)
        assert stage.to["b"].texts == rows(100, 200)

    on_stage(tmp_path, lambda root: configured(root, [REST]), work)


def test_a_route_that_did_not_change_keeps_its_bindings_and_its_sink(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.say("shop_web", *rows(0, 100))
        await stage.quiet()
        route = stage.agent.assembly.routes["rest"].route
        bindings = set(route.bindings)
        sink = stage.agent.sinks["a"]
        more: Options = {"name": "copy", "to": "c", "continue": True, "start_from": "beginning"}
        await stage.applied(configured(stage.root, [more, REST]))
        await stage.quiet()
        assert stage.agent.assembly.routes["rest"].route is route
        assert set(route.bindings) == bindings
        assert stage.agent.sinks["a"] is sink
        assert stage.to["a"].starts == 1
        assert stage.to["c"].texts == rows(0, 100)

    on_stage(tmp_path, lambda root: configured(root, [REST]), work)


def test_rows_that_change_hands_are_neither_left_out_nor_missed(tmp_path: Path) -> None:
    """The sink of `errors` is down, so it is behind when its condition goes."""

    async def work(stage: Stage) -> None:
        stage.to["b"].fails = True
        stage.say("shop_web", *rows(0, 50), stream="stderr")
        stage.say("shop_web", *rows(50, 100))
        await stage.quiet_but("errors")
        assert stage.to["a"].texts == rows(50, 100)
        await stage.applied(configured(stage.root, [REST]))
        await stage.quiet()
        assert set(stage.to["a"].texts) == set(rows(0, 100))

    on_stage(tmp_path, lambda root: configured(root, [ERRORS, REST]), work)


def test_a_new_route_gets_what_others_had_settled_and_closed(tmp_path: Path) -> None:
    """Its `start_from` leads into files that were rotated, read and closed before it came."""

    async def work(stage: Stage) -> None:
        for number in range(3):
            stage.say("shop_web", *rows(100 * number, 100 * number + 100))
            await stage.quiet()
            stage.rotate("shop_web")
        stage.say("shop_web", "last")
        await asyncio.sleep(5)
        assert stage.agent.origins.descriptors.open == 1, "else this test shows nothing"
        copy: Options = {"name": "copy", "to": "b", "continue": True, "start_from": "beginning"}
        await stage.applied(configured(stage.root, [copy, REST]))
        await stage.quiet()
        assert stage.to["b"].texts == [*rows(0, 300), "last"]
        assert sorted(stage.to["a"].texts) == sorted([*rows(0, 300), "last"])

    on_stage(tmp_path, lambda root: configured(root, [REST]), work)


def test_start_from_counts_back_from_the_reload_that_brings_the_route(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.say("shop_web", *rows(0, 10))
        await asyncio.sleep(1000)
        stage.say("shop_web", *rows(10, 20))
        await stage.quiet()
        copy: Options = {"name": "copy", "to": "b", "continue": True, "start_from": 600}
        await stage.applied(configured(stage.root, [copy, REST]))
        await stage.quiet()
        assert stage.to["b"].texts == rows(10, 20)

    on_stage(tmp_path, lambda root: configured(root, [REST]), work)


def test_a_route_that_takes_more_begins_there_at_its_start_from(tmp_path: Path) -> None:
    """Not with all that ever was: nobody had wanted those rows before."""

    def of(root: Path, *namespaces: str) -> Options:
        match = {"namespace": list(namespaces)}
        return configured(root, [{**REST, "match": match, "start_from": 600}])

    async def work(stage: Stage) -> None:
        stage.say("bank_web", *rows(0, 10))
        await asyncio.sleep(1000)
        stage.say("bank_web", *rows(10, 20))
        await stage.quiet()
        await stage.applied(of(stage.root, "shop", "bank"))
        await stage.quiet()
        assert stage.to["a"].texts == rows(10, 20)

    on_stage(tmp_path, lambda root: of(root, "shop"), work)


def test_a_new_route_takes_over_where_the_one_that_had_the_origin_ended(tmp_path: Path) -> None:
    """However late its `start_from` is: no row falls between the two."""

    async def work(stage: Stage) -> None:
        stage.to["a"].fails = True
        stage.say("shop_web", *rows(0, 100))
        await asyncio.sleep(30)
        takes: Options = {"name": "takes", "to": "b", "start_from": "now"}
        await stage.applied(configured(stage.root, [takes]))
        stage.say("shop_web", *rows(100, 200))
        await stage.quiet()
        assert stage.to["b"].texts == rows(0, 200)
        assert stage.to["a"].texts == []

    on_stage(tmp_path, lambda root: configured(root, [REST]), work)


def test_a_renamed_route_goes_on_where_it_was(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.say("shop_web", *rows(0, 100))
        await stage.quiet()
        await stage.applied(configured(stage.root, [{"name": "all", "was": "rest", "to": "b"}]))
        stage.say("shop_web", *rows(100, 200))
        await stage.quiet()
        assert stage.to["b"].texts == rows(100, 200)

    on_stage(tmp_path, lambda root: configured(root, [REST]), work)


def test_a_route_that_comes_back_goes_on_where_it_left(tmp_path: Path) -> None:
    """Positions of a removed route are kept; nobody else had its rows."""

    async def work(stage: Stage) -> None:
        copy: Options = {"name": "copy", "to": "b", "continue": True, "start_from": "beginning"}
        await stage.applied(configured(stage.root, [copy, REST]))
        stage.say("shop_web", *rows(0, 100))
        await stage.quiet()
        await stage.applied(configured(stage.root, [REST]))
        stage.say("shop_web", *rows(100, 200))
        await stage.quiet()
        await stage.applied(configured(stage.root, [copy, REST]))
        await stage.quiet()
        assert stage.to["b"].texts == rows(0, 200)
        assert stage.to["a"].texts == rows(0, 200)

    on_stage(tmp_path, lambda root: configured(root, [REST]), work)


def test_what_a_route_has_in_flight_is_delivered_before_it_ends(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.to["a"].secs = 2.0
        stage.say("shop_web", *rows(0, 50))
        await asyncio.sleep(0.5)
        assert stage.agent.routes[0].budget.held
        await stage.applied(configured(stage.root, [{**REST, "to": "b"}]))
        await stage.quiet()
        assert sorted([*stage.to["a"].texts, *stage.to["b"].texts]) == sorted(rows(0, 50))
        assert stage.to["a"].texts

    on_stage(tmp_path, lambda root: configured(root, [REST]), work)


def test_a_route_whose_sink_hangs_ends_after_a_while_and_its_memory_is_free(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.to["a"].secs = 3600.0
        stage.say("shop_web", *rows(0, 50))
        await asyncio.sleep(1)
        began = stage.now()
        await stage.applied(configured(stage.root, [{**REST, "to": "b"}]))
        assert stage.now() - began < DRAIN_SECS + 1
        await stage.quiet()
        assert stage.to["b"].texts == rows(0, 50)
        assert [budget.held for budget in stage.agent.assembly.senders.budgets.values()] == [0]

    on_stage(tmp_path, lambda root: configured(root, [REST]), work)


def test_memory_is_divided_anew(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        (before,) = stage.agent.routes
        copy: Options = {"name": "copy", "to": "b", "continue": True}
        await stage.applied(configured(stage.root, [copy, REST], memory={"max_bytes": 2 << 20}))
        copied, rest = stage.agent.routes
        assert rest is before
        assert copied.budget.own_bytes == rest.budget.own_bytes == (2 << 20) // 2
        await stage.applied(configured(stage.root, [REST], memory={"max_bytes": 64 << 20}))
        assert rest.budget.max_bytes == 64 << 20

    on_stage(tmp_path, lambda root: configured(root, [REST], memory={"max_bytes": 1 << 20}), work)


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


def test_a_route_that_comes_back_does_not_get_what_another_had_meanwhile(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.say("shop_web", *rows(0, 50), stream="stderr")
        await stage.quiet()
        await stage.applied(configured(stage.root, [REST]))
        stage.say("shop_web", *rows(50, 100), stream="stderr")
        await stage.quiet()
        await stage.applied(configured(stage.root, [ERRORS, REST]))
        stage.say("shop_web", *rows(100, 150), stream="stderr")
        await stage.quiet()
        assert stage.to["b"].texts == [*rows(0, 50), *rows(100, 150)]
        assert stage.to["a"].texts == rows(50, 100)

    on_stage(tmp_path, lambda root: configured(root, [ERRORS, REST]), work)


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


def test_a_binding_that_does_not_end_after_all_goes_on(tmp_path: Path) -> None:
    """Its pod's labels changed while it ran dry."""

    async def work(stage: Stage) -> None:
        stage.say("shop_web", *rows(0, 50))
        await stage.quiet()
        (binding,) = stage.agent.routes[0].bindings
        await binding.run_dry()
        stage.say("shop_web", *rows(50, 100))
        await asyncio.sleep(5)
        assert stage.to["a"].texts == rows(0, 50)
        await stage.applied(configured(stage.root, [REST], drain_timeout_secs=1))
        await stage.quiet()
        assert stage.to["a"].texts == rows(0, 100)

    on_stage(tmp_path, lambda root: configured(root, [REST]), work)


def test_what_a_route_has_dropped_and_not_announced_is_read_by_the_one_that_goes_on(
    tmp_path: Path,
) -> None:
    shed = {"rules": [{"name": "debug", "severity": "DEBUG"}], "throttled_secs": 5,
            "rotation_risk_secs": None}  # fmt: skip
    sheds: Options = {**REST, "shed": shed}

    async def work(stage: Stage) -> None:
        stage.to["a"].fails = stage.to["a"].throttles = True
        texts = [
            f'{{"severity": "{level}", "message": "{n}"}}'
            for n in range(200) for level in ("DEBUG", "ERROR")
        ]  # fmt: skip
        for number in range(0, len(texts), 10):
            stage.say("shop_web", *texts[number : number + 10])
            await asyncio.sleep(2)
        (route,) = stage.agent.routes
        assert route.counters.dropped_rows.total(), "else this test shows nothing"
        await stage.applied(configured(stage.root, [{**sheds, "to": "b"}]))
        await stage.quiet()
        assert set(stage.to["b"].texts) >= set(texts)

    on_stage(tmp_path, lambda root: configured(root, [sheds]), work)
