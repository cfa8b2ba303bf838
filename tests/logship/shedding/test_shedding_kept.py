"""What a route that sheds keeps, settles and announces, also where it stops or dies."""

from functools import partial
from pathlib import Path

from logship.batch import COLUMN_BYTES
from logship.delivery.limits import HELD_PER_BYTE
from logship.routes.tallies import GATHER_SECS
from tests.logship.shedding.shed_stage import Stage, Writer, arrived, on_stage, said


def test_what_must_be_kept_waits_within_the_memory_and_only_its_origin_stands(
    tmp_path: Path,
) -> None:
    async def work(stage: Stage) -> None:
        stubborn = Writer(stage.container("a-0", "a"), "ERROR", rows=300, size=1000)
        yielding = Writer(stage.container("b-0", "b"), "DEBUG", rows=300, size=1000)
        stage.sink.mood = "refuses"
        await stage.run(40, lambda: (stubborn(), yielding()))
        assert stage.shedding.as_dict()["parked_origins"] == 1
        assert stubborn.app.binding.parked
        assert stubborn.app.feed.waiting() > 5_000_000
        assert yielding.app.feed.waiting() < 1_000_000
        assert stage.shedding.kept_bytes() <= stage.budget.own_bytes
        stage.sink.mood = "takes"
        await stage.run(150)
        assert arrived(stage, "ERROR") == stubborn.written
        assert not stubborn.app.binding.parked
        assert stubborn.app.settled_all()
        assert yielding.app.settled_all()

    on_stage(lambda: Stage(tmp_path, memory=2 << 20), work)


def test_a_few_rows_do_not_hold_the_block_they_came_in(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        flood = Writer(app, "DEBUG", rows=100, size=1000)
        stage.sink.mood = "refuses"
        await stage.run(60, lambda: (flood(), app.write(said("ERROR", "ERROR so it is"))))
        kept = stage.shedding.kept_bytes()
        assert 0 < kept < 60 * (HELD_PER_BYTE * 100 + 2 * COLUMN_BYTES) + 2 * 100_000 * 5
        stage.sink.mood = "takes"
        await stage.run(100)
        assert arrived(stage, "ERROR") == 60

    on_stage(lambda: Stage(tmp_path), work)


def test_nothing_is_settled_before_its_summary_is_durable(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        stage.sink.mood = "refuses"
        await stage.run(20, Writer(app, "DEBUG"))
        await stage.run(int(GATHER_SECS) * 3)
        assert stage.dropped("debug") == 100
        assert app.feed.committed is not None
        assert app.feed.committed.offset == 0
        stage.sink.mood = "takes"
        await stage.run(60)
        assert stage.sink.announced("DEBUG") == 100
        assert app.settled_all()

    on_stage(lambda: Stage(tmp_path), work)


def test_a_long_spell_makes_summaries_larger_not_more(tmp_path: Path) -> None:
    """While nothing is taken one is underway, and one gathers."""

    async def work(stage: Stage) -> None:
        stage.sink.mood = "refuses"
        await stage.run(int(GATHER_SECS) * 20, Writer(stage.container("web-0"), "DEBUG"))
        assert stage.counters.made_rows == 1
        assert stage.dropped("debug") > 4000
        stage.sink.mood = "takes"
        await stage.run(90)
        assert len(stage.sink.summaries) == 2
        assert stage.sink.announced("DEBUG") == stage.dropped("debug")

    on_stage(lambda: Stage(tmp_path), work)


def test_an_agent_that_dies_reads_again_and_says_the_same(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        stage.sink.mood = "refuses"
        await stage.run(2)
        app.write(*(said("DEBUG", f"DEBUG {n}") for n in range(100)))
        await stage.run(30)
        stage.sink.mood = "takes"
        await stage.run(60)
        assert stage.sink.announced("DEBUG") == 100

    directories = [tmp_path / "one", tmp_path / "other"]
    for directory in directories:
        directory.mkdir()
    one, other = (on_stage(partial(Stage, directory), work) for directory in directories)
    assert one.sink.arrived == other.sink.arrived
    assert len(one.sink.arrived) == 1


def test_an_agent_that_stops_says_what_it_dropped_and_delivers_what_it_kept(
    tmp_path: Path,
) -> None:
    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        write = Writer(app, "DEBUG", "ERROR")
        stage.sink.mood = "refuses"
        await stage.run(20, write)
        stage.sink.mood = "takes"
        await stage.stop_reading()
        await stage.route.drain(40.0)
        assert arrived(stage, "ERROR") == write.written
        assert arrived(stage, "DEBUG") + stage.sink.announced("DEBUG") == write.written
        assert app.settled_all()
        assert stage.budget.empty

    on_stage(lambda: Stage(tmp_path), work)


def test_an_agent_that_stops_while_nothing_is_taken_settles_nothing(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        stage.sink.mood = "refuses"
        await stage.run(20, Writer(app, "DEBUG", "ERROR"))
        await stage.stop_reading()
        await stage.route.drain(10.0)
        assert app.feed.committed is not None
        assert app.feed.committed.offset == 0

    on_stage(lambda: Stage(tmp_path), work)


def test_a_refused_row_among_survivors_is_a_dead_letter_before_anything_is_settled(
    tmp_path: Path,
) -> None:
    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        write = Writer(app, "DEBUG", "ERROR")
        stage.sink.mood, stage.sink.poison = "refuses", "ERROR 33 "
        await stage.run(20, write)
        stage.sink.mood = "takes"
        await stage.run(90)
        assert stage.counters.dead_rows == 1
        assert arrived(stage, "ERROR") == write.written - 1
        assert app.settled_all()

    on_stage(lambda: Stage(tmp_path), work)


def test_a_summary_that_is_refused_is_a_dead_letter_and_settles_what_it_stands_for(
    tmp_path: Path,
) -> None:
    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        stage.sink.mood, stage.sink.poison = "refuses", "logship dropped"
        await stage.run(20, Writer(app, "DEBUG"))
        stage.sink.mood = "takes"
        await stage.run(90)
        assert stage.counters.dead_rows == 1
        assert app.settled_all()

    on_stage(lambda: Stage(tmp_path), work)
