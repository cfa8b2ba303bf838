"""The loudest pods, in bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from logship.loudest import MOST, SHOWN, WINDOW_SECS, Loudest, Pod, loudest


def pod(number: int) -> Pod:
    return "shop", f"web-{number}"


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 1000)), max_size=200))
def test_few_pods_are_counted_exactly(reads: list[tuple[int, int]]) -> None:
    counts, expected = Loudest(), dict[Pod, int]()
    for number, size in reads:
        counts.add(pod(number), size)
        expected[pod(number)] = expected.get(pod(number), 0) + size
    assert counts.bytes() == expected
    sizes = [size for _, size in loudest([counts])]
    assert sizes == sorted(expected.values(), reverse=True)[:SHOWN]


def test_memory_is_bounded_and_the_loudest_stays_known() -> None:
    counts = Loudest()
    for number in range(10 * MOST):
        counts.add(pod(number), 1)
        counts.add(pod(-1), 2)
        assert len(counts.bytes()) <= MOST
    assert loudest([counts])[0] == (pod(-1), 20 * MOST)


def test_what_is_long_ago_is_forgotten() -> None:
    counts = Loudest()
    counts.turn(1000.0)
    counts.add(pod(0), 5)
    counts.turn(1000.0 + WINDOW_SECS)
    counts.add(pod(1), 3)
    assert loudest([counts]) == [(pod(0), 5), (pod(1), 3)]
    counts.turn(1000.0 + 2 * WINDOW_SECS)
    assert loudest([counts]) == [(pod(1), 3)]


def test_what_several_routes_read_of_a_pod_counts_once() -> None:
    first, second = Loudest(), Loudest()
    first.add(pod(0), 5)
    second.add(pod(0), 7)
    second.add(pod(1), 6)
    assert loudest([first, second]) == [(pod(0), 7), (pod(1), 6)]
