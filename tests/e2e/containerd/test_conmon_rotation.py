"""conmon's log is rotated: by whoever drives it, through its control file, and by conmon itself."""

from tests.e2e.containerd.conftest import StartConmon
from tests.e2e.containerd.conmon import EXIT_SECS
from tests.e2e.containerd.numbered import assert_all_once, program
from tests.e2e.containerd.rotating import Rotation
from tests.e2e.containerd.shipment import Shipment
from tests.e2e.waiting import wait_for

LINES = 60_000  # 12 MB
ROTATE_BYTES = 500_000
MAX_SIZE_BYTES = 1_000_000
DELIVER_SECS = 60.0


def test_every_line_of_a_rotation_storm_arrives_exactly_once(
    start_conmon: StartConmon, conmon_shipment: Shipment
) -> None:
    container = start_conmon(program(LINES, pause_every=2000, pause_ms=100))
    storm = Rotation(container)
    storm.until_exit(ROTATE_BYTES, every_secs=0.3)
    assert min(storm.rotations // 5, len(storm.deleted)) > 0, "else this test shows little"
    assert_all_once(conmon_shipment.rows(container.pod, LINES, DELIVER_SECS), LINES)


def test_every_line_arrives_though_conmon_keeps_no_old_file(
    start_conmon: StartConmon, conmon_shipment: Shipment
) -> None:
    """With a greatest size conmon puts a new file over the old one, whose inode is used again."""
    slowly = program(LINES // 2, pause_every=1000, pause_ms=150)
    container = start_conmon(slowly, "--log-size-max", str(MAX_SIZE_BYTES))
    inodes = set()

    def exited() -> bool:
        inodes.add(container.log.stat().st_ino)
        return not container.running

    wait_for("end of the container", EXIT_SECS, exited)
    assert [path.name for path in container.log.parent.iterdir()] == ["0.log"]
    assert container.log.stat().st_size < MAX_SIZE_BYTES < LINES // 2 * 180 / 3
    assert len(inodes) > 1, "else this test shows nothing"
    assert_all_once(conmon_shipment.rows(container.pod, LINES // 2, DELIVER_SECS), LINES // 2)
