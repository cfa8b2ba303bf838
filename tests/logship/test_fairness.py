"""Namespaces, and the origins of each, get equal shares of what a route reads."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from logship.routes.fairness import QUANTUM_BYTES, Turns

BATCH_BYTES = 256 * 1024
BOUND = QUANTUM_BYTES + BATCH_BYTES
"""Less than this is between two who both have bytes all the time."""

Origin = tuple[str, int]


def turns() -> Turns[Origin]:
    return Turns(lambda origin: origin[0])


def of(namespaces: dict[str, int]) -> list[Origin]:
    return [(name, number) for name, count in namespaces.items() for number in range(count)]


def serve(line: Turns[Origin], sizes: Sequence[int]) -> list[tuple[Origin, int]]:
    """Everybody has more than is asked for: who got how much, in order."""
    given = []
    for size in sizes:
        one = line.next()
        line.took(one, size)
        given.append((one, size))
    return given


T = TypeVar("T")


def apart(given: Counter[T], everybody: Sequence[T]) -> int:
    return max((abs(given[a] - given[b]) for a, b in combinations(everybody, 2)), default=0)


sizes = st.lists(st.integers(1, BATCH_BYTES) | st.just(BATCH_BYTES), max_size=80)
crowds = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 6), min_size=1)


@given(crowds, sizes)
def test_backlogged_namespaces_get_the_same_bytes_at_any_moment(
    crowd: dict[str, int], sizes: list[int]
) -> None:
    line = turns()
    for origin in of(crowd):
        line.add(origin)
    total: Counter[str] = Counter()
    for (namespace, _), size in serve(line, sizes):
        total[namespace] += size
        assert apart(total, list(crowd)) < BOUND


@given(crowds, sizes)
def test_backlogged_origins_of_a_namespace_get_the_same_bytes_at_any_moment(
    crowd: dict[str, int], sizes: list[int]
) -> None:
    line = turns()
    for origin in of(crowd):
        line.add(origin)
    total: Counter[Origin] = Counter()
    for origin, size in serve(line, sizes):
        total[origin] += size
        namespace = origin[0]
        assert apart(total, of({namespace: crowd[namespace]})) < BOUND


def test_five_hundred_busy_containers_leave_the_other_namespace_its_half() -> None:
    line = turns()
    for origin in of({"crowd": 500, "small": 1}):
        line.add(origin)
    given = serve(line, [BATCH_BYTES] * 1000)
    small = sum(size for (namespace, _), size in given if namespace == "small")
    assert abs(small - 500 * BATCH_BYTES) < BOUND


@given(crowds, sizes, st.integers(BATCH_BYTES // 8, BATCH_BYTES))
def test_a_small_writer_is_served_within_a_turn_of_each_other_namespace(
    crowd: dict[str, int], sizes: list[int], size: int
) -> None:
    line = turns()
    for origin in of(crowd):
        line.add(origin)
    serve(line, sizes)
    line.add(("small", 0))
    waited = 0
    while (one := line.next()) != ("small", 0):
        line.took(one, size)
        waited += size
    assert waited < len(crowd) * BOUND


steps = st.lists(
    st.tuples(
        st.sampled_from(["came", "gave", "gave", "gave", "had nothing", "woken"]),
        st.sampled_from(of({"a": 3, "b": 2, "c": 1})),
        st.integers(1, BATCH_BYTES),
    ),
    max_size=100,
)


@given(steps)
def test_nobody_starves_while_others_come_and_go(steps: list[tuple[str, Origin, int]]) -> None:
    line, waiting = turns(), dict[Origin, int]()
    for what, origin, size in steps:
        if what == "came":
            line.add(origin)
            waiting.setdefault(origin, 0)
        elif line:
            one = line.next()
            waiting.pop(one)
            took = size if what == "gave" else 0
            if what == "gave":
                line.took(one, size)
            else:
                if what == "woken":
                    line.add(one)
                line.idle(one)
            if what != "had nothing":
                waiting[one] = 0
            for other in waiting.keys() - {one}:
                waiting[other] += took
        assert set(line) == waiting.keys()
        # Two other namespaces, and at most two others of one's own, whose turns they share.
        assert max(waiting.values(), default=0) < 3 * 3 * BOUND


def test_who_had_nothing_leaves() -> None:
    line = turns()
    line.add(("a", 0))
    line.idle(line.next())
    assert not line


def test_what_comes_while_one_looks_is_not_overlooked() -> None:
    line = turns()
    line.add(("a", 0))
    one = line.next()
    line.add(one)
    line.idle(one)
    assert line.next() == one


def test_who_wants_to_rest_leaves_whatever_came_while_one_looked() -> None:
    turns: Turns[Origin] = Turns(lambda origin: origin[0])
    turns.add(("a", "1"))
    one = turns.next()
    turns.add(one)  # something was written while it was read
    turns.took(one, 10)
    turns.rest(one)
    assert not turns
    turns.add(one)
    assert turns.next() == one


def test_nobody_saves_credit_up_while_there_is_nothing_to_read() -> None:
    line = turns()
    for _ in range(100):
        line.add(("rare", 0))
        line.idle(line.next())
    line.add(("rare", 0))
    line.add(("busy", 0))
    given = serve(line, [BATCH_BYTES // 4] * 40)
    assert sum(size for (namespace, _), size in given[:8] if namespace == "rare") < BOUND


def test_a_batch_larger_than_a_turn_is_paid_for_with_the_next_turns() -> None:
    line = turns()
    line.add(("a", 0))
    line.add(("b", 0))
    line.took(line.next(), 4 * QUANTUM_BYTES)
    given = serve(line, [QUANTUM_BYTES] * 5)
    assert "".join(namespace for (namespace, _), _ in given) == "bbbba"
