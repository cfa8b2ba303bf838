"""A configuration that cannot be put in force changes nothing, and what is wrong is said."""

import asyncio
from pathlib import Path

import pytest

from logship.config import load
from logship.reload.changes import refusals
from logship.reload.exchange import START_SECS
from logship.status import status
from tests.logship.reload.reload_stage import Options, Stage, configured, on_stage

REST: Options = {"name": "rest", "to": "a"}


def plain(root: Path) -> Options:
    return configured(root, [REST])


def with_sink(root: Path, **options: object) -> Options:
    config = plain(root)
    config["sinks"] = {"a": {"type": "note", "to": "a"}, "b": {"type": "note", "to": "b"},
                       "c": {"type": "note", "to": "c", **options}}  # fmt: skip
    return config


def test_every_problem_is_told_with_its_place_in_the_log_and_the_status(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(stage: Stage) -> None:
        good = stage.write(plain(stage.root))
        bad = good.replace("to: a\n", "to: nowhere\n", 1) + "colour: red\n"
        assert (await stage.reload(bad)).result == "refused"
        shown = (await status(stage.agent))["config"]
        assert isinstance(shown, dict)
        assert shown["last_reload_successful"] is False
        file = tmp_path / "logship.yaml"
        problems = [problem.split(": ", 2) for problem in shown["problems"]]
        assert [(place.startswith(f"{file}:"), path) for place, path, _ in problems] == [
            (True, "routes[0].to"), (True, "colour"),
        ]  # fmt: skip
        for problem in shown["problems"]:
            assert problem in caplog.text
        await stage.applied(stage_config := plain(stage.root) | {"drain_timeout_secs": 7})
        assert stage.agent.config.drain_timeout_secs == stage_config["drain_timeout_secs"]
        assert stage.agent.reloads.successful

    on_stage(tmp_path, plain, work)


def test_the_file_that_is_in_force_again_ends_the_trouble(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        good = stage.write(plain(stage.root))
        assert (await stage.reload("sources: [")).result == "refused"
        assert (await stage.reload(good)).result == "unchanged"
        assert stage.agent.reloads.successful

    on_stage(tmp_path, plain, work)


@pytest.mark.parametrize("how", ["misconfigured", "bug", "hangs"])
def test_a_sink_that_cannot_start_leaves_nothing_open(tmp_path: Path, how: str) -> None:
    async def work(stage: Stage) -> None:
        before, began = stage.agent.assembly, stage.now()
        config = with_sink(stage.root, on_start=how)
        config["sinks"]["b"]["version"] = 2  # type: ignore[index]  # started before it
        answer = await stage.reload(config)
        assert (answer.result, stage.agent.assembly is before) == ("refused", True)
        assert "sinks.c" in answer.text
        assert stage.now() - began <= START_SECS + 1
        assert (stage.to["b"].starts, stage.to["b"].closes) == (2, 1)
        stage.say("shop_web", "row")
        await stage.quiet()
        assert stage.to["a"].texts == ["row"]

    on_stage(tmp_path, plain, work)


def test_sinks_that_are_gone_are_closed_and_all_in_the_end(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        await stage.applied(with_sink(stage.root, version=1))
        assert (stage.to["c"].starts, stage.to["c"].closes) == (2, 1)

    stage = on_stage(tmp_path, plain, work)
    assert {name: (there.starts, there.closes) for name, there in stage.to.items()} == {
        "a": (1, 1), "b": (1, 1), "c": (2, 2), "out": (0, 0),
    }  # fmt: skip


def test_an_agent_that_is_told_to_stop_does_not_wait_for_a_reload(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        reloading = asyncio.ensure_future(stage.reload(with_sink(stage.root, on_start="hangs")))
        await asyncio.sleep(1)
        began = stage.now()
        stage.stop.set()
        assert "stops" in (await reloading).text
        assert stage.now() - began < 1

    on_stage(tmp_path, plain, work)


@pytest.mark.parametrize(
    ("option", "value"),
    [("state_dir", "/x"), ("cluster", "x"), ("node", "x"), ("admin.listen", "127.0.0.1:1")],
)
def test_what_needs_a_restart_is_refused_by_name(tmp_path: Path, option: str, value: str) -> None:
    async def work(stage: Stage) -> None:
        name, _, inner = option.partition(".")
        more = {name: {inner: value} if inner else value}
        answer = await stage.reload(plain(stage.root) | more)
        assert answer.result == "refused"
        assert f"{option}: `{inner or name}` cannot be changed while the agent runs" in answer.text

    on_stage(tmp_path, plain, work)


def test_all_other_options_of_the_agent_can_be_changed(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        more: Options = {
            "memory": {"max_bytes": 2 << 20}, "held": {"max_files": 7}, "log_level": "debug",
            "dead_letters": {"max_age_secs": 60}, "admin": {"reload": True},
        }  # fmt: skip
        await stage.applied(plain(stage.root) | more)
        assert stage.agent.held.bounds.max_files == 7

    on_stage(tmp_path, plain, work)


def test_an_option_nobody_has_taught_to_change_is_refused(tmp_path: Path) -> None:
    """Options that come later are not ignored by accident."""
    text = "sources: {s: {type: files, paths: [/x]}}\n" \
        "routes: [{name: r, from: [s], to: o}]\nsinks: {o: {type: 'null'}}\n"  # fmt: skip
    from logship.registry import Registry

    config = load(text, file="x", env={}, registry=Registry.installed())
    assert refusals(config, config) == []
