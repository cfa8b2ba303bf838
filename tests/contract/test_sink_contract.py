"""What `Outcome` promises, over every sink."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logship.api import DELIVERED, Batch
from tests.contract.batches import EVERY_BYTE, expected, fresh, fresh_at, fresh_of_one, texts
from tests.contract.conftest import Opened
from tests.contract.delivery import check, deliver, fails, named_again
from tests.contract.harness import Able, Stored


def assert_stored(opened: Opened, wanted: Sequence[Stored], *, copies: bool = False) -> None:
    """All of the wanted rows are stored with their texts and times, and no others."""
    stored = opened.run(opened.harness.stored())
    assert set(stored) == set(wanted)  # a copy with another text or time would be one more
    if not copies:
        assert len(stored) == len(wanted)


def test_rows_that_are_not_named_are_durable(opened: Opened) -> None:
    opened.needs(Able.STORE)
    wanted: list[Stored] = []

    @settings(max_examples=25)
    @given(st.lists(st.lists(texts, max_size=6), max_size=4))
    def writes(written: list[list[str | bytes]]) -> None:
        batches = [fresh(rows) for rows in written]
        assert opened.run(opened.harness.sink.write(batches)) == DELIVERED
        wanted.extend(expected(*batches))

    writes()
    assert_stored(opened, wanted)


def test_rows_of_several_origins_go_in_one_write(opened: Opened) -> None:
    opened.needs(Able.STORE)
    batches = [fresh([f"{origin} {row}" for row in range(50)]) for origin in range(8)]
    assert opened.run(opened.harness.sink.write(batches)) == DELIVERED
    assert_stored(opened, expected(*batches))


def test_batches_of_one_origin_go_in_one_write_among_others(opened: Opened) -> None:
    opened.needs(Able.STORE)
    batches = [*fresh_of_one(4, ["a", "b"]), fresh(["c"]), *fresh_of_one(3, ["d"])]
    assert len({row.id for row in expected(*batches)}) == 12
    assert opened.run(opened.harness.sink.write(batches)) == DELIVERED
    assert_stored(opened, expected(*batches))


def test_hostile_texts_arrive_whole(opened: Opened) -> None:
    opened.needs(Able.STORE)
    size = min(200_000, opened.harness.max_text_bytes)
    batch = fresh([EVERY_BYTE, b"", b" ", b"\x00", "日本 \u2028 \U0001f680", "x" * size])
    assert opened.run(opened.harness.sink.write([batch])) == DELIVERED
    assert_stored(opened, expected(batch))


def test_a_batch_with_kept_rows_stores_only_these(opened: Opened) -> None:
    opened.needs(Able.STORE)
    kept = fresh(["a", "b", "c", "d"]).keep([True, False, False, True])
    assert opened.run(opened.harness.sink.write([kept])) == DELIVERED
    assert_stored(opened, expected(kept))
    assert [row.text for row in expected(kept)] == ["a", "d"]


def test_no_batches_and_batches_without_rows_are_delivered(opened: Opened) -> None:
    write = opened.harness.sink.write
    dropped = fresh(["a"]).keep([False])
    for batches in ([], [fresh([])], [dropped], [fresh([]), dropped]):
        assert opened.run(write(batches)) == DELIVERED
    if Able.STORE in opened.harness.able:
        assert_stored(opened, [])


def test_an_empty_batch_shifts_no_neighbour(opened: Opened) -> None:
    opened.needs(Able.STORE)
    batches = [fresh([]), fresh(["a"]), fresh(["b"]).keep([False]), fresh(["c"])]
    assert opened.run(opened.harness.sink.write(batches)) == DELIVERED
    assert_stored(opened, expected(*batches))


def test_a_write_leaves_its_batches_as_they_were(opened: Opened) -> None:
    batches = [fresh(["a", "b"]), fresh(["c", "d"]).keep([True, False])]
    before = expected(*batches)
    opened.run(opened.harness.sink.write(batches))
    assert expected(*batches) == before


def test_writes_at_the_same_time_do_not_disturb_each_other(opened: Opened) -> None:
    opened.needs(Able.STORE)
    batches = [fresh([f"{write} {row}" for row in range(200)]) for write in range(6)]

    async def all_at_once() -> None:
        await asyncio.gather(*(deliver(opened.harness.sink, [batch]) for batch in batches))

    opened.run(all_at_once())
    assert_stored(opened, expected(*batches))


def test_a_refused_row_is_named_with_its_reason_and_its_neighbours_are_durable(
    opened: Opened,
) -> None:
    opened.needs(Able.STORE, Able.REFUSE)
    bad = opened.harness.refused_row()
    good = [(f"row {number}", number) for number in range(9)]
    batches = [
        fresh_at([*good[:4], bad, *good[4:]]),
        fresh_at(good),
        fresh_at([bad]),
        fresh_at([bad, *good, bad]),
    ]
    refused = {b.ids()[row] for b, rows in zip(batches, BAD_ROWS, strict=True) for row in rows}

    named = opened.run(deliver(opened.harness.sink, batches))

    assert named.keys() == refused
    assert all(named.values())
    wanted = [row for row in expected(*batches) if row.id not in refused]
    assert len(wanted) == 27
    assert_stored(opened, wanted, copies=True)


BAD_ROWS = [(4,), (), (0,), (0, 10)]


def test_rows_that_fail_for_now_are_named_again_and_the_others_are_durable(
    opened: Opened,
) -> None:
    opened.needs(Able.STORE, Able.DEFER)
    batches = [fresh([f"{origin} {row}" for row in range(20)]) for origin in range(3)]
    opened.harness.defer()
    outcome = opened.run(opened.harness.sink.write(batches))
    check(outcome, batches)
    again = named_again(outcome, batches)
    later = expected(*again)
    assert 0 < len(later) < 60
    assert not outcome.refused
    assert_stored(opened, [row for row in expected(*batches) if row not in later])

    opened.harness.heal()
    assert opened.run(deliver(opened.harness.sink, again)) == {}
    assert_stored(opened, expected(*batches))


def test_after_a_failed_write_nothing_is_stored_and_a_second_one_delivers(opened: Opened) -> None:
    opened.needs(Able.STORE, Able.FAIL)
    batches = [fresh(["a", "b"]), fresh(["c"])]
    opened.harness.fail()
    assert opened.run(fails(opened.harness.sink, batches))
    opened.harness.heal()
    assert_stored(opened, [])

    assert opened.run(opened.harness.sink.write(batches)) == DELIVERED
    assert_stored(opened, expected(*batches))


def test_a_sink_survives_many_failed_writes(opened: Opened) -> None:
    opened.needs(Able.STORE, Able.FAIL)
    batches = [fresh(["a", "b"])]
    opened.harness.fail()
    for _ in range(10):
        assert opened.run(fails(opened.harness.sink, batches))
    opened.harness.heal()
    assert opened.run(deliver(opened.harness.sink, batches)) == {}
    assert_stored(opened, expected(*batches))


def test_a_flaky_destination_loses_nothing_of_large_and_small_writes(opened: Opened) -> None:
    opened.needs(Able.STORE, Able.FLAKE)
    opened.harness.flake()
    wanted: list[Stored] = []
    for _ in range(6):  # each row in one write only: no later copy hides that it is missing
        large = [batch for _ in range(3) for batch in fresh_of_one(2, ["x" * 1000] * 70)]
        batches = [fresh(["a", "b"]), *large, fresh(["c"])]
        assert opened.run(deliver(opened.harness.sink, batches)) == {}
        wanted += expected(*batches)
    assert_stored(opened, wanted, copies=True)


def test_copies_after_a_lost_answer_have_equal_ids_texts_and_times(opened: Opened) -> None:
    opened.needs(Able.STORE, Able.LOSE)
    batches = [fresh(["a", "b"]), fresh(["c"])]
    opened.harness.lose()
    assert opened.run(fails(opened.harness.sink, batches))
    opened.harness.heal()

    assert opened.run(opened.harness.sink.write(_taken_again(batches))) == DELIVERED

    assert_stored(opened, expected(*batches), copies=True)
    assert len(opened.run(opened.harness.stored())) > len(expected(*batches))


def _taken_again(batches: Sequence[Batch]) -> list[Batch]:
    """The same bytes, read again: as after a crash."""
    return [
        Batch(b.origin, b.labels, b.pieces, b.block, b.cutting, b.mtime_ns + 1) for b in batches
    ]


def test_a_cancelled_write_leaves_the_sink_usable(opened: Opened) -> None:
    opened.needs(Able.STORE, Able.STALL)
    given_up, later = [fresh(["a", "x" * 20_000])], [fresh(["b"])]

    async def cancel_in_the_middle() -> None:
        opened.harness.stall()
        writing = asyncio.ensure_future(opened.harness.sink.write(given_up))
        await opened.harness.stalled()
        writing.cancel()
        opened.harness.heal()
        with pytest.raises(asyncio.CancelledError):
            await writing
        for batches in (given_up, later):
            await deliver(opened.harness.sink, batches)

    opened.run(cancel_in_the_middle())
    assert_stored(opened, expected(*given_up, *later), copies=True)


@pytest.mark.parametrize("used", [False, True])
def test_close_leaves_nothing_open(opened: Opened, used: bool) -> None:
    async def close() -> None:
        if used:
            await deliver(opened.harness.sink, [fresh(["a"])])
        await opened.harness.sink.close()
        async with asyncio.timeout(5):
            while opened.harness.held_open():  # the other end may take a moment to see it
                await asyncio.sleep(0.01)

    opened.run(close())
    assert opened.harness.held_open() == []


def test_a_preview_needs_no_start_and_changes_no_batch(opened: Opened) -> None:
    sink = opened.harness.sink
    unstarted = type(sink)(getattr(sink, "_config", None) or sink.config(), sink.context)
    batch = fresh(["a", "b", "c"]).keep([True, False, True])
    ids = list(batch.ids())
    shown = unstarted.preview(batch)
    assert shown is None or [preview.row for preview in shown] == [0, 1]
    assert batch.ids() == ids
    assert opened.run(sink.write([batch])) == DELIVERED
    if Able.STORE in opened.harness.able:
        assert_stored(opened, expected(batch))
