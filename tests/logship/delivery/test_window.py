"""How many writes may be in flight: numbers in, numbers out."""

import pytest

from logship.delivery.backoff import BASE_SECS, MAX_SECS, delay_secs
from logship.delivery.window import MAX, START, Window


def _round_trips(
    window: Window, count: int, secs: float, begin: float, *, full: bool = True
) -> float:
    """So many, one after the other, of writes that had to wait for the window."""
    for _ in range(count):
        window.reached()
        window.answered(begin, begin + secs, full=full)
        begin += secs
    return begin


def test_it_grows_by_one_a_round_trip_while_writes_wait_and_nothing_queues() -> None:
    window = Window()
    _round_trips(window, 3, 0.1, 1.0)
    assert window.limit == START + 3


def test_it_does_not_grow_beyond_what_was_asked_for() -> None:
    window = Window()
    for at in range(10):
        window.answered(float(at), at + 0.1, full=True)
    assert window.limit == START


def test_writes_that_were_on_their_way_together_are_one_step() -> None:
    window = Window()
    window.reached()
    for _ in range(4):
        window.answered(1.0, 1.1, full=True)
        window.reached()
    assert window.limit == START + 1
    for _ in range(5):
        window.refused(1.5, 1.6)
    assert window.size == (START + 1) / 2


def test_a_refusal_halves_it_though_it_has_just_grown() -> None:
    window = Window()
    window.reached()
    window.answered(1.0, 1.2, full=True)
    window.refused(1.1, 1.3)
    assert window.size == (START + 1) / 2


def test_it_stays_within_its_bounds() -> None:
    window = Window()
    end = _round_trips(window, 100, 0.1, 1.0)
    assert window.limit == MAX
    for number in range(20):
        window.refused(end + number, end + number)
    assert window.limit == 1


def test_it_shrinks_when_writes_queue_at_the_destination() -> None:
    window = Window()
    end = _round_trips(window, 20, 0.1, 1.0)
    before = window.size
    _round_trips(window, 20, 0.4, end)
    assert 4 <= window.size < before


def test_it_keeps_its_size_while_a_few_writes_queue() -> None:
    window = Window()
    end = _round_trips(window, 4, 0.1, 1.0)
    end = _round_trips(window, 20, 0.18, end)
    before = window.size
    assert 2 < window.queued < 4
    _round_trips(window, 20, 0.18, end)
    assert window.size == before


def test_slowness_alone_does_not_close_it() -> None:
    window = Window()
    end = _round_trips(window, 1, 0.1, 1.0)
    _round_trips(window, 10, 5.0, end)
    assert window.limit >= START


def test_a_destination_that_became_slow_for_good_is_not_taken_for_a_queue_for_ever() -> None:
    window = Window()
    end = _round_trips(window, 20, 0.1, 1.0)
    end = _round_trips(window, 100, 2.0, end)
    assert window.queued < 1


def test_small_writes_say_nothing_about_how_long_a_full_one_takes() -> None:
    window = Window()
    end = _round_trips(window, 2, 0.001, 1.0, full=False)
    _round_trips(window, 2, 0.1, end)
    assert window.limit == START + 4


@pytest.mark.parametrize("failures", [1, 2, 5, 50])
def test_a_time_that_the_destination_named_is_obeyed_and_spread(failures: int) -> None:
    assert delay_secs(failures, 7.0, 0.0) == 7.0
    assert 7.0 < delay_secs(failures, 7.0, 0.5) <= 7.0 + MAX_SECS / 2


def test_waits_double_up_to_a_bound_and_are_spread_down_to_nothing() -> None:
    ceilings = [delay_secs(failures, None, 1.0) for failures in range(1, 11)]
    assert ceilings == [min(MAX_SECS, BASE_SECS * 2**n) for n in range(10)]
    assert delay_secs(5, None, 0.0) == 0.0
    assert delay_secs(1, None, 0.0) == BASE_SECS / 2, "the first one never comes at once"
