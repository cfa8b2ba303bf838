"""Two routes read the same `.gz` at once, each at its own pace: both get every row."""

import asyncio
import logging
import random
from gzip import compress
from pathlib import Path

from logship.origin import Labels, LogFile, Origin
from logship.tail.follow import Follower
from logship.testing import world

_BLOCK_BYTES = 256 * 1024


def test_two_routes_that_read_one_gz_at_the_same_time_both_get_its_bytes(tmp_path: Path) -> None:
    dice = random.Random(1)
    content = b"".join(b"%d %x\n" % (n, dice.getrandbits(800)) for n in range(40_000))
    path = tmp_path / "0.log.20261123-044631.gz"
    path.write_bytes(compress(content, 1))

    async def read() -> list[bytes]:
        machine = world()
        log = LogFile(str(tmp_path), "0.log")
        follower = Follower(Origin("o", Labels({})), log, machine, logging.getLogger("test"))
        follower.refresh()

        async def whole() -> bytes:
            reader, found = follower.generations[0].reader(machine), b""
            while chunk := await reader.read(_BLOCK_BYTES, len(found)):
                found += chunk
            return found

        try:
            return list(await asyncio.gather(whole(), whole()))
        finally:
            follower.close()
            machine.offload.close()

    assert [found == content for found in asyncio.run(read())] == [True, True]
