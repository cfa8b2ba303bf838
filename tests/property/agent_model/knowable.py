"""Which losses an agent can know of, and so must report.

A start can notice what was deleted while no agent ran, of a log that goes on after it, if its saved
position does not stand behind that: one who stands behind it passed it in another life, and what
was written and truncated between two looks, nobody knows of. It takes a few seconds to say so: of
an agent that ended sooner, nothing is asked; the next one can notice the same.
"""

from collections.abc import Mapping

from logship.journal import Key, Saved
from tests.property.agent_model.arrivals import Ids
from tests.property.agent_model.written import WrittenFile

NOTICE_SECS = 10.0
"""An agent that ran for so long has said what it found to be lost when it started."""

Lost = tuple[str, WrittenFile]
"""By a route."""


class Knowable:
    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._all: set[Lost] = set()
        self._last: set[Lost] = set()
        """What the last start could notice."""

    def __contains__(self, lost: Lost) -> bool:
        return lost in self._all

    def start(self, saved: Mapping[Key, Saved]) -> None:
        """An agent finds these positions."""
        files = [file for log in self._ids.logs.values() for file in log.files]
        new = [file for file in files if file.at_risk and not file.judged]
        for file in new:
            file.judged = True
        routes = ("first", "second")
        self._last = {(r, file) for r in routes for file in new if self._shows(r, file, saved)}
        self._all |= self._last

    def end(self, ran_secs: float) -> None:
        """It has ended."""
        if ran_secs < NOTICE_SECS:
            self._all -= self._last
            for _, file in self._last:
                file.judged = False

    def _shows(self, route: str, file: WrittenFile, saved: Mapping[Key, Saved]) -> bool:
        """Whether the file is missed where the route goes on."""
        found = saved.get(Key(route, file.log.key))
        if found is None or not file.log.existing():
            return False
        stands = self._ids.files.get((file.log.key, found.position.generation))
        return stands is None or stands.order <= file.order
