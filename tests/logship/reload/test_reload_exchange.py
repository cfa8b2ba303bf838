"""What a changed configuration touches, and what it leaves alone."""

import asyncio
from pathlib import Path

from logship.reload.exchange import DRAIN_SECS
from tests.logship.reload.changing import REST, rows
from tests.logship.reload.reload_stage import Options, Stage, configured, on_stage


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
