"""Whether a sink may be written to, and when: numbers in, numbers out."""

from logship.delivery.circuit import OPEN_AFTER, RELEASE_SECS, Circuit
from logship.delivery.window import MAX, START


def _wide_open() -> Circuit:
    circuit = Circuit()
    for at in range(100):
        circuit.window.reached()
        circuit.succeeded(float(at), at + 0.1, 0.5, full=True)
    assert circuit.limit == MAX
    return circuit


def _fail(circuit: Circuit, at: float, *, throttled: bool = False) -> float:
    return circuit.failed(at, at, None, 0.5, throttled=throttled)


def test_a_run_of_failures_opens_it_and_the_first_success_lets_one_write_begin() -> None:
    circuit = _wide_open()
    for number in range(OPEN_AFTER):
        assert not circuit.open
        _fail(circuit, 200.0 + number)
    assert circuit.open
    assert circuit.limit == 1
    circuit.succeeded(210.0, 210.1, 0.5, full=True)
    assert not circuit.open
    assert circuit.limit == 1
    circuit.window.reached()
    circuit.succeeded(211.0, 211.1, 0.5, full=True)
    assert circuit.limit == 2


def test_writes_on_their_way_together_that_fail_are_one_failure() -> None:
    circuit = Circuit()
    for number in range(10):
        circuit.failed(1.0, 2.0 + number / 10, None, 0.5, throttled=False)
    assert circuit.failures == 1
    assert circuit.window.limit == START // 2


def test_a_long_wait_holds_all_writes() -> None:
    circuit = Circuit()
    wait = 0.0
    while wait < RELEASE_SECS:
        assert circuit.wait_secs(100.0) == 0
        wait = _fail(circuit, 100.0)
    assert circuit.wait_secs(100.0) == wait
    assert circuit.pause_secs(100.0) == wait


def test_a_destination_that_throttles_single_writes_gets_them_with_a_gap_that_shrinks() -> None:
    circuit = Circuit()
    for number in range(3):
        _fail(circuit, 10.0 + number, throttled=True)
    circuit.succeeded(20.0, 20.1, 0.5, full=True)
    gaps = []
    for number in range(20):
        gaps.append(circuit.wait_secs(30.1 + number))
        circuit.succeeded(30.0 + number, 30.1 + number, 0.5, full=True)
    assert circuit.wait_secs(100.0) == 0
    assert sorted(gaps, reverse=True) == gaps


def test_a_write_that_fails_while_others_succeed_waits_alone_and_ever_longer() -> None:
    circuit = Circuit()
    waits = []
    for tries in range(1, 8):
        waits.append(circuit.failed(tries, tries + 0.1, None, 0.99, tries, throttled=False))
        circuit.succeeded(tries + 0.2, tries + 0.3, 0.5, full=True)
    assert waits == sorted(waits)
    assert waits[-1] > RELEASE_SECS
    assert circuit.wait_secs(8.0) == 0
    assert not circuit.open


def test_rows_that_come_again_are_no_failure_of_a_sink_that_took_others() -> None:
    circuit = Circuit()
    waits = [circuit.partly(1.0, 1.1, None, 0.99, tries, throttled=False) for tries in (1, 4, 8)]
    assert waits == sorted(waits)
    assert waits[-1] > RELEASE_SECS
    assert circuit.failures == 0
    assert circuit.limit == START
    assert circuit.wait_secs(1.1) == 0
    circuit.partly(2.0, 2.1, 9.0, 0.0, 1, throttled=True)
    assert circuit.limit == START // 2
    assert circuit.wait_secs(2.1) == 9.0
