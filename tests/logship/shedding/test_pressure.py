"""When a route begins to shed, goes on to more, goes back, and ends."""

from collections.abc import Iterable

from logship.routes.pressure import HOLD_TICKS, Look, Pressure
from logship.routes.shed_options import ShedConfig, ShedRule

RULES = tuple(
    ShedRule(name=name.lower(), severity=name)  # type: ignore[arg-type]  # of a literal
    for name in ("DEBUG", "INFO", "WARNING")
)
RISK = ShedConfig(rules=RULES, rotation_risk_secs=100.0, escalate_after_secs=10.0, calm_secs=20.0)
QUOTA = ShedConfig(
    rules=RULES, rotation_risk_secs=None, throttled_secs=30.0, escalate_after_secs=10.0,
    calm_secs=20.0,
)  # fmt: skip


class Watch:
    """Looks once a second."""

    def __init__(self, options: ShedConfig) -> None:
        self.pressure, self.now = Pressure(options), 0.0
        self.throttled = self.failed = 0

    def look(
        self, secs: int, *, risk: float | None = None, refuses: Iterable[int] = (),
        fails: bool = False, behind: bool = True, paused: bool = False,
    ) -> list[int]:  # fmt: skip
        """The stage after each second; `refuses`: at these, counted from the beginning."""
        at, stages = set(refuses), []
        for number in range(secs):
            self.now += 1
            self.throttled += number in at
            self.failed += fails
            self.pressure.see(Look(self.now, risk, self.throttled, self.failed, paused, behind))
            stages.append(self.pressure.stage)
        return stages


def test_it_begins_when_a_risk_is_near_and_not_before() -> None:
    watch = Watch(RISK)
    assert not any(watch.look(500, risk=101))
    assert not any(watch.look(500))
    assert watch.look(HOLD_TICKS, risk=100)[-1] == 1
    assert watch.pressure.why == "rotation"


def test_one_look_at_a_burst_is_no_reason() -> None:
    watch = Watch(RISK)
    for _ in range(20):
        assert not any(watch.look(HOLD_TICKS - 1, risk=1))
        assert not any(watch.look(1))


def test_it_escalates_while_the_pressure_lasts_and_not_beyond_its_rules() -> None:
    stages = Watch(RISK).look(60, risk=5)
    began = stages.index(1)
    assert [stages.index(n) - began for n in (2, 3)] == [10, 20]
    assert max(stages) == 3


def test_it_goes_back_step_by_step_and_ends() -> None:
    watch = Watch(RISK)
    watch.look(60, risk=5)
    stages = watch.look(100)
    assert [stages.index(n) for n in (2, 1, 0)] == [20, 40, 60]
    assert watch.pressure.why == ""


def test_what_would_not_begin_it_may_keep_it_going() -> None:
    watch = Watch(RISK)
    watch.look(HOLD_TICKS, risk=5)
    assert watch.look(100, risk=199)[-1] == 3
    assert watch.look(100, risk=201)[-1] == 0
    assert not any(watch.look(100, risk=199))


def test_a_moment_of_calm_ends_nothing() -> None:
    watch = Watch(RISK)
    watch.look(60, risk=5)
    for _ in range(10):
        assert set(watch.look(19)) == {3}
        assert set(watch.look(1, risk=5)) == {3}


def test_it_begins_when_refusals_for_quota_last() -> None:
    watch = Watch(QUOTA)
    stages = watch.look(40, refuses=range(0, 40, 3))
    assert stages.index(1) == 30
    assert watch.pressure.why == "quota"


def test_refusals_far_apart_are_no_spell() -> None:
    assert not any(Watch(QUOTA).look(1000, refuses=range(0, 1000, 35)))


def test_a_long_wait_for_a_refusal_is_part_of_its_spell() -> None:
    """A destination that named an hour refuses all that time."""
    assert Watch(QUOTA).look(100, refuses=[0], paused=True)[-1] > 0


def test_refusals_of_a_route_that_keeps_up_are_no_reason() -> None:
    assert not any(Watch(QUOTA).look(1000, refuses=range(1000), behind=False))


def test_an_outage_is_none() -> None:
    assert not any(Watch(QUOTA).look(1000, fails=True, paused=True))
    watch = Watch(QUOTA)
    watch.look(10, refuses=range(10))
    assert not any(watch.look(1000, fails=True, paused=True))


def test_a_full_window_is_none() -> None:
    assert not any(Watch(QUOTA).look(1000))
    assert not any(Watch(RISK).look(1000))


def test_without_a_threshold_quota_is_no_reason() -> None:
    assert not any(Watch(RISK).look(1000, refuses=range(1000)))
