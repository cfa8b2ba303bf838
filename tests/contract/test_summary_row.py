"""The row in place of rows that were dropped: every sink delivers it as it does any other."""

import orjson

from logship.api import DELIVERED, Batch
from logship.routes.shed_options import ShedConfig, ShedRule
from logship.routes.shed_rules import plan, sift
from logship.routes.summary import summary
from logship.severity import DEFAULT_KEYS
from tests.contract.batches import fresh
from tests.contract.conftest import Opened
from tests.contract.delivery import fails
from tests.contract.harness import Able

RULE = ShedRule(name="debug", severity="DEBUG")
TEXTS = ['{"severity": "DEBUG", "n": 1}', '{"severity": "DEBUG", "n": 2}']


def summed_up() -> tuple[Batch, Batch]:
    """(a batch whose first rows were dropped, the summary of these)."""
    batch = fresh([*TEXTS, "a plain row"])
    kept, drops = sift(batch, plan(ShedConfig(rules=(RULE,)), 1, batch.labels), DEFAULT_KEYS)
    dropped = drops["debug", "DEBUG"]
    return kept, summary(batch, "route", RULE, "DEBUG", dropped, ["it had to"])


def test_it_arrives_among_others_with_its_id_and_time(opened: Opened) -> None:
    opened.needs(Able.STORE)
    kept, made = summed_up()
    assert opened.run(opened.harness.sink.write([kept, made, fresh(["other"])])) == DELIVERED
    stored = {row.id: row for row in opened.run(opened.harness.stored())}
    (row_id,) = made.ids()
    assert len(stored) == 3
    assert row_id in stored
    assert stored[row_id].time_ns == stored[kept.ids()[0]].time_ns - 2
    said = stored[row_id].text
    message = orjson.loads(said)["message"] if said.startswith("{") else said
    assert message.startswith("logship dropped 2 rows of severity DEBUG of shop/web-")


def test_it_arrives_once_where_it_is_sent_twice(opened: Opened) -> None:
    """Under one id, so that a copy can be told."""
    opened.needs(Able.STORE)
    _, made = summed_up()
    for _ in range(2):
        assert opened.run(opened.harness.sink.write([made])) == DELIVERED
    stored = opened.run(opened.harness.stored())
    assert {row.id for row in stored} == set(made.ids())
    assert len(set(stored)) == 1


def test_a_sink_that_fails_gets_it_again(opened: Opened) -> None:
    opened.needs(Able.STORE, Able.FAIL)
    _, made = summed_up()
    opened.harness.fail()
    assert opened.run(fails(opened.harness.sink, [made]))
    opened.harness.heal()
    assert opened.run(opened.harness.sink.write([made])) == DELIVERED
    assert {row.id for row in opened.run(opened.harness.stored())} == set(made.ids())
