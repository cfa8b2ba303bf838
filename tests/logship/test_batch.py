"""What a batch says of itself without being indexed."""

from logship.testing import batch_of, cri_line


def test_a_last_line_without_its_newline_is_a_row() -> None:
    assert batch_of([cri_line("a"), cri_line("b")[:-1]]).row_count() == 2
    assert batch_of([cri_line("only")[:-1]]).row_count() == 1


def test_counting_lines_and_indexing_agree() -> None:
    batch = batch_of([cri_line("a"), cri_line("b")])
    assert batch.row_count() == len(batch.rows) == 2
