"""Who sees that a file in use grows, and how soon. Real files, virtual time."""

from pathlib import Path

from logship.tail.pulse import BACKUP_SECS, GATHER_SECS, IDLE_SECS
from logship.tail.rest import BLIND_STRIKES, AtRest
from logship.testing import cri_line
from logship.testing.virtual_time import run_virtual
from tests.logship.pulse_stage import AT_REST_SECS, SOON_SECS, Silent, followed, none_left


def test_what_is_written_just_before_a_file_is_watched_is_seen(tmp_path: Path) -> None:
    class Late(Silent):
        def watch(self, fd: int) -> int | None:
            with (tmp_path / "0.log").open("ab") as file:
                file.write(cri_line("between"))
            return super().watch(fd)

    async def go() -> None:
        async with followed(tmp_path, Late) as one:
            assert await one.secs_until_found(2) <= AT_REST_SECS

    run_virtual(go())


def test_without_notices_growth_is_seen_within_a_second(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path, none_left) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            one.write("more")
            assert await one.secs_until_found(2) <= IDLE_SECS + 5 * SOON_SECS

    run_virtual(go())


def test_a_device_that_does_not_tell_is_looked_at_every_second_after_some_misses(
    tmp_path: Path,
) -> None:
    async def go() -> None:
        async with followed(tmp_path, Silent) as one:
            for number in range(BLIND_STRIKES):
                await one.world.clock.sleep(AT_REST_SECS)
                one.write("late")
                assert await one.secs_until_found(2 + number) <= BACKUP_SECS + 1
            await one.world.clock.sleep(AT_REST_SECS)
            one.write("in time")
            assert await one.secs_until_found(2 + BLIND_STRIKES) <= IDLE_SECS + 5 * SOON_SECS

    run_virtual(go())


def test_a_notice_that_was_not_read_yet_is_no_miss(tmp_path: Path) -> None:
    async def go() -> None:
        notices = Silent()
        async with followed(tmp_path, lambda: notices) as one:
            await one.secs_until_found(1)
            rest = AtRest(notices, lambda: None)
            for _ in range(2 * BLIND_STRIKES):
                assert rest.begin(one.follower)
                notices.taken = [notices.number]
                rest.missed(one.follower)

    run_virtual(go())


def test_when_notices_were_lost_every_file_is_looked_at(tmp_path: Path) -> None:
    async def go() -> None:
        notices = Silent()
        async with followed(tmp_path, lambda: notices) as one:
            await one.world.clock.sleep(AT_REST_SECS)
            one.write("told of nowhere")
            notices.taken = None
            notices.on_notice()
            assert await one.secs_until_found(2) <= 5 * SOON_SECS

    run_virtual(go())


def test_a_file_that_says_little_is_looked_at_rarely_but_soon_enough(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            for _ in range(50):
                one.write("little")
                await one.world.clock.sleep(0.1)
            before = one.disk.looks
            waits = []
            for _ in range(50):
                one.write("little")
                waits.append(await one.secs_until_found(len(one.found) + 1))
            assert max(waits) <= GATHER_SECS + 5 * SOON_SECS
            assert one.disk.looks - before < 4 * sum(waits) / GATHER_SECS + 10

    run_virtual(go())


def test_a_file_that_begins_to_say_much_is_looked_at_often(tmp_path: Path) -> None:
    async def go() -> None:
        async with followed(tmp_path) as one:
            for _ in range(30):
                one.write("little")
                await one.world.clock.sleep(0.1)
            for _ in range(200):
                one.write("much " * 2000)
                await one.world.clock.sleep(0.01)
            waits = []
            for _ in range(5):
                one.write("much " * 20_000)
                waits.append(await one.secs_until_found(len(one.found) + 1))
            assert max(waits) <= 0.1 + 5 * SOON_SECS

    run_virtual(go())
