"""A position never stands inside of a record whose parts have other bytes between them."""

from logship.rows.address import Generation, Position, Span
from logship.rows.cut import Cut, Cutter, Straddle
from logship.rows.index import Cutting
from logship.tail.ledger import Ledger
from logship.testing import cri_line

OLD, NEW = Generation(1, 0), Generation(2, 0)


def test_the_position_steps_back_to_the_beginning_of_a_record_that_crosses_it() -> None:
    ledger = Ledger(Position(OLD, 0))
    ledger.taken(Span(OLD, 0, 100))
    ledger.taken(Span(NEW, 0, 100))
    ledger.keep_whole([Straddle(Position(OLD, 90), Position(NEW, 20))])
    ledger.keep_whole([Straddle(Position(OLD, 80), Position(OLD, 95))])
    ledger.settle([Span(OLD, 0, 100), Span(NEW, 0, 10), Span(NEW, 20, 100)])
    assert ledger.committed == Position(OLD, 80)
    ledger.settle([Span(NEW, 10, 20)])
    assert ledger.committed == Position(NEW, 100)


def test_a_record_that_was_passed_holds_nothing_back() -> None:
    ledger = Ledger(Position(OLD, 0))
    ledger.taken(Span(OLD, 0, 100))
    ledger.keep_whole([Straddle(Position(OLD, 10), Position(OLD, 30))])
    ledger.settle([Span(OLD, 0, 40)])
    assert ledger.committed == Position(OLD, 40)
    assert not ledger._straddles


def test_partials_that_cross_each_other_are_told_to_whoever_keeps_the_position() -> None:
    lines = [cri_line("a", tag="P"), cri_line("b", tag="P", stream="stderr"), cri_line("c")]
    first, second, third = map(len, lines)
    cut = Cutter(Cutting()).push(OLD, 0, b"".join(lines))
    assert isinstance(cut, Cut)
    assert cut.straddles == (Straddle(Position(OLD, 0), Position(OLD, first + second)),)
    assert sum(span.size for span in cut.pieces) == first + third


def test_parts_that_lie_side_by_side_cross_nothing() -> None:
    lines = [cri_line("a", tag="P"), cri_line("c"), cri_line("x", tag="P")]
    cut = Cutter(Cutting()).push(OLD, 0, b"".join(lines))
    assert cut is not None
    assert cut.straddles == ()
