"""Which generation a file is, told from its first bytes.

Not from its inode: ext4 gives the next file the inode just freed, again and again. The time is that
of the first row; a file whose first line has no time gets the time of its birth. The digest is of
the first line, of at most `HEAD_BYTES` of it, so it is known soon and never changes.
"""

from logship.rows.address import Generation, line_digest, time_ns
from logship.rows.lines import FORMATS

HEAD_BYTES = {"cri": 1024, "plain": 1024, "docker": 128 * 1024}
"""How much of a file tells what it is. json-file writes the time at the end of a line."""


def identify(format: str, head: bytes, birth_ns: int, *, final: bool = False) -> Generation | None:
    """The generation of a file that begins with `head`; None while too little of it is there.

    `head` has `HEAD_BYTES[format]` bytes, or all the file has. `final`: it will not grow.
    """
    size = HEAD_BYTES[format]
    line = head[: head.find(b"\n", 0, size) + 1] or head[:size]
    if not line or (not line.endswith(b"\n") and len(line) < size and not final):
        return None
    times = FORMATS[format](line, 0).times
    first = time_ns(times[0]) if times and times[0] else birth_ns
    return Generation(min(max(first, 0), 2**63 - 1), line_digest(line))
