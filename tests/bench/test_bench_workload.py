"""The workloads are what the benchmark says they are."""

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from logship_gcp.cloud_logging.special import Reader

from bench.lines import TOKEN
from bench.workload import KINDS, Workload, make
from logship.api import DEFAULT_KEYS, Cutting, Generation, Span, index

Make = Callable[[str, int], Workload]
_READER = Reader("p", DEFAULT_KEYS, ("logging.googleapis.com/trace",))


def texts(work: Workload) -> list[str]:
    found: list[str] = []
    for path in work.paths:
        block = path.read_bytes()
        found += index(block, (Span(Generation(1, 1), 0, len(block)),), Cutting()).texts
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bytes_are_made_again(kind: str, tmp_path: Path, workload: Make) -> None:
    work = workload(kind, 3)
    again = make(kind, tmp_path, 3, 300_000)
    assert [p.read_bytes() for p in again.paths] == [p.read_bytes() for p in work.paths]
    assert again.pods.read_bytes() == work.pods.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_rows_and_bytes_are_those_that_the_row_kernel_finds(kind: str, workload: Make) -> None:
    work = workload(kind, 3)
    assert work.rows == len(texts(work))
    assert work.bytes == sum(path.stat().st_size for path in work.paths)


@pytest.mark.parametrize(("kind", "size"), [("A", 201), ("B", 402), ("B-plain", 402)])
def test_lines_have_the_stated_length_and_a_number_each(
    kind: str, size: int, workload: Make
) -> None:
    work = workload(kind, 3)
    lines = b"".join(path.read_bytes() for path in work.paths).splitlines()
    assert size - 1 <= work.bytes / len(lines) <= size
    numbers = [line.partition(TOKEN)[2][:12] for line in lines]
    assert len(set(numbers)) == len(lines) == work.tokens
    assert all(line[20:50].split(b" ")[1:3] == [b"stdout", b"F"] for line in lines)
    assert len(lines) == work.rows


def test_only_b_has_special_fields(workload: Make) -> None:
    with_fields = [orjson.loads(t) for t in texts(workload("B", 1)) if t.count(TOKEN.decode()) == 1]
    without = [orjson.loads(t) for t in texts(workload("B-plain", 1)) if t.count("rid=") == 1]
    assert all(len(_READER.special_keys(fields)) == 5 for fields in with_fields)
    assert not any(_READER.special_keys(fields) for fields in without)


def test_the_mix_has_traces_partials_stderr_and_japanese(tmp_path: Path) -> None:
    work = make("C", tmp_path, 1, 3_000_000)
    block = work.paths[0].read_bytes()
    for wanted in (b" stderr F \tat ", b" stdout P ", "再生".encode(), "💥".encode(), b" F {"):
        assert wanted in block
