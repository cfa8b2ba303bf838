"""When rotation deletes what is unread: by hand, and against a simulation of kubelet and reader."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logship.origin import Rotation
from logship.tail.rotation import HORIZON_SECS, KeptFile, Rates, risk_secs

MIB = 1 << 20
KUBELET = Rotation(10 * MIB, 5)


def live(unread: int, size: int) -> KeptFile:
    return KeptFile(unread, size)


def test_nothing_is_at_risk_where_nothing_is_unread() -> None:
    assert risk_secs([live(0, 5 * MIB)], True, KUBELET, Rates(MIB, 0)) is None


def test_a_route_that_stands_loses_the_live_file_with_its_fifth_rotation() -> None:
    # 5 MiB to the first rotation, 4 times 10 MiB to the fifth, at 1 MiB/s
    assert risk_secs([live(5 * MIB, 5 * MIB)], True, KUBELET, Rates(MIB, 0)) == 45


def test_the_oldest_rotated_file_goes_with_the_next_rotation() -> None:
    files = [KeptFile(10 * MIB, 10 * MIB)] * 4 + [live(5 * MIB, 5 * MIB)]
    assert risk_secs(files, True, KUBELET, Rates(MIB, 0)) == 5


def test_a_file_that_is_read_in_time_is_no_risk_but_the_next_one_may_be() -> None:
    oldest = KeptFile(1 * MIB, 10 * MIB)
    files = [oldest] + [KeptFile(10 * MIB, 10 * MIB)] * 3 + [live(5 * MIB, 5 * MIB)]
    # The oldest goes after 5 s and is read in 4; the second goes after 15 and would take 44.
    assert risk_secs(files, True, KUBELET, Rates(MIB, MIB / 4)) == 15


def test_a_route_that_is_slower_than_its_writers_will_lose_a_file_to_come() -> None:
    # The live file (full) goes after 4 s, its end is read after 27/8 s. Each later file goes 1 s
    # later and is read 1.25 s later than the one before, which is too late for the third.
    files = [KeptFile(7 * MIB, 10 * MIB), KeptFile(10 * MIB, 10 * MIB), live(10 * MIB, 10 * MIB)]
    assert risk_secs(files, True, KUBELET, Rates(10 * MIB, 8 * MIB)) == 4 + 3
    assert risk_secs([live(10 * MIB, 10 * MIB)], True, KUBELET, Rates(MIB, MIB)) is None


def test_no_risk_while_the_route_keeps_up() -> None:
    assert risk_secs([live(MIB, 5 * MIB)], True, KUBELET, Rates(MIB, 0.99 * MIB)) is None


def test_catching_up_in_time_is_no_risk() -> None:
    files = [KeptFile(10 * MIB, 10 * MIB)] * 3 + [live(5 * MIB, 5 * MIB)]
    assert risk_secs(files, True, KUBELET, Rates(MIB, 20 * MIB)) is None


def test_a_deleted_file_with_unread_bytes_is_at_risk_now() -> None:
    files = [KeptFile(1, 10 * MIB, deleted=True), live(0, MIB)]
    assert risk_secs(files, True, None, None) == 0
    assert risk_secs([KeptFile(0, 10 * MIB, deleted=True), live(0, MIB)], True, None, None) is None


def test_sizes_of_rotated_files_win_over_the_option() -> None:
    files = [KeptFile(50 * MIB, 50 * MIB), live(5 * MIB, 5 * MIB)]
    # 45 MiB to the first rotation, then 3 times 50: the rotated one goes with the fourth.
    assert risk_secs(files, True, KUBELET, Rates(MIB, 0)) == 45 + 150


def test_files_beyond_the_option_are_gone_with_the_next_rotation() -> None:
    files = [KeptFile(10 * MIB, 10 * MIB)] * 8 + [live(5 * MIB, 5 * MIB)]
    assert risk_secs(files, True, KUBELET, Rates(MIB, 0)) == 5


def test_a_file_between_its_rename_and_the_next_one_is_not_the_live_one() -> None:
    files = [KeptFile(10 * MIB, 10 * MIB)]
    assert risk_secs(files, False, KUBELET, Rates(MIB, 0)) == 40


@pytest.mark.parametrize(
    ("rotation", "rates"), [(None, Rates(MIB, 0)), (KUBELET, None), (KUBELET, Rates(0, 0))]
)
def test_what_is_not_known_is_no_number(rotation: Rotation | None, rates: Rates | None) -> None:
    assert risk_secs([live(5 * MIB, 5 * MIB)], True, rotation, rates) is None


def test_days_ahead_no_rate_says_anything() -> None:
    assert risk_secs([live(MIB, MIB)], True, KUBELET, Rates(49 * MIB / HORIZON_SECS, 0)) is not None
    assert risk_secs([live(MIB, MIB)], True, KUBELET, Rates(48 * MIB / HORIZON_SECS, 0)) is None


SIZE = 1000


def lost_at(files: Sequence[KeptFile], max_files: int, rates: Rates) -> float | None:
    """Writes, rotates and reads file by file; when the first file is deleted that is not read."""
    ends, end = [], 0
    for file in files[:-1]:
        end += file.unread_bytes
        ends.append(end)
    end += files[-1].unread_bytes + SIZE - files[-1].size  # of the live one, when it is full
    ends.append(end)
    rotated_at = (SIZE - files[-1].size) / rates.written
    for _ in range(3000):
        if len(ends) == max_files:
            first = ends.pop(0)
            if first > rates.read * rotated_at:
                return rotated_at
        ends.append(ends[-1] + SIZE)
        rotated_at += SIZE / rates.written
    return None


@given(
    st.lists(st.integers(0, SIZE), max_size=3),
    st.integers(0, SIZE),
    st.integers(1, 400),
    st.integers(0, 400),
)
def test_the_risk_is_when_a_kubelet_deletes_the_first_unread_file(
    rotated: list[int], size: int, written: int, read: int
) -> None:
    files = [KeptFile(unread, SIZE) for unread in rotated] + [KeptFile(size, size)]
    rates = Rates(written, read)
    if sum(file.unread_bytes for file in files) <= 2 * written:
        return
    wanted = lost_at(files, 5, rates)
    found = risk_secs(files, True, Rotation(SIZE, 5), rates)
    if wanted is None:
        assert found is None or found > 1000 * SIZE / written
    else:
        assert found == pytest.approx(wanted, abs=SIZE / written * 1.001 if read else 1e-6)
