"""A text that is too large for an entry: sent in parts, or cut. Pure functions.

Parts are entries of their own with the row's time, severity and labels; their `split` says which
row they make up, and Logs Explorer shows them together (LogSplit of log_entry.proto). The first has
the row's insertId, the others `<row id>.<index>`, which sort in their order. Parts end where the
text says, so that a row that is sent twice is divided at the same places.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from types import MappingProxyType
from typing import Literal, NamedTuple

import orjson

Oversize = Literal["split", "cut"]

PART_BYTES = 192 * 1024
"""Of UTF-8; in JSON a part may take six times that, and still has to fit into any request."""


class Encoded(NamedTuple):
    """The entries of a batch."""

    body: bytes
    """In the order of the rows, separated by commas."""
    rows: Sequence[int]
    """Of each entry its row."""
    altered: Mapping[int, Oversize] = MappingProxyType({})
    """Rows that were too large, and what was done."""


def row_of_each_entry(rows: range, parts: Mapping[int, int]) -> Sequence[int]:
    """`parts`: how many entries a row has, where it is not one."""
    if not parts:
        return rows
    return list(chain.from_iterable(repeat(row, parts.get(row, 1)) for row in rows))


def cut(text: str, max_bytes: int) -> str:
    """As much of the text as fits, in whole characters."""
    return text.encode()[:max_bytes].decode(errors="ignore")


def parts(text: str, max_bytes: int) -> Iterator[str]:
    """The text in pieces of at most `max_bytes` (at least 4) of UTF-8, in whole characters."""
    content = text.encode()
    start = 0
    while start < len(content):
        end = start + max_bytes
        while end < len(content) and content[end] & 0xC0 == 0x80:  # in the middle of a character
            end -= 1
        yield content[start:end].decode()
        start = end


def part_id(row_id: str, index: int, count: int) -> str:
    """The insertId of a part after the first."""
    return f"{row_id}.{index:0{len(str(count - 1))}d}"


def in_parts(texts: Sequence[str], row_id: str, time: str, middle: Callable[[int], bytes]) -> bytes:
    """The payload of the first part, and all other entries but for the end of the last."""
    pieces = [orjson.dumps(texts[0])]
    for index in range(1, len(texts)):
        insert_id = orjson.dumps(part_id(row_id, index, len(texts)))
        pieces += [b'},{"insertId":', insert_id, b',"timestamp":"', time.encode(), middle(index)]
        pieces.append(orjson.dumps(texts[index]))
    return b"".join(pieces)


def log_split(row_id: str, index: int, count: int) -> dict[str, object]:
    """The member `split` of a part."""
    return {"uid": row_id, "index": index, "totalSplits": count}
