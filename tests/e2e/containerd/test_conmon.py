"""The same with conmon, CRI-O's log writer: it cuts wherever a read ends, and keeps every byte."""

import pytest

from logship.api import time_ns
from tests.e2e.containerd.conftest import StartConmon
from tests.e2e.containerd.conmon import TERMINAL
from tests.e2e.containerd.shipment import Shipment
from tests.e2e.destinations import texts

READ_BYTES = 8192  # conmon's buffer


def filler(size: int) -> str:
    return f"head -c {size} /dev/zero | tr '\\0' a"


def test_a_line_that_was_printed_slowly_is_one_row(
    start_conmon: StartConmon, conmon_shipment: Shipment
) -> None:
    container = start_conmon(
        "printf one; sleep 0.3; printf ' and '; sleep 0.3; echo two; echo after"
    )
    container.wait()
    assert container.log.read_bytes().count(b" P ") == 2, "else this test shows nothing"
    assert texts(conmon_shipment.rows(container.pod, 2)) == ["one and two", "after"]


@pytest.mark.parametrize("size", [READ_BYTES - 1, READ_BYTES, READ_BYTES + 1, 100_000])
def test_a_line_of_any_length_is_one_row(
    start_conmon: StartConmon, conmon_shipment: Shipment, size: int
) -> None:
    container = start_conmon(f"echo before; {filler(size)}; echo; echo after")
    container.wait()
    rows = conmon_shipment.rows(container.pod, 3)
    assert texts(rows) == ["before", "a" * size, "after"]
    assert [row.marks for row in rows] == [(), (), ()]


def test_carriage_returns_bytes_and_empty_lines_arrive_as_printed(
    start_conmon: StartConmon, conmon_shipment: Shipment
) -> None:
    container = start_conmon(r"printf 'dos\r\n\n'; printf '\377\n'; printf 'nul \000 here\n'")
    container.wait()
    assert texts(conmon_shipment.rows(container.pod, 4)) == ["dos\r", "", "\ufffd", "nul \0 here"]


def test_a_line_without_a_newline_at_exit_arrives_marked(
    start_conmon: StartConmon, conmon_shipment: Shipment
) -> None:
    container = start_conmon("echo whole; printf 'last words'")
    container.wait()
    rows = conmon_shipment.rows(container.pod, 2)
    assert [(row.text, row.marks) for row in rows] == [
        ("whole", ()), ("last words", ("unfinished",)),
    ]  # fmt: skip


def test_a_line_that_ends_where_a_read_ends_is_closed_by_an_empty_part(
    start_conmon: StartConmon, conmon_shipment: Shipment
) -> None:
    container = start_conmon(f"{filler(READ_BYTES)}; sleep 0.3; echo; echo after")
    container.wait()
    lines = container.log.read_bytes().splitlines()
    assert (len(lines), lines[1][-10:]) == (3, b" stdout F "), "else this test shows nothing"
    rows = conmon_shipment.rows(container.pod, 2)
    assert texts(rows) == ["a" * READ_BYTES, "after"]


def test_parts_of_both_streams_printed_slowly_are_joined_each_with_its_own(
    start_conmon: StartConmon, conmon_shipment: Shipment
) -> None:
    script = "for n in 1 2 3; do printf o$n; printf e$n >&2; sleep 0.2; done; echo; echo >&2"
    container = start_conmon(script)
    container.wait()
    assert container.log.read_bytes().count(b" P ") == 6, "else this test shows nothing"
    rows = conmon_shipment.rows(container.pod, 2)
    assert sorted((row.stream, row.text) for row in rows) == [
        ("stderr", "e1e2e3"), ("stdout", "o1o2o3"),
    ]  # fmt: skip


def test_a_row_has_the_time_of_its_first_part_whatever_the_offset_is_written_like(
    start_conmon: StartConmon, conmon_shipment: Shipment
) -> None:
    container = start_conmon("printf one; sleep 0.3; echo two")
    container.wait()
    first = container.log.read_text().split(" ", 1)[0]
    assert first.endswith("+00:00"), "else this test shows nothing"
    (row,) = conmon_shipment.rows(container.pod, 1)
    assert (row.text, time_ns(row.time)) == ("onetwo", time_ns(first))


def test_a_terminal_keeps_its_carriage_returns(
    start_conmon: StartConmon, conmon_shipment: Shipment
) -> None:
    container = start_conmon("echo one; echo two >&2", TERMINAL)
    container.wait()
    rows = conmon_shipment.rows(container.pod, 2)
    assert [(row.text, row.stream) for row in rows] == [("one\r", "stdout"), ("two\r", "stdout")]
