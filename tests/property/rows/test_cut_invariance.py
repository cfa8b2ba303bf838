"""Rows, ids and times are a function of the bytes on disk, however they are cut."""

from collections.abc import Sequence

from hypothesis import event, given
from hypothesis import strategies as st

from logship.rows.address import Generation, Span
from logship.rows.cut import Cut, Cutter
from logship.rows.index import Cutting, index

ORIGIN = "0123456789ab"

_times = st.sampled_from(
    [
        "2026-11-23T04:46:31.123456789Z",
        "2026-11-23T04:46:31.1Z",
        "2026-11-23T04:46:31Z",
        "2026-11-23T10:16:31.000000001+05:30",
        "2026-02-30T04:46:31Z",
    ]
).map(str.encode)
_texts = st.one_of(
    st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"")),
    st.sampled_from(
        [b"", b"\r", b"\x00", b'{"a": 1}', "日本".encode(), "日本".encode()[:4], b" stdout P x",
         b"2026-11-23T04:46:31Z stdout F fake", b"x" * 70]
    ),
)  # fmt: skip
_streams = st.sampled_from([b"stdout", b"stderr"])
_tags = st.sampled_from([b"F", b"F", b"F", b"P", b"P", b"P:x", b"F:y", b"X"])
_cri_line = st.builds(
    lambda time, stream, tag, text: b"%s %s %s %s\n" % (time, stream, tag, text),
    _times, _streams, _tags, _texts,
)  # fmt: skip
_line = st.one_of(_cri_line, _cri_line, _cri_line, _texts.map(lambda b: b + b"\n"))
_docker_line = st.one_of(
    st.builds(
        lambda text, stream: b'{"log":"%s","stream":"%s","time":"2026-11-23T04:46:31.5Z"}\n'
        % (text, stream),
        st.sampled_from([b"a\\n", b"part", b"\\u65e5\\n", b""]), _streams,
    ),
    _texts.map(lambda b: b + b"\n"),
)  # fmt: skip
FORMAT_LINES = {"cri": _line, "docker": _docker_line, "plain": _texts.map(lambda b: b + b"\n")}


def rows_of(cuts: Sequence[Cut | None], cutting: Cutting) -> list[tuple[object, ...]]:
    """What is delivered, in the order of addresses."""
    found: list[tuple[object, ...]] = []
    for cut in filter(None, cuts):
        again = index(cut.block, cut.pieces, cutting)
        for rows in (cut.rows or again, again):  # found while cutting, and found later: equal
            assert [*zip(rows.ids(ORIGIN), rows.times, rows.streams, rows.texts, strict=True)] == [
                *zip(again.ids(ORIGIN), again.times, again.streams, again.texts, strict=True)
            ]
            assert dict(rows.marks) == dict(again.marks)
        assert cut.count in (None, len(again))
        found.extend(
            (id_, time, stream, text, again.mark(row))
            for row, (id_, time, stream, text) in enumerate(
                zip(again.ids(ORIGIN), again.times, again.streams, again.texts, strict=True)
            )
        )
    return sorted(found, key=lambda row: str(row[0]))


def read(
    files: Sequence[bytes], cuts: Sequence[int], cutting: Cutting, *, rows_wanted: bool = False
) -> list[Cut | None]:
    """Reads all generations, a chunk to each number in `cuts`, then in one piece."""
    cutter = Cutter(cutting, rows_wanted)
    found: list[Cut | None] = []
    sizes = iter(cuts)
    for number, content in enumerate(files):
        generation = Generation(1_000_000_000 * (number + 1), 0xABCD1234 + number)
        at = 0
        while at < len(content):
            size = next(sizes, len(content))
            found.append(cutter.push(generation, at, content[at : at + size]))
            at = min(at + size, len(content))
        found.append(cutter.push(generation, at, b"", end=True))
    found.append(cutter.flush())
    return found


@given(
    st.sampled_from(sorted(FORMAT_LINES)).flatmap(
        lambda format: st.tuples(
            st.just(format),
            st.lists(st.lists(FORMAT_LINES[format], max_size=12).map(b"".join), max_size=3),
        )
    ),
    st.lists(st.integers(1, 60), max_size=40),
    st.sampled_from([64, 200, 256 * 1024]),
    st.booleans(),
    st.booleans(),
)
def test_rows_do_not_depend_on_how_the_bytes_are_read(
    files: tuple[str, list[bytes]], cuts: list[int], limit: int, torn: bool, wanted: bool
) -> None:
    format, contents = files
    if torn and contents:
        contents = [contents[0][:-1], *contents[1:]]  # a rotation in the middle of a line
    cutting = Cutting(format, limit)
    whole = rows_of(read(contents, [], cutting), cutting)
    pieces = rows_of(read(contents, cuts, cutting, rows_wanted=wanted), cutting)
    assert pieces == whole
    event(f"rows: {min(len(whole), 10)}")


@given(st.lists(_line, max_size=15).map(b"".join), st.lists(st.integers(1, 60), max_size=40))
def test_every_byte_is_in_exactly_one_block(content: bytes, cuts: list[int]) -> None:
    spans: list[Span] = []
    for cut in filter(None, read([content], cuts, Cutting())):
        assert sum(span.size for span in cut.pieces) == len(cut.block)
        spans.extend(cut.pieces)
        for span in cut.pieces:
            assert content[span.start : span.end] in cut.block
    spans.sort(key=lambda span: span.start)
    assert [span.start for span in spans[1:]] == [span.end for span in spans[:-1]]
    assert sum(span.size for span in spans) == len(content)
