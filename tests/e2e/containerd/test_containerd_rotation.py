"""A storm of rotations while a container writes: each of 400,000 lines arrives exactly once."""

import re
from pathlib import Path

import grpc

from tests.e2e.agent_process import Agent
from tests.e2e.configs import file_sink, one_route
from tests.e2e.conftest import MakeAgent
from tests.e2e.containerd.daemon import Containerd
from tests.e2e.containerd.pods import Container, Pod
from tests.e2e.destinations import Arrived, rows_in
from tests.e2e.kubelet import make_room, rotated_path
from tests.e2e.waiting import wait_for

LINES = 400_000
ROTATE_BYTES = 2_000_000
KEEP_FILES = 40
"""Enough that nothing is deleted unread, also on a slow machine."""
WRITE_SECS = 60.0
DELIVER_SECS = 60.0
_LINE = re.compile(r"(\d+) a line that a container wrote while its log was rotated, and no other")
_PROGRAM = (
    "awk 'BEGIN { for (n = 0; n < %d; n++)"
    ' print n " a line that a container wrote while its log was rotated, and no other" }\''
)


def test_every_line_of_a_rotation_storm_arrives_exactly_once(
    containerd: Containerd, pod: Pod, make_agent: MakeAgent, tmp_path: Path
) -> None:
    containerd.logs.mkdir(exist_ok=True)
    agent = make_agent(one_route(containerd.logs, file_sink(tmp_path / "out")))
    agent.start()
    container = pod.start(_PROGRAM % LINES)
    rotations = rotate_until_exit(container)
    assert rotations >= 10, "else this test shows little"
    rows = arrived(agent, tmp_path / "out", pod.name)
    assert_no_line_missing_or_twice(rows)
    assert agent.route().lost_events == 0
    assert agent.terminate() == 0


def rotate_until_exit(container: Container) -> int:
    """As kubelet: rename, ask the runtime to reopen, rename back where it refuses."""
    rotations = 0

    def exited() -> bool:
        nonlocal rotations
        if container.log.stat().st_size >= ROTATE_BYTES:
            make_room(container.log, KEEP_FILES)
            renamed = rotated_path(container.log, rotations)
            container.log.rename(renamed)
            try:
                container.reopen_log()
                rotations += 1
            except grpc.RpcError:
                renamed.rename(container.log)
        return not container.running

    wait_for("end of the container", WRITE_SECS, exited)
    return rotations


def arrived(agent: Agent, out: Path, pod: str) -> list[Arrived]:
    """When the last line is there and nothing else comes."""
    agent.wait_delivered(LINES, DELIVER_SECS)
    agent.wait_idle(DELIVER_SECS)
    return [row for row in rows_in(out) if row.pod == pod]


def assert_no_line_missing_or_twice(rows: list[Arrived]) -> None:
    found = [_LINE.fullmatch(row.text) for row in rows]
    torn = [row.text for row, match in zip(rows, found, strict=True) if match is None]
    assert not torn, f"{len(torn)} rows are no lines of the container: {torn[:5]}"
    numbers = [int(match[1]) for match in found if match is not None]
    missing = set(range(LINES)) - set(numbers)
    assert not missing, f"{len(missing)} lines are missing: {sorted(missing)[:5]}"
    assert len(numbers) == LINES, f"{len(numbers) - LINES} lines arrived too often"
    assert len({row.id for row in rows}) == LINES, "two rows have the same id"
    assert numbers == sorted(numbers), "rows of one log came out of order"
