"""A file that is truncated between a look and a read: what is read then is not of its old bytes."""

import os
from pathlib import Path

from logship.rows.address import Generation
from logship.tail.generation import LogGeneration
from logship.testing.virtual_time import run_virtual, virtual_world


def test_bytes_after_a_truncation_nobody_has_seen_are_not_given(tmp_path: Path) -> None:
    async def go() -> None:
        world, path = virtual_world(), tmp_path / "0.log"
        path.write_bytes(b"old line\n" * 10)
        fd = world.disk.open(str(path))
        stat = world.disk.fstat(fd)
        log = LogGeneration(
            Generation(1, 1), fd, (stat.device, stat.inode), stat.size, True, stat.mtime_ns, 0.0
        )
        reader = log.reader(world)
        assert await reader.read(9, 9) == b"old line\n"
        os.truncate(path, 0)
        path.write_bytes(b"new line\n" * 5)  # there are bytes where reading goes on
        assert await reader.read(9, 18) == b""
        world.disk.close(fd)

    run_virtual(go())
