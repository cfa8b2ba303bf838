"""Rows are counted as they are found, whether or not anybody finds them."""

from dataclasses import replace

from hypothesis import event, given
from hypothesis import strategies as st

from logship.api import Batch, Cutting, Joins
from logship.rows.address import Generation
from logship.rows.cut import Cutter
from logship.rows.rows import Rows
from logship.testing import origin_of
from tests.property.rows.test_cut_invariance import FORMAT_LINES

_MALFORMED = "malformed"
CUTTINGS = st.builds(
    Cutting,
    st.sampled_from(["cri", "cri", "cri", "docker", "plain"]),
    st.sampled_from([64, 256 * 1024, 256 * 1024]),
    st.sampled_from(
        [None, None, None, None, Joins(("java", "python")), Joins(first_line="^[a-z]")]
    ),
)


def batches_of(cutting: Cutting, content: bytes, step: int) -> list[Batch]:
    """As a feed takes them, without the rows that cutting has found."""
    cutter, found = Cutter(cutting), []
    for at in range(0, len(content), step):
        found.append(cutter.push(Generation(1, 2), at, content[at : at + step]))
    found += [cutter.push(Generation(1, 2), len(content), b"", end=True), cutter.flush()]
    owner = origin_of()
    return [Batch(owner, owner.labels, c.pieces, c.block, cutting) for c in found if c]


def uncommon(rows: Rows) -> list[tuple[int, list[str]]]:
    """The marks that are always counted."""
    names = (
        (row, [n for n in mark.names() if n != _MALFORMED]) for row, mark in rows.marks.items()
    )
    return sorted((row, those) for row, those in names if those)


@given(
    CUTTINGS.flatmap(
        lambda cutting: st.tuples(
            st.just(cutting), st.lists(FORMAT_LINES[cutting.format], max_size=12).map(b"".join)
        )
    ),
    st.integers(1, 200),
    st.booleans(),
)
def test_a_batch_counts_the_rows_that_it_has(
    given_: tuple[Cutting, bytes], step: int, torn: bool
) -> None:
    cutting, content = given_
    for batch in batches_of(cutting, content[:-1] if torn else content, step):
        counted, marks = batch.row_count(), dict(batch.marks())
        rows = replace(batch, _rows=None, _counted=None).rows
        assert counted == len(rows)
        assert uncommon(replace(rows, marks=marks)) == uncommon(rows)
        assert batch.rows is not None  # found later: it says the same
        assert (batch.row_count(), dict(batch.marks())) == (len(rows), dict(rows.marks))
        batch.forget_columns()
        assert (batch.row_count(), dict(batch.marks())) == (len(rows), dict(rows.marks))
        event(f"marks: {sorted({name for _, names in uncommon(rows) for name in names})}")
