"""The account of a route as `/status` gives it: every row that was read has one fate."""

import msgspec

from tests.e2e.agent_process import Agent


class Fates(msgspec.Struct):
    """Of one route, since the process started."""

    read_rows: int
    reread_rows: int
    delivered_rows: int
    dropped_rows: dict[str, int]
    passed_rows: int
    dead_rows: int
    released_rows: int
    held_rows: int
    unaccounted_rows: int
    throttled: int
    writes_by_result: dict[str, int]

    @property
    def rereads_owed(self) -> int:
        """Given back, and not read again yet."""
        return self.released_rows - self.reread_rows


class _Status(msgspec.Struct):
    checkpoint_age_secs: float | None
    routes: dict[str, Fates]


def fates(agent: Agent, route: str) -> Fates:
    return _status(agent).routes[route]


def checkpoint_age_secs(agent: Agent) -> float | None:
    return _status(agent).checkpoint_age_secs


def _status(agent: Agent) -> _Status:
    answer = agent.get("/status")
    assert answer is not None, f"the agent does not answer:\n{agent.log()}"
    return msgspec.json.decode(answer[1], type=_Status)


def assert_each_row_once(agent: Agent, route: str, rows: int, dead: int = 0) -> None:
    """All that was written was read, delivered (or refused) once, and is nowhere else.

    What was given back was read again: rows of it that had been delivered before would show here.
    """
    found = fates(agent, route)
    assert found.read_rows == rows, found
    assert (found.delivered_rows, found.dead_rows) == (rows - dead, dead), found
    assert (found.held_rows, found.unaccounted_rows, found.rereads_owed) == (0, 0, 0), found
