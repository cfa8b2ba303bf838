"""Whether a record may go on after a block of CRI lines, told from the bytes near its end.

Never wrongly no, and cheap: finding all rows only to learn that none is open would cost a sink that
ships blocks ten times as much. What looks like a header inside of a text is seen through by looking
at its line's beginning.
"""

import re
from collections.abc import Iterator

from logship.rows.lines import TIME, dates_exist
from logship.rows.runs import Joiner

_FULL_LINE = {
    stream: re.compile(rf"\n({TIME}) {stream.decode()} F[: ]".encode(), re.ASCII)
    for stream in (b"stdout", b"stderr")
}
_HEADER = re.compile(rf"({TIME}) (stdout|stderr) F(?::[^ \n]*)? ".encode(), re.ASCII)


def may_go_on(body: bytes, stream: bytes, joiner: Joiner | None) -> bool:
    """`body`: whole lines, none longer than a row may be."""
    if b" " + stream + b" " not in body:
        return False
    partial = b" " + stream + b" P"
    if partial in body:  # `in` takes half the time of rfind
        return joiner is not None or _is_open(body, stream, body.rfind(partial))
    return joiner is not None and joiner.may_be_open(_last_texts(body, stream, joiner.reach))


def plain_may_go_on(body: bytes, joiner: Joiner) -> bool:
    lines = body.removesuffix(b"\n").rsplit(b"\n", joiner.reach)
    last = lines[: -joiner.reach - 1 : -1]
    return joiner.may_be_open(line.decode(errors="replace") for line in last)


def _is_open(body: bytes, stream: bytes, partial: int) -> bool:
    closing = _FULL_LINE[stream].search(body, partial)
    return closing is None or not dates_exist((closing[1].decode(),))


def _last_texts(body: bytes, stream: bytes, count: int) -> Iterator[str]:
    """Texts of the stream's last full lines, from the last on."""
    needle, at = b" " + stream + b" F", len(body)
    while count and (at := body.rfind(needle, 0, at)) >= 0:
        at = body.rfind(b"\n", 0, at) + 1
        header = _HEADER.match(body, at)
        if header and header[2] == stream and dates_exist((header[1].decode(),)):
            end = body.find(b"\n", at)
            yield body[header.end() : end if end >= 0 else None].decode(errors="replace")
            count -= 1
