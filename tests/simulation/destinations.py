"""What lies behind the sinks; it outlives the agent."""

import random
from dataclasses import dataclass, field

from tests.simulation.scenario import Fault


@dataclass
class Destination:
    """What lies behind a sink."""

    name: str
    faults: tuple[Fault, ...]
    chance: random.Random
    writes: int = 0
    rows: int = 0
    met: dict[str, int] = field(default_factory=dict)
    """Requests by the fault they met."""

    def fault(self, now: float) -> Fault | None:
        for fault in self.faults:
            if fault.start <= now < fault.start + fault.secs and self.chance.random() < fault.share:
                self.met[fault.kind] = self.met.get(fault.kind, 0) + 1
                return fault
        return None
