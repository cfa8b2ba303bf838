"""An agent that is killed after its configuration has changed."""

import shutil
from pathlib import Path

from logship.testing.virtual_time import run_virtual
from tests.logship.reload.reload_stage import Options, Stage, configured, on_stage

REST: Options = {"name": "rest", "to": "a"}
ERRORS: Options = {"name": "errors", "when": {"stream": "stderr"}, "to": "b"}


def rows(start: int, stop: int) -> list[str]:
    return [f"row {number}" for number in range(start, stop)]


def test_what_a_route_has_taken_over_is_read_by_the_next_agent_too(tmp_path: Path) -> None:
    """`rest` was ahead of `errors`, and goes back for its rows; its sink is down by then."""
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()

    async def work(stage: Stage) -> None:
        stage.to["b"].fails = True
        stage.say("shop_web", *rows(0, 50), stream="stderr")
        stage.say("shop_web", *rows(50, 100))
        await stage.quiet_but("errors")
        stage.to["a"].fails = True
        await stage.applied(configured(stage.root, [REST]))
        await stage.pass_secs(2.5)
        shutil.copytree(before, after)  # as a kill would leave it

    on_stage(before, lambda root: configured(root, [ERRORS, REST]), work)

    async def next_one() -> list[str]:
        stage = Stage(after, configured(after / "pods", [REST]), "a", "b", "c")
        await stage.running(stage.quiet())
        return stage.to["a"].texts

    assert set(run_virtual(next_one())) == set(rows(0, 100))
