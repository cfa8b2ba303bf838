"""Real agents over small workloads: nothing is lost, and the figures are those of the process."""

import sys
from collections.abc import Callable

import pytest

from bench import micro, short
from bench.limits import limits, needed_secs
from bench.loader import load
from bench.paths import PATHS
from bench.peers import Peer
from bench.peers import ship as ship_peer
from bench.peers.known import PEERS
from bench.plan import Session, whole
from bench.process import Cost, measured
from bench.throughput import Row, Run, row, ship
from bench.workload import Workload
from logship.rows import kernel

Make = Callable[[str, int], Workload]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("null", "A"),
        ("cloud_logging_gzip", "C"),
        ("cloud_logging_parse_json", "B"),
        ("cloud_logging_split", "B-plain"),
        ("pubsub_record", "B"),
        ("pubsub_block", "C"),
    ],
)
def test_an_agent_ships_every_row_once(path: str, kind: str, workload: Make) -> None:
    run = ship(path, workload(kind, 3), kernel.in_use())
    assert (run.lost, run.doubled) == (0, 0)
    assert run.cost.cpu_secs > 0
    assert run.cost.peak_rss_bytes > 10_000_000
    if path in ("cloud_logging_gzip", "pubsub_block"):
        assert run.ratio is not None
        assert run.ratio > 2


def test_the_loader_ships_every_row_once(workload: Make) -> None:
    pytest.importorskip("pyarrow")
    run = load(workload("B", 3), kernel.in_use())
    assert (run.lost, run.doubled) == (0, 0)


def test_cpu_is_that_of_the_process_from_start_to_end() -> None:
    burn = "import time\nwhile time.process_time() < 0.4: pass\nimport signal; signal.pause()"
    cost = measured([sys.executable, "-c", burn], lambda: True, codes=(-15,))
    assert 0.4 <= cost.cpu_secs < 2
    assert cost.wall_secs >= 0.3


def test_an_agent_that_ends_early_is_an_error_that_tells_what_it_said() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such option')"]
    with pytest.raises(RuntimeError, match="no such option"):
        measured(command, lambda: False)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_an_installed_peer_ships_every_line_once(peer: object, workload: Make) -> None:
    known = next(one for one in PEERS if one is peer)
    if known.installed() is None:
        pytest.skip(f"{known.name} is not installed")
    run = ship_peer(known, "lines", workload("A", 3))
    assert (run.lost, run.doubled) == (0, 0)


def test_a_missing_peer_is_a_line_and_not_an_error(
    workload: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    said: list[str] = []
    assert list(Session(say=said.append, runs=1).peers(workload("A", 3))) == []
    assert said == [f"{peer.name}: not installed" for peer in PEERS]


def test_a_peer_that_fails_is_a_line_and_not_an_error(workload: Make) -> None:
    broken = Peer("no-agent", "false", (), lambda *_: (), ("lines",))
    session = Session(say=lambda _: None, runs=1)
    assert list(session.peers(workload("A", 3), (broken,))) == []
    assert "no-agent: `lines` of A failed" in session.missing[0]


def test_a_peer_that_sends_nothing_must_at_least_have_read_all(workload: Make) -> None:
    idle = Peer("idle", "sleep", (), lambda *_: ("60",), ("null",), codes=(-15,))
    with pytest.raises(RuntimeError, match=r"idle read [0-9,]+ of"):
        ship_peer(idle, "null", workload("A", 3))


def test_limits_are_found_and_a_path_is_a_share_of_its_own(workload: Make) -> None:
    work = workload("A", 3)
    found = limits(work.paths)
    assert all(speed > 1 for speed in found.values())
    run = Run(Cost(work.bytes / 1e6 / 5, 1.0, 1), 0, 0, 0, 0)
    made = row("null", work, [run], PATHS["null"].limit, {"parse": 20.0})
    assert made.mb_per_cpu_s == 5.0
    assert made.share_of_limit == pytest.approx(0.25)
    half = needed_secs({"parse": 1, "loopback": 1}, {"parse": 10, "loopback": 5}, 10**7, 0, 10**7)
    assert half == pytest.approx(3.0)


def test_each_stage_has_a_figure_for_each_kernel() -> None:
    found = micro.measure(size=100_000, rounds=1)
    assert all(ns > 0 for by_kind in found.values() for ns in by_kind.values())
    kinds = {"pure", "compiled"} if kernel.BUILT else {"pure"}
    assert all(set(by_kind) == kinds for by_kind in found.values())


def test_the_matrix_has_every_path_and_workload() -> None:
    groups = whole("compiled")
    assert {path for group in groups for path in group.paths} == {*PATHS, "loader"}
    assert {group.workload for group in groups} == {"A", "B", "B-plain", "C"}
    assert {group.files for group in groups} == {1, 20, 500}
    assert {group.kernel for group in groups} == {"compiled", "pure"}


def fake(path: str, workload: str, files: int, kind: str, speed: float, lost: int = 0) -> Row:
    return Row(
        path, workload, files, "logship", "1", kind, 1, 100.0, speed, speed, speed, 1, 1.0, 1.0,
        lost, 0, 0.5, 100 / speed, 100 / speed, 0.0,
    )  # fmt: skip


WANTED = {
    "share_of_calibration": {"null": 0.5},
    "share_of_calibration_b": {"cloud_logging": 0.1},
    "files_cost": {"null": 2.0},
    "compiled_over_pure": {"null": 2.0},
}


@pytest.mark.parametrize(
    ("changed", "broken"),
    [
        ({}, ()),
        ({0: 40.0}, ("A -> null, of the calibration",)),
        ({1: 5.0}, ("B -> cloud_logging, of the calibration",)),
        ({2: 20.0}, ("A -> null, cost of 200 files over 1",)),
        ({4: 50.0}, ("A -> null, compiled over pure",)),
    ],
)
def test_the_short_form_fails_on_the_ratio_that_fell(
    changed: dict[int, float], broken: tuple[str, ...]
) -> None:
    plan = [
        ("null", "A", 20, "compiled", 90.0),
        ("cloud_logging", "B", 20, "compiled", 30.0),
        ("null", "A", 200, "compiled", 60.0),
        ("null", "A", 1, "compiled", 95.0),
        ("null", "A", 20, "pure", 20.0),
    ]
    rows = [fake(*case[:4], changed.get(number, case[4])) for number, case in enumerate(plan)]
    limit = {"A": {"calibrate": 100.0}, "B": {"calibrate": 100.0}}
    found = list(short.checks(rows, limit, WANTED))
    assert tuple(check.name for check in found if not check.holds) == broken
    assert len(found) == 5


def test_the_short_form_fails_on_a_stage_that_became_dearer() -> None:
    found = {"calibrate": {"compiled": 150.0}, "text": {"compiled": 120.0}, "ids": {"compiled": 9}}
    wanted = {"stage_of_calibration": {"text": 0.7, "ids": 0.14, "arrow": 1.0}}
    checks = list(short.stage_checks(found, wanted))
    assert [(check.name, check.holds) for check in checks] == [
        ("stage text, over the calibration", False),
        ("stage ids, over the calibration", True),
    ]


def test_the_short_form_fails_on_a_lost_row() -> None:
    rows = [fake("null", "A", 20, "compiled", 90.0, lost=1)]
    found = list(short.checks(rows, {"A": {"calibrate": 100.0}}, WANTED))
    assert [check.name for check in found if not check.holds] == ["rows lost or doubled"]


def test_the_thresholds_name_paths_and_stages_that_exist() -> None:
    known = dict(short.thresholds())
    stages = set(known.pop("stage_of_calibration"))
    assert all(set(section) <= set(PATHS) for section in known.values())
    assert stages < set(micro.measure(size=20_000, rounds=1, kinds=("pure",))) | {"arrow"}
