"""Sends one request until something is true of each of its rows.

A request that is refused as a whole, without saying which entry is the cause, is sent again in
halves until the entry is alone: that row is refused, its neighbours are written. Before that, for a
400, a request is sent that writes nothing (`dryRun`) and shares its defaults: if it is refused too,
the cause is no row (a project that is none, a label), and nothing may be thrown away for it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from logship_gcp.cloud_logging.requests import Request
from logship_gcp.cloud_logging.responses import Answer, Divide, Later, Verdict, Written, decide


class Post(Protocol):
    async def __call__(self, body: bytes) -> Answer | Later: ...


@dataclass(slots=True)
class Delivered:
    """What a request came to; rows are (batch, row). All rows not named are written."""

    refused: list[tuple[int, int, str]] = field(default_factory=list)
    again: list[tuple[int, int, str]] = field(default_factory=list)
    later: list[tuple[Request, Later]] = field(default_factory=list)
    """Requests of which nothing is written."""

    def add(self, other: "Delivered") -> None:
        self.refused += other.refused
        self.again += other.again
        self.later += other.later


async def deliver(request: Request, post: Post, project: str) -> Delivered:
    """Send the request, and its parts where that is needed."""
    verdict = await _send(request.body(), post, project)
    if isinstance(verdict, Divide) and verdict.suspect_request:
        doubt = await _send(request.probe(), post, project)
        if isinstance(doubt, Later):
            verdict = doubt
        elif isinstance(doubt, Divide):
            verdict = Later(f"every request is refused, whatever is in it: {doubt.reason}")
    if isinstance(verdict, Divide):
        return await _divide(request, verdict, post, project)
    return _result(request, verdict)


async def _divide(request: Request, verdict: Divide, post: Post, project: str) -> Delivered:
    delivered = Delivered()
    pending: list[tuple[Request, Divide]] = [(request, verdict)]
    while pending:
        whole, refusal = pending.pop()
        if len(whole) == 1:
            delivered.refused.append((*whole.row(0), refusal.reason))
            continue
        halves = whole.halves()
        verdicts = await asyncio.gather(*(_send(half.body(), post, project) for half in halves))
        for half, verdict_of_half in zip(halves, verdicts, strict=True):
            if isinstance(verdict_of_half, Divide):
                pending.append((half, verdict_of_half))
            else:
                delivered.add(_result(half, verdict_of_half))
    return delivered


async def _send(body: bytes, post: Post, project: str) -> Verdict:
    answer = await post(body)
    return answer if isinstance(answer, Later) else decide(answer, project)


def _result(request: Request, verdict: Written | Later) -> Delivered:
    if isinstance(verdict, Later):
        return Delivered(later=[(request, verdict)])
    count = len(request)
    return Delivered(
        [(*request.row(i), reason) for i, reason in verdict.refused.items() if i < count],
        [(*request.row(i), reason) for i, reason in verdict.again.items() if i < count],
    )


def total(delivered: Sequence[Delivered]) -> Delivered:
    """All of them as one."""
    whole = Delivered()
    for one in delivered:
        whole.add(one)
    return whole
