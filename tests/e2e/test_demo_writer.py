"""PodLog writes what containerd and the kubelet write, and its books are what a reader finds."""

import gzip
import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from logship.rows.address import Generation, time_ns
from logship.rows.cut import Cutter
from logship.rows.index import Cutting, index
from logship_sandbox.demo.writer import STDERR, PodLog, rfc3339_nano
from logship_sandbox.demo.writer_files import MAX_FILES, PodName

POD = PodName("shop", "cart-0", "1b4e28ba-2fa1-41d2-883f-0016d3cca427")
START_NS = 1_700_000_000_000_000_000
_LINE = re.compile(rb"[^ ]+ (stdout|stderr) ([PF]) (.*)", re.DOTALL)


@pytest.fixture
def log(tmp_path: Path) -> PodLog:
    return opened(tmp_path)


def opened(root: Path, max_files: int = MAX_FILES) -> PodLog:
    """A log whose clock ticks once a second."""
    ticks = count(START_NS, 1_000_000_000)
    return PodLog(str(root), POD, "app", clock=lambda: next(ticks), max_files=max_files)


def directory(root: Path) -> Path:
    return root / f"shop_cart-0_{POD.uid}" / "app"


def content(path: Path) -> bytes:
    packed = path.read_bytes()
    return gzip.decompress(packed) if path.suffix == ".gz" else packed


def parts(path: Path) -> list[tuple[str, str, bytes]]:
    """(stream, tag, content) of each line."""
    found = [_LINE.fullmatch(line) for line in content(path).split(b"\n")[:-1]]
    return [(m[1].decode(), m[2].decode(), m[3]) for m in found if m is not None]


def names(root: Path) -> list[str]:
    return sorted(path.name for path in directory(root).iterdir())


@pytest.mark.parametrize(
    ("nanos", "fraction"),
    [
        (0, ""),
        (1, ".000000001"),
        (500_000_000, ".5"),
        (120, ".00000012"),
        (999_999_999, "." + "9" * 9),
    ],
)
def test_times_have_no_trailing_zeros(nanos: int, fraction: str) -> None:
    assert rfc3339_nano(START_NS + nanos) == f"2023-11-14T22:13:20{fraction}Z"


def test_a_line_has_time_stream_tag_and_content(log: PodLog, tmp_path: Path) -> None:
    log.write("hello 世界")
    log.write("", STDERR)
    log.close()
    assert content(directory(tmp_path) / "0.log") == (
        "2023-11-14T22:13:20Z stdout F hello 世界\n2023-11-14T22:13:21Z stderr F \n".encode()
    )


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        (16_384, [16_384]),
        (16_385, [16_384, 1]),
        (32_768, [16_384, 16_384]),
        (40_000, [16_384, 16_384, 7232]),
    ],
)
def test_a_long_line_is_cut_into_parts(
    log: PodLog, tmp_path: Path, size: int, sizes: list[int]
) -> None:
    log.write("x" * size)
    log.close()
    found = parts(directory(tmp_path) / "0.log")
    assert [len(part) for _, _, part in found] == sizes
    assert [tag for _, tag, _ in found] == ["P"] * (len(sizes) - 1) + ["F"]


def test_the_carriage_return_before_the_newline_is_removed(log: PodLog, tmp_path: Path) -> None:
    log.write("50%\r100%\r")
    log.close()
    assert parts(directory(tmp_path) / "0.log") == [("stdout", "F", b"50%\r100%")]
    assert log.records[0].text == "50%\r100%"


def test_a_last_line_without_a_newline_is_a_part_that_nothing_follows(
    log: PodLog, tmp_path: Path
) -> None:
    log.dangle("bye")
    with pytest.raises(ValueError, match="has ended"):
        log.write("more")
    log.write("still here", STDERR)
    log.close()
    assert [tag for _, tag, _ in parts(directory(tmp_path) / "0.log")] == ["P", "F"]
    assert not log.records[0].finished


def test_a_line_with_a_newline_is_an_error(log: PodLog) -> None:
    with pytest.raises(ValueError, match="no newline"):
        log.write("a\nb")


def test_after_the_rename_the_runtime_writes_to_the_renamed_file(
    log: PodLog, tmp_path: Path
) -> None:
    log.write("before")
    log.flush()
    log.rename()
    log.write("between")
    log.write("cut here", cut_at=4, between=log.reopen)
    log.close()
    old, new = sorted(directory(tmp_path).iterdir(), reverse=True)
    assert re.fullmatch(r"0\.log\.\d{8}-\d{6}", old.name)
    assert [part for _, _, part in parts(old)] == [b"before", b"between", b"cut "]
    assert parts(new) == [("stdout", "F", b"here")]


def test_five_files_are_kept_and_older_ones_are_compressed(log: PodLog, tmp_path: Path) -> None:
    for number in range(8):
        log.write(f"line {number}")
        log.rotate()
    log.write("live")
    log.close()
    found = names(tmp_path)
    assert len(found) == 5
    assert [name.endswith(".gz") for name in found] == [False, True, True, True, False]
    texts = [parts(directory(tmp_path) / name)[0][2] for name in (*found[1:], found[0])]
    assert texts == [b"line 4", b"line 5", b"line 6", b"line 7", b"live"]


def test_a_restart_begins_a_new_file_and_one_dead_log_is_kept(log: PodLog, tmp_path: Path) -> None:
    log.dangle("panic", STDERR)
    log.restart()
    log.write("again", STDERR)
    log.restart()
    assert names(tmp_path) == ["0.log", "1.log", "2.log"]
    log.forget_old_restarts()
    log.close()
    assert names(tmp_path) == ["1.log", "2.log"]
    assert [record.restart for record in log.records] == [0, 1]


def test_deletion_unlinks_every_file(log: PodLog, tmp_path: Path) -> None:
    log.write("x")
    log.rotate()
    log.close()
    log.delete()
    assert names(tmp_path) == []


def test_a_flush_may_show_a_torn_line_and_loses_nothing(log: PodLog, tmp_path: Path) -> None:
    for number in range(50):
        log.write(f"line {number}")
        log.flush(split=number % 7)
    assert os.path.getsize(directory(tmp_path) / "0.log") == log.size
    assert len(parts(directory(tmp_path) / "0.log")) == 50
    log.close()


def test_the_books_are_what_the_row_kernel_finds(tmp_path: Path) -> None:
    log = opened(tmp_path, max_files=100)
    for number in range(300):
        log.write(f"行 {number} " + "語" * (number * 61))
        log.write(b"\xff\xfe\x00" * number, STDERR)
        log.write("x" * 20_000, between=lambda: log.write("interrupts", STDERR))
        if number % 50 == 7:
            log.rename()
            log.write("a line of two files " * 2000, cut_at=number, between=log.reopen)
    log.dangle("the end")
    log.close()
    records = [(r.stream, r.time_ns, r.text) for r in log.records]
    assert sorted(_read(tmp_path)) == sorted(records)


def _read(root: Path) -> Iterator[tuple[str, int, str]]:
    """All rows of the log, as logship cuts them."""
    files = sorted(directory(root).iterdir())
    cutting = Cutting("cri", 1 << 20)
    cutter = Cutter(cutting)
    cuts = []
    for number, path in enumerate([*files[1:], files[0]]):
        cuts.append(cutter.push(Generation(number, 0), 0, content(path), end=True))
    for cut in (*cuts, cutter.flush()):
        if cut is not None:
            rows = cut.rows or index(cut.block, cut.pieces, cutting)
            yield from zip(rows.streams, map(time_ns, rows.times), rows.texts, strict=True)
