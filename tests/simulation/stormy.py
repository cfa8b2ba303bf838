"""A scenario with a route that may shed, and with what makes it, laid over one that was drawn."""

import random
from dataclasses import replace

from tests.simulation.scenario import Burst, Fault, Rotate, Scenario
from tests.simulation.storm import draw_shed


def stormy(plan: Scenario, draw: random.Random) -> Scenario:
    """With a route that may shed; mostly its sink refuses for quota, and logs are rotated away."""
    number = draw.randrange(len(plan.routes))
    routes = list(plan.routes)
    routes[number] = replace(routes[number], shed=draw_shed(draw))
    start, secs = draw.uniform(2, 10), draw.uniform(12, 35)
    quiet_at = max(plan.quiet_at, start + secs + draw.uniform(0, 10))
    if draw.random() < 0.15:  # and no storm: nothing may be dropped
        return replace(plan, routes=tuple(routes))
    share, after = draw.choice((0.7, 0.9, 1.0, 1.0)), draw.choice((None, None, 1.0, 8.0))
    fault = Fault(routes[number].sink, "quota", start, secs, share, after)
    bursts, rotations = list(plan.bursts), list(plan.rotations)
    size, rows = draw.choice((30, 300, 1000)), draw.choice((5, 20, 40))
    for container in range(len(plan.begins)):
        pause = draw.choice((0.25, 0.5, 1.0))
        for at in _times(start, start + secs * 1.2, pause):
            bursts.append(Burst(at, container, rows, size, draw.choice((0.0, 0.1)), ""))
        for at in _times(start, start + secs, draw.uniform(2, 8)):
            rotations.append(Rotate(at, container, draw.choice((0.0, 0.5))))
    return replace(
        plan, routes=tuple(routes), faults=(*plan.faults, fault), quiet_at=quiet_at,
        bursts=tuple(sorted(bursts, key=lambda burst: burst.at)),
        rotations=tuple(sorted(rotations, key=lambda rotate: rotate.at)),
    )  # fmt: skip


def _times(start: float, end: float, pause: float) -> list[float]:
    return [start + n * pause for n in range(int((end - start) / pause))]
