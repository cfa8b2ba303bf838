"""What a changed configuration touches, and what it leaves alone."""

from pathlib import Path

import pytest
from tests.logship.reload.reload_stage import Options, Stage, configured, on_stage

REST: Options = {"name": "rest", "to": "a"}
ERRORS: Options = {"name": "errors", "when": {"stream": "stderr"}, "to": "b"}


def rows(start: int, stop: int) -> list[str]:
    return [f"row {number}" for number in range(start, stop)]


def test_a_sink_that_a_route_goes_to_now_gets_what_comes_next(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.say("shop_web", *rows(0, 100))
        await stage.quiet()
        answer = await stage.reload(configured(stage.root, [{**REST, "to": "b"}]))
        assert answer.result == "applied", answer
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
        assert (await stage.reload(configured(stage.root, [more, REST]))).result == "applied"
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
        assert (await stage.reload(configured(stage.root, [REST]))).result == "applied"
        await stage.quiet()
        assert set(stage.to["a"].texts) == set(rows(0, 100))

    on_stage(tmp_path, lambda root: configured(root, [ERRORS, REST]), work)
