"""Every row of a write is delivered, refused or left, exactly once."""

from hypothesis import given
from hypothesis import strategies as st

from logship.delivery.verdict import longest_wait, verdicts
from logship.outcome import Again, Outcome, Refused
from logship.testing import texts_batch


@given(st.lists(st.lists(st.sampled_from("dra"), max_size=8), max_size=4), st.data())
def test_rows_are_conserved(fates: list[list[str]], data: st.DataObject) -> None:
    batches = [texts_batch([f"{b} {r}" for r in range(len(f))]) for b, f in enumerate(fates)]
    refused = [
        Refused(b, r, "no")
        for b, found in enumerate(fates)
        for r, f in enumerate(found)
        if f == "r"
    ]
    again = []
    for number, found in enumerate(fates):
        rows = [r for r, fate in enumerate(found) if fate == "a"]
        if rows and "d" not in found and data.draw(st.booleans()):
            again.append(Again(number, None, "later"))
        else:
            again.extend(Again(number, [row], "later") for row in rows)
    found_verdicts = verdicts(batches, Outcome(tuple(refused), tuple(again)))
    for number, (fate, verdict) in enumerate(zip(fates, found_verdicts, strict=True)):
        assert verdict.delivered == fate.count("d")
        assert len(verdict.refused) == fate.count("r")
        left = list(verdict.left.rows.texts) if verdict.left else []
        assert left == [f"{number} {r}" for r, f in enumerate(fate) if f == "a"]


def test_the_longest_time_that_was_named_counts() -> None:
    again = (Again(0, None, "", 1.0), Again(1, None, "", 3.0), Again(2, None, ""))
    assert longest_wait(Outcome(again=again)) == 3.0
    assert longest_wait(Outcome()) is None
