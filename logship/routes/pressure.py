"""Whether a route has to shed, and how much. Plain decisions on numbers; the clock is passed in.

pressure   rotation will delete unread rows soon, in `HOLD_TICKS` looks in a row (one look may see
           a burst); or the destination has asked for less for so long, and rows wait for it.
           A full window, an outage and a slow sink are none.
stage      how many severities are dropped: one more each `escalate_after_secs` of pressure, one
           less after each `calm_secs` without

The risk that ends is further away than the one that begins: a route that sheds reads fast, so its
risk goes at once, and comes again when it stops. It finds the least that helps by going back a step
at a time.
"""

from dataclasses import dataclass
from typing import Literal

from logship.routes.shed_options import ShedConfig

Why = Literal["", "rotation", "quota"]
HOLD_TICKS = 3
CALM_RISK = 2.0
"""So many times the threshold is no risk any more, once it sheds."""
QUOTA_SECS = 30.0
"""Refusals that come so often are one spell: the longest backoff, and a gap between writes."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is seen of a route, about once a second."""

    now: float
    risk_secs: float | None
    throttled: int
    """Refusals for quota so far."""
    failed: int
    """Writes so far that failed for another reason."""
    paused: bool
    """Nothing is written now, because of the last refusal."""
    behind: bool
    """Rows wait for the sink."""


class Spell:
    """For how long the destination has refused for quota."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._last = 0.0
        """It still did."""
        self._throttled = self._failed = 0

    def see(self, look: Look) -> None:
        refused = look.throttled > self._throttled
        failed = look.failed > self._failed
        self._throttled, self._failed = look.throttled, look.failed
        if refused and self._since is None:
            self._since = look.now
        if refused or (look.paused and self._since is not None):
            self._last = look.now
        over = look.now - self._last > QUOTA_SECS
        if over or not look.behind or (failed and not refused):
            self._since = None

    @property
    def secs(self) -> float | None:
        """From the first refusal to the last; None: it does not."""
        return None if self._since is None else self._last - self._since


class Pressure:
    def __init__(self, options: ShedConfig) -> None:
        self._options = options
        self._spell = Spell()
        self._risky = 0
        """Looks in a row that saw a risk."""
        self.stage = 0
        """How many severities are dropped now."""
        self.why: Why = ""
        """Why it began, or went on; empty: it does not shed."""
        self.since = 0.0
        """When it began."""
        self._changed_at = 0.0
        self._calm_since: float | None = None

    def see(self, look: Look) -> bool:
        """Whether the stage is another one now."""
        before, why = self.stage, self._felt(look)
        if why:
            self._calm_since, self.why = None, why
            self._escalate(look.now)
        elif self.stage:
            self._relax(look.now)
        return self.stage != before

    def _felt(self, look: Look) -> Why:
        self._spell.see(look)
        if self._at_risk(look.risk_secs):
            return "rotation"
        least, lasted = self._options.throttled_secs, self._spell.secs
        if least is None or lasted is None:
            return ""
        return "quota" if self.stage or lasted >= least else ""

    def _at_risk(self, risk_secs: float | None) -> bool:
        limit = self._options.rotation_risk_secs
        if self.stage and limit is not None:
            limit *= CALM_RISK
        near = limit is not None and risk_secs is not None and risk_secs <= limit
        self._risky = self._risky + 1 if near else 0
        return near and (self.stage > 0 or self._risky >= HOLD_TICKS)

    def _escalate(self, now: float) -> None:
        if self.stage == 0:
            self.since = now
        elif now - self._changed_at < self._options.escalate_after_secs:
            return
        if self.stage < len(self._options.stages):
            self.stage, self._changed_at = self.stage + 1, now

    def _relax(self, now: float) -> None:
        if self._calm_since is None:
            self._calm_since = now
        if now - max(self._calm_since, self._changed_at) < self._options.calm_secs:
            return
        self.stage, self._changed_at = self.stage - 1, now
        if self.stage == 0:
            self.why = ""
