"""A hundred configurations in a row, a third of them broken, while pods write, rotate and go.

Nothing is lost, what arrives twice does so under the same id, and a route that no configuration
changed is not touched: the same objects, every row once, nothing given back or read again.

Broken on purpose, and then this failed: positions of ended bindings that others begin at (low) in
place of each route's own; the ended feeds that stay with the follower; files opened again for a
route that comes later.
"""

import asyncio
import os
import random
from pathlib import Path

import pytest

from tests.logship.reload.reload_stage import Options, Stage, configured, on_stage

RELOADS = 100
SEEDS = range(int(os.environ.get("RELOAD_SEEDS", "2")))
NAMESPACES = ("shop", "bank", "post")
STEADY: Options = {"name": "steady", "to": "c", "continue": True, "start_from": "beginning"}
BROKEN = (
    "sources: [", "{}", "routes: 1", "nothing", "sink", "init", "misconfigured", "bug", "hangs",
    "state_dir", "node", "twice",
)  # fmt: skip


def some_routes(chance: random.Random) -> list[Options]:
    """They always end in one that takes all that is left."""
    namespace = chance.choice(NAMESPACES)
    candidates: list[Options] = [
        {"name": "errors", "when": {"stream": "stderr"}},
        {"name": "errors", "when": {"stream": "stdout"}, "continue": chance.random() < 0.5},
        {"name": "some", "match": {"namespace": namespace}},
        {"name": "some", "match": {"namespace": namespace}, "when": {"severity": "ERROR"}},
        {"name": "other", "match": {"not": {"namespace": namespace}}, "when": {"stream": "stderr"}},
        {"name": "labelled", "continue": True, "transforms": [
            {"type": "add_labels", "labels": {"version": str(chance.randrange(3))}}]},
    ]  # fmt: skip
    chosen = {str(route["name"]): route for route in chance.sample(candidates, chance.randrange(5))}
    routes = list(chosen.values())
    chance.shuffle(routes)
    rest: Options = {"name": chance.choice(["rest", "rest", "last"])}
    if chance.random() < 0.2:
        rest["was"] = "last" if rest["name"] == "rest" else "rest"
    every = [{"to": chance.choice("ab"), **route} for route in (*routes, rest)]
    return [STEADY, *every]


def a_config(root: Path, chance: random.Random) -> Options:
    config = configured(root, some_routes(chance))
    config["memory"] = {"max_bytes": chance.choice([1 << 20, 8 << 20])}
    if chance.random() < 0.2:  # sinks of the routes that change are new ones
        for name in "ab":
            config["sinks"][name]["version"] = chance.randrange(3)  # type: ignore[index]
    return config


def a_broken_one(root: Path, chance: random.Random) -> Options | str:
    how = chance.choice(BROKEN)
    config = a_config(root, chance)
    if how in ("sources: [", "{}", "routes: 1"):
        return how
    if how == "nothing":
        return config | {"no_such_option": 1}
    if how == "sink":
        config["routes"][-1]["to"] = "nowhere"  # type: ignore[index]
    elif how == "twice":
        config["routes"] += [config["routes"][-1]]  # type: ignore[operator]
    elif how == "init":
        config["sinks"]["a"]["fails_init"] = True  # type: ignore[index]
    elif how in ("state_dir", "node"):
        config[how] = "/elsewhere"
    else:
        config["sinks"]["b"]["on_start"] = how  # type: ignore[index]
    return config


class Load:
    """Pods that write all the time."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self._stage, self._chance = stage, chance
        self.places = [f"{namespace}_{n}" for namespace in NAMESPACES for n in range(2)]
        self.texts: list[str] = []

    async def run(self) -> None:
        chance = self._chance
        for turn in range(10**9):
            place = chance.choice(self.places)
            stream = chance.choice(["stdout", "stderr"])
            first, level = len(self.texts), chance.choice(["INFO", "ERROR"])
            texts = [f"{level} row {first + n} of {place}" for n in range(chance.randrange(30))]
            self._stage.say(place, *texts, stream=stream)
            self.texts += texts
            if turn % 40 == 39:
                self._stage.rotate(place)
                self._stage.say(place)
            if turn % 200 == 199:
                await asyncio.sleep(0.5)  # the source has seen it
                self._stage.remove(place)
                self.places[self.places.index(place)] = f"{place.split('_')[0]}_{turn}"
            for name in "ab":
                self._stage.to[name].fails = chance.random() < 0.1
            await asyncio.sleep(chance.random() * 0.2)


def known_to_steady(stage: Stage) -> set[int]:
    built = stage.agent.assembly.routes["steady"]
    return {id(built.route), id(built.route.sender), id(built.route.budget), id(built.sink.sink)}


def bindings_of_steady(stage: Stage) -> dict[str, int]:
    bindings = stage.agent.assembly.routes["steady"].route.bindings
    return {binding.feed.origin.key: id(binding) for binding in bindings}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_hundred_configurations_lose_nothing_and_leave_alone_what_they_do_not_name(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)

    async def work(stage: Stage) -> None:
        load = Load(stage, chance)
        writing = asyncio.ensure_future(load.run())
        await asyncio.sleep(2)
        steady = known_to_steady(stage)
        bindings = bindings_of_steady(stage)
        refused = 0
        for number in range(RELOADS):
            broken = number % 3 == 2
            make = a_broken_one if broken else a_config
            answer = await stage.reload(make(stage.root, chance))
            assert (answer.result == "refused") == broken, answer
            refused += broken
            assert stage.agent.reloads.successful != broken
            assert known_to_steady(stage) == steady
            await asyncio.sleep(chance.random())
        writing.cancel()
        for name in "ab":
            stage.to[name].fails = False
        await stage.quiet()
        assert refused == RELOADS // 3
        now = bindings_of_steady(stage)
        assert all(now.get(key) in (None, binding) for key, binding in bindings.items())
        check(stage, load)

    on_stage(tmp_path, lambda root: configured(root, [STEADY, {"name": "rest", "to": "a"}]), work)


def check(stage: Stage, load: Load) -> None:
    counters = stage.agent.assembly.routes["steady"].route.counters
    assert (counters.reread_rows, counters.released_rows, counters.lost_events) == (0, 0, 0)
    assert counters.delivered_rows == len(load.texts)
    assert sorted(stage.to["c"].texts) == sorted(load.texts), "not each once at the steady route"
    assert stage.to["c"].starts == 1
    others = set(stage.to["a"].texts) | set(stage.to["b"].texts)
    missing = set(load.texts) - others
    assert not missing, f"{len(missing)} of {len(load.texts)} rows are lost: {sorted(missing)[:5]}"
    text_of: dict[str, str] = {}
    for there in stage.to.values():
        for id_, texts in there.rows.items():
            assert {text_of.setdefault(id_, texts[0])} == set(texts), "one id for two rows"
    assert len(text_of) == len(load.texts), "two ids for one row"
