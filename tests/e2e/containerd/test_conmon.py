"""The same with conmon, CRI-O's log writer: it cuts wherever a read ends, and keeps every byte."""

import itertools
import re
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.containerd.conftest import ship
from tests.e2e.containerd.conmon import ConmonContainer, ConmonHost
from tests.e2e.containerd.daemon import missing
from tests.e2e.containerd.shipment import Shipment
from tests.e2e.destinations import texts
from tests.e2e.kubelet import make_room, rotated_path
from tests.e2e.sandbox_process import SandboxProcess
from tests.e2e.waiting import wait_for

READ_BYTES = 8192  # conmon's buffer
LINES = 200_000
ROTATE_BYTES = 500_000
KEEP_FILES = 40

Start = Callable[[str], ConmonContainer]
_numbers = itertools.count()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> ConmonHost:
    reason = missing("conmon", "runc")
    if reason is not None:
        pytest.skip(reason)
    return ConmonHost(tmp_path_factory.mktemp("conmon"))


@pytest.fixture
def start(host: ConmonHost) -> Iterator[Start]:
    started: list[ConmonContainer] = []

    def one(script: str) -> ConmonContainer:
        started.append(host.start(f"conmon-{next(_numbers)}", script))
        return started[-1]

    yield one
    for container in started:
        container.remove()


@pytest.fixture(scope="module")
def shipped(
    host: ConmonHost, sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shipment]:
    started = ship(tmp_path_factory.mktemp("agent"), host.logs, sandbox)
    try:
        yield started
    finally:
        started.agent.kill()


def pod_of(container: ConmonContainer) -> str:
    return container.log.parent.parent.name.split("_")[1]


def filler(size: int) -> str:
    return f"head -c {size} /dev/zero | tr '\\0' a"


def test_a_line_that_was_printed_slowly_is_one_row(start: Start, shipped: Shipment) -> None:
    container = start("printf one; sleep 0.3; printf ' and '; sleep 0.3; echo two; echo after")
    container.wait()
    assert container.log.read_bytes().count(b" P ") == 2, "else this test shows nothing"
    assert texts(shipped.rows(pod_of(container), 2)) == ["one and two", "after"]


@pytest.mark.parametrize("size", [READ_BYTES - 1, READ_BYTES, READ_BYTES + 1, 100_000])
def test_a_line_of_any_length_is_one_row(start: Start, shipped: Shipment, size: int) -> None:
    container = start(f"echo before; {filler(size)}; echo; echo after")
    container.wait()
    rows = shipped.rows(pod_of(container), 3)
    assert texts(rows) == ["before", "a" * size, "after"]
    assert [row.marks for row in rows] == [(), (), ()]


def test_carriage_returns_bytes_and_empty_lines_arrive_as_printed(
    start: Start, shipped: Shipment
) -> None:
    container = start(r"printf 'dos\r\n\n'; printf '\377\n'; printf 'nul \000 here\n'")
    container.wait()
    assert texts(shipped.rows(pod_of(container), 4)) == ["dos\r", "", "\ufffd", "nul \0 here"]


def test_a_line_without_a_newline_at_exit_arrives_marked(start: Start, shipped: Shipment) -> None:
    container = start("echo whole; printf 'last words'")
    container.wait()
    rows = shipped.rows(pod_of(container), 2)
    assert [(row.text, row.marks) for row in rows] == [
        ("whole", ()), ("last words", ("unfinished",)),
    ]  # fmt: skip


def test_every_line_of_a_rotation_storm_arrives_exactly_once(
    start: Start, shipped: Shipment
) -> None:
    text = "a line that conmon wrote while its log was rotated"
    pause = 'if (n % 5000 == 0) { fflush(); system("usleep 30000") }'  # else it is over at once
    loop = f'for (n = 0; n < {LINES}; n++) {{ print n " {text}"; {pause} }}'
    container = start(f"awk 'BEGIN {{ {loop} }}'")
    rotations = rotate_until_exit(container)
    assert rotations >= 5, "else this test shows little"
    rows = shipped.rows(pod_of(container), LINES, 60)
    numbers = [int(re.sub(f" {text}$", "", row.text)) for row in rows]
    assert numbers == list(range(LINES))


def rotate_until_exit(container: ConmonContainer) -> int:
    """As kubelet; conmon makes the new file soon after it was asked."""
    rotations = 0

    def exited() -> bool:
        nonlocal rotations
        if container.log.exists() and container.log.stat().st_size >= ROTATE_BYTES:
            make_room(container.log, KEEP_FILES)
            renamed = rotated_path(container.log, rotations)
            container.log.rename(renamed)
            try:
                container.reopen_log()
                rotations += 1
            except OSError:
                renamed.rename(container.log)
        return not container.running

    wait_for("end of the container", 60, exited)
    return rotations
