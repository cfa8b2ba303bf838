"""From where on routes read after a change: no row is left out between two of them."""

import asyncio
from pathlib import Path

from tests.logship.reload.changing import ERRORS, REST, rows
from tests.logship.reload.reload_stage import Options, Stage, configured, on_stage


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
