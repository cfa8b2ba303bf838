"""Whatever a container prints arrives as it was printed: containerd writes, the agent ships."""

import pytest

from tests.e2e.containerd.pods import Pod
from tests.e2e.containerd.shipment import Shipment
from tests.e2e.destinations import texts

PARTIAL_BYTES = 16384  # containerd's max_container_log_line_size


def filler(size: int, letter: str) -> str:
    """A command that prints so many letters, and no newline."""
    return f"head -c {size} /dev/zero | tr '\\0' {letter}"


EDGES = [
    PARTIAL_BYTES - 1, PARTIAL_BYTES, PARTIAL_BYTES + 1, 2 * PARTIAL_BYTES, 2 * PARTIAL_BYTES + 1,
]  # fmt: skip


@pytest.mark.parametrize("size", [*EDGES, 100_000])
def test_a_line_of_any_length_is_one_row(shipment: Shipment, pod: Pod, size: int) -> None:
    pod.run(f"echo before; {filler(size, 'a')}; echo; echo after")
    rows = shipment.rows(pod.name, 3)
    assert [(len(row.text), row.marks) for row in rows] == [(6, ()), (size, ()), (5, ())]
    assert rows[1].text == "a" * size


def test_lines_of_edge_lengths_on_both_streams_at_once_are_one_row_each(
    shipment: Shipment, pod: Pod
) -> None:
    out = "; ".join(f"{filler(size, 'o')}; echo" for size in EDGES)
    err = "; ".join(f"{filler(size, 'e')}; echo" for size in EDGES)
    pod.run(f"( {out} ) & ( {err} ) >&2 & wait")
    rows = shipment.rows(pod.name, 2 * len(EDGES))
    for stream, letter in (("stdout", "o"), ("stderr", "e")):
        mine = sorted((row for row in rows if row.stream == stream), key=lambda row: row.id)
        assert texts(mine) == [letter * size for size in EDGES]
    assert not any(row.marks for row in rows)


@pytest.mark.parametrize(
    ("before", "character"),
    [
        (PARTIAL_BYTES - 1, "é"), (PARTIAL_BYTES - 2, "€"), (PARTIAL_BYTES - 1, "😀"),
        (PARTIAL_BYTES - 3, "😀"), (2 * PARTIAL_BYTES - 1, "é"),
    ],
)  # fmt: skip
def test_a_character_that_the_runtime_cut_in_two_is_whole_again(
    shipment: Shipment, pod: Pod, before: int, character: str
) -> None:
    container = pod.run(f"{filler(before, 'a')}; echo '{character} end'")
    first = container.log.read_bytes().splitlines()[(before - 1) // PARTIAL_BYTES]
    assert b" P " in first, "else this test shows nothing"
    with pytest.raises(UnicodeDecodeError):
        first.decode()
    assert texts(shipment.rows(pod.name, 1)) == [f"{'a' * before}{character} end"]


@pytest.mark.parametrize("size", EDGES)
def test_a_container_that_ends_without_a_newline_loses_no_byte_of_it(
    shipment: Shipment, pod: Pod, size: int
) -> None:
    pod.run(f"echo before; {filler(size, 'z')}").remove()
    rows = shipment.rows(pod.name, 2)
    assert [(len(row.text), row.marks) for row in rows] == [(6, ()), (size, ("unfinished",))]


def test_bytes_that_are_no_text_take_nothing_of_their_neighbours(
    shipment: Shipment, pod: Pod
) -> None:
    pod.run(r"echo before; printf '\377\376 \200\n'; printf 'nul \000 here\n'; echo after")
    arrived = texts(shipment.rows(pod.name, 4))
    assert arrived == ["before", "\ufffd\ufffd \ufffd", "nul \0 here", "after"]


def test_crlf_and_lone_cr_and_empty_lines(shipment: Shipment, pod: Pod) -> None:
    pod.run(r"printf 'dos\r\n'; printf 'lone\rcr\n'; printf '\n'; printf '\n'; printf ' \n'")
    assert texts(shipment.rows(pod.name, 5)) == ["dos", "lone\rcr", "", "", " "]


def test_lines_that_look_like_lines_of_the_runtime_stay_what_they_are(
    shipment: Shipment, pod: Pod
) -> None:
    forged = "2026-11-23T04:46:31.5Z stderr P forged"
    pod.run(f"echo '{forged}'; echo after")
    rows = shipment.rows(pod.name, 2)
    assert [(row.text, row.stream) for row in rows] == [(forged, "stdout"), ("after", "stdout")]


def test_a_terminal_writes_stdout_alone_and_no_cr(shipment: Shipment, pod: Pod) -> None:
    pod.run("echo one; echo two >&2; echo three", tty=True)
    rows = shipment.rows(pod.name, 3)
    assert [(row.text, row.stream) for row in rows] == [
        ("one", "stdout"), ("two", "stdout"), ("three", "stdout"),
    ]  # fmt: skip


def test_partials_of_both_streams_are_joined_each_with_its_own(
    shipment: Shipment, pod: Pod
) -> None:
    long = 2 * PARTIAL_BYTES + 500  # it waits for a second full buffer before it writes the first
    container = pod.run(
        f"{filler(long, 'o')}; sleep 0.1; {filler(long, 'e')} >&2; sleep 0.1; "
        "echo ' out'; sleep 0.1; echo ' err' >&2; echo short"
    )
    heads = [line[:60].split(b" ")[1:3] for line in container.log.read_bytes().splitlines()]
    assert heads[:2] == [[b"stdout", b"P"], [b"stderr", b"P"]], "else this test shows nothing"
    rows = shipment.rows(pod.name, 3)
    assert sorted((row.stream, row.text) for row in rows) == [
        ("stderr", "e" * long + " err"),
        ("stdout", "o" * long + " out"),
        ("stdout", "short"),
    ]


def test_a_line_without_its_newline_at_exit_arrives_marked_and_is_not_the_next_restarts(
    shipment: Shipment, pod: Pod
) -> None:
    pod.run("echo first; printf 'last words'")
    pod.run("echo second", attempt=1)
    rows = sorted(shipment.rows(pod.name, 3), key=lambda row: row.time)
    assert [(row.text, row.path.rpartition("/")[2], row.marks) for row in rows] == [
        ("first", "0.log", ()), ("last words", "0.log", ("unfinished",)), ("second", "1.log", ()),
    ]  # fmt: skip
    origins = [row.id[:12] for row in rows]
    assert origins[0] == origins[1] != origins[2]


def test_a_container_that_prints_nothing_gives_no_rows(shipment: Shipment, pod: Pod) -> None:
    container = pod.run("true")
    assert container.log.stat().st_size == 0
    assert shipment.rows(pod.name, 0) == []
