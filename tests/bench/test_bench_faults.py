"""The benchmark of faults: its destination fails as it is told, and a whole scenario adds up."""

import socket
from collections.abc import Iterator

import orjson
import pytest

from bench.faults import page
from bench.faults.arrivals import KIND_SHIFT, QUIET, REFUSED
from bench.faults.found import Found, Results, skipped
from bench.faults.scenarios import SHORT, SPELLS, spell
from bench.faults.sink import Fault
from bench.faults.stage import Sink, python
from bench.lines import token
from bench.machine import machine
from bench.processes import ended

TIME = "2026-11-23T04:46:31.000000001Z"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with ended(python("bench.faults.sink", "--delays")) as process:
        yield Sink(process)


def body(*numbers: int) -> bytes:
    entries = [
        {"insertId": f"{number:048x}", "timestamp": TIME, "textPayload": f"x rid={token(number)}"}
        for number in numbers
    ]
    return orjson.dumps({"entries": entries})


def ask(port: int, content: bytes) -> bytes:
    """The whole answer; TimeoutError if there is none."""
    with socket.create_connection(("127.0.0.1", port), timeout=0.3) as link:
        head = f"POST /v2/entries:write HTTP/1.1\r\nContent-Length: {len(content)}\r\n\r\n"
        link.sendall(head.encode() + content)
        return link.recv(65536)


def test_it_takes_rows_and_tells_them_apart(sink: Sink) -> None:
    sink.phase("one")
    quiet = QUIET << KIND_SHIFT
    assert ask(sink.port, body(1, 2, quiet)).startswith(b"HTTP/1.1 200")
    assert ask(sink.port, body(2)).startswith(b"HTTP/1.1 200")
    found = sink.arrived()
    assert (found.rows, found.distinct_ids, found.distinct_numbers) == (4, 3, 3)
    assert {name: of.rows for name, of in found.delays.items()} == {"one loud": 3, "one quiet": 1}


def test_it_refuses_rows_that_say_so_and_takes_their_neighbours(sink: Sink) -> None:
    answer = ask(sink.port, body(1, REFUSED << KIND_SHIFT, 2))
    assert answer.startswith(b"HTTP/1.1 400")
    assert b'"logEntryErrors":{"1":{"code":3' in answer
    assert sink.arrived().distinct_numbers == 2


def test_it_throttles(sink: Sink) -> None:
    sink.fault(Fault("throttle", retry_after_secs=7))
    answer = ask(sink.port, body(1))
    assert answer.startswith(b"HTTP/1.1 429")
    assert b"Retry-After: 7\r\n" in answer
    assert (sink.arrived().rows, sink.arrived().refused_requests) == (0, 1)


def test_it_is_gone_and_comes_back_at_the_same_port(sink: Sink) -> None:
    sink.fault(Fault("refuse"))
    with pytest.raises(ConnectionRefusedError):
        ask(sink.port, body(1))
    sink.fault(Fault())
    assert ask(sink.port, body(1)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("kind", ["hang", "mute"])
def test_it_does_not_answer(sink: Sink, kind: str) -> None:
    sink.fault(Fault(kind))  # type: ignore[arg-type]
    with pytest.raises(TimeoutError):
        ask(sink.port, body(1))
    assert sink.arrived().rows == 0
    sink.fault(Fault())
    assert ask(sink.port, body(2)).startswith(b"HTTP/1.1 200")


def test_a_short_scenario_adds_up_and_makes_a_page() -> None:
    found = spell(SPELLS[0], SHORT, lambda: 100.0)
    exact = {name: found.figures[name] for name in ("lost", "other_doubled", "unaccounted_rows")}
    assert exact == {"lost": 0, "other_doubled": 0, "unaccounted_rows": 0}
    assert found.figures["rows"] > SHORT.loud_bytes_per_sec / 201
    assert [phase for _, phase in found.marks] == [
        "quiet",
        "warm-up",
        "run-up",
        "fault",
        "recovery",
    ]
    assert found.samples
    shown = page.text(Results(machine(), [found, skipped("full_disk", "no tmpfs")]))
    assert "## stopped_sink" in shown
    assert "Not measured: no tmpfs." in shown


def test_a_figure_beyond_its_bound_is_named() -> None:
    found = Found("x", "y", {"a": 1.0, "b": 2.0}, {"a": 0.5}, {"b": 3.0})
    assert found.broken == ["a", "b"]
    assert (found.wanted("a"), found.wanted("b"), found.wanted("c")) == ("<= 0.5", ">= 3", "")
