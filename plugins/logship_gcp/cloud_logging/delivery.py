"""Sends one request until something is true of each of its rows.

A request that is refused as a whole, without saying which entry is the cause, is sent again in
halves until the entry is alone: that row is refused, its neighbours are written. Before that, for a
400, a request is sent that writes nothing (`dryRun`) and says the same about its origin: if it is
refused too, the cause is no row (a project that is none, a label), and nothing may be thrown away
for it. At most MAX_REQUESTS are sent; rows that are left come again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from logship_gcp.cloud_logging.requests import Request
from logship_gcp.cloud_logging.responses import Answer, Divide, Later, Verdict, Written, decide

MAX_REQUESTS = 256


class Post(Protocol):
    async def __call__(self, body: Sequence[bytes]) -> Answer | Later: ...


@dataclass(slots=True)
class Delivered:
    """What a request came to; rows are (batch, row). All rows not named are written."""

    refused: list[tuple[int, int, str]] = field(default_factory=list)
    again: list[tuple[int, int, str]] = field(default_factory=list)
    later: list[tuple[Request, Later]] = field(default_factory=list)
    """Requests of which nothing is written."""
    appeal: str = ""
    """What a person must do so that some of it is taken."""

    def add(self, other: "Delivered") -> None:
        self.refused += other.refused
        self.again += other.again
        self.later += other.later
        self.appeal = self.appeal or other.appeal


async def deliver(request: Request, post: Post, project: str) -> Delivered:
    """Send the request, and its parts where that is needed."""
    delivered = Delivered()
    innocent: set[bytes | int] = set()
    pending = [request]
    for _ in range(MAX_REQUESTS):
        if not pending:
            break
        current = pending.pop()
        verdict = await _send(current.pieces(), post, project)
        if isinstance(verdict, Divide):
            verdict = await _without_suspicion(current, verdict, innocent, post, project)
        if not isinstance(verdict, Divide):
            delivered.add(_result(current, verdict))
        elif len(current) == 1:
            delivered.refused.append((*current.row(0), verdict.reason))
        else:
            pending += reversed(current.halves())
    rest = Later(f"after {MAX_REQUESTS} requests there are still entries that are refused")
    delivered.later += [(left, rest) for left in pending]
    return delivered


async def _without_suspicion(
    request: Request, verdict: Divide, innocent: set[bytes | int], post: Post, project: str
) -> Verdict:
    """The verdict, once it is known that entries and not what they share are the cause of it.

    What a request's entries share is in its defaults, or is that of their batch. `innocent`: what
    was found to be no cause before.
    """
    batches = {part.batch for part in request.parts}
    if not verdict.suspect_request or (not request.defaults and len(batches) > 1):
        return verdict
    shared = request.defaults or min(batches)
    if shared in innocent:
        return verdict
    answer = await _send([request.probe()], post, project)
    if isinstance(answer, Divide):
        told = f"requests are refused whatever is in them: {answer.reason}"
        return Later(f"{told}; check `project`, `log_id` and labels", appeal=True)
    if isinstance(answer, Written):
        innocent.add(shared)
        return verdict
    return answer


async def _send(body: Sequence[bytes], post: Post, project: str) -> Verdict:
    answer = await post(body)
    return answer if isinstance(answer, Later) else decide(answer, project)


def _result(request: Request, verdict: Written | Later) -> Delivered:
    if isinstance(verdict, Later):
        appeal = verdict.reason if verdict.appeal else ""
        return Delivered(later=[(request, verdict)], appeal=appeal)
    count = len(request)
    return Delivered(
        [(*request.row(i), reason) for i, reason in verdict.refused.items() if i < count],
        [(*request.row(i), reason) for i, reason in verdict.again.items() if i < count],
        appeal=verdict.appeal,
    )


def total(delivered: Sequence[Delivered]) -> Delivered:
    """All of them as one."""
    whole = Delivered()
    for one in delivered:
        whole.add(one)
    return whole
