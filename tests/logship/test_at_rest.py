"""Files at rest cost no looks, and nothing that happens to them is missed: the kernel tells."""

import os
from pathlib import Path

from logship.tail.follow import QUIET_SECS
from logship.tail.pulse import BACKUP_SECS, IDLE_SECS
from logship.testing import cri_line
from logship.testing.virtual_time import run_virtual
from tests.logship.pulse_stage import AT_REST_SECS, SOON_SECS, Silent, followed


def test_a_file_at_rest_is_looked_at_only_as_a_backup(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            before = one.disk.looks
            await one.world.clock.sleep(3 * BACKUP_SECS)
            assert 2 <= one.disk.looks - before <= 4 * len(one.follower.feeds) * 3

    run_virtual(go())


def test_what_is_written_to_a_file_at_rest_is_seen_at_once(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            for number in range(2, 6):
                await one.world.clock.sleep(AT_REST_SECS)
                one.write("more")
                assert await one.secs_until_found(number) <= 5 * SOON_SECS

    run_virtual(go())


def test_a_file_at_rest_that_is_renamed_is_followed_with_its_successor(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            one.path.rename(tmp_path / "0.log.1")
            one.write("successor")
            assert await one.secs_until_found(2) <= IDLE_SECS + QUIET_SECS + 0.2
            assert one.found == ["first", "successor"]

    run_virtual(go())


def test_last_words_of_a_file_at_rest_that_is_unlinked_are_read(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            one.write("last words")
            one.path.unlink()
            assert await one.secs_until_found(2) <= 5 * SOON_SECS
            assert one.follower.generations[0].links == 0

    run_virtual(go())


def test_a_file_at_rest_that_is_only_unlinked_is_known_to_be_gone(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            one.path.unlink()
            await one.world.clock.sleep(0.1)
            assert not one.follower.generations[0].live

    run_virtual(go())


def test_a_file_at_rest_that_is_truncated_begins_again(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            os.truncate(one.path, 0)
            one.path.write_bytes(cri_line("x", time_ns=1_900_000_000_000_000_000))
            assert await one.secs_until_found(2) <= 2 * IDLE_SECS + 0.2
            assert one.found[-1] == "x"

    run_virtual(go())


def test_two_origins_of_one_file_are_both_told(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one, followed(tmp_path, key="1") as other:
            other.pulse.remove(other.follower)
            one.pulse.add(other.follower)
            await one.world.clock.sleep(AT_REST_SECS)
            one.write("for both")
            assert await one.secs_until_found(2) <= 5 * SOON_SECS
            assert await other.secs_until_found(2) <= 5 * SOON_SECS

    run_virtual(go())


def test_an_open_record_keeps_its_file_from_rest_until_it_is_closed(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            one.write("torn", tag="P")
            assert await one.secs_until_found(2) <= 5 + 2 * IDLE_SECS
            assert one.found[-1] == "torn"

    run_virtual(go())


def test_rows_that_are_not_settled_keep_their_file_from_rest(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            one.feed.settle = lambda batch: None  # type: ignore[method-assign]
            one.write("on its way")
            await one.world.clock.sleep(AT_REST_SECS)
            before = one.disk.looks
            await one.world.clock.sleep(10)
            assert one.disk.looks - before >= 9

    run_virtual(go())


def test_unread_rows_keep_their_file_from_rest(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            await one.secs_until_found(1)

            async def busy_elsewhere() -> None: ...

            one.read = busy_elsewhere  # type: ignore[method-assign]
            one.write("not read")
            await one.world.clock.sleep(AT_REST_SECS)
            before = one.disk.looks
            await one.world.clock.sleep(10)
            assert one.disk.looks - before >= 9

    run_virtual(go())


def test_what_the_source_reports_takes_a_file_from_rest(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path, Silent) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            one.write("more")
            one.pulse.rouse(one.follower)
            assert await one.secs_until_found(2) <= 0.1

    run_virtual(go())
