"""What an answer of Cloud Logging means for the rows of its request. Plain decisions, no I/O.

    2xx                          all are written
    any with per-entry errors    INVALID_ARGUMENT (3): refused for good; another code: try again;
                                 entries without an error are written (partialSuccess)
    400 without them             some entry (or the request itself) is wrong: find out which
    413                          too large: halves
    401, 403, 404                a person must grant or create something: wait, and say what
    anything else                not now

(logging.proto: "Failed requests for which no entries are written will not include per-entry
errors.") Only INVALID_ARGUMENT ever costs a row its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

INVALID_ARGUMENT = 3
_PARTIAL_ERRORS = "type.googleapis.com/google.logging.v2.WriteLogEntriesPartialErrors"
_MAX_REASON_CHARS = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """The parts of an HTTP response that matter."""

    status: int
    body: bytes = b""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """By entry: what the request's entries came to; those not named are written."""

    refused: Mapping[int, str] = field(default_factory=dict)
    again: Mapping[int, str] = field(default_factory=dict)
    appeal: str = ""
    """What a person must do so that those that come again are taken."""


@dataclass(frozen=True, slots=True)
class Divide:
    """None is written; some entry is the cause."""

    reason: str
    suspect_request: bool
    """Whether what all entries share may be the cause just as well."""


@dataclass(frozen=True, slots=True)
class Later:
    """None is written, for a cause that may pass."""

    reason: str
    after: float | None = None
    appeal: bool = False
    """Whether it passes only when a person has done what the reason says."""


@dataclass(frozen=True, slots=True)
class Throttled(Later):
    """It asks for less: a quota, or overload."""


Verdict: TypeAlias = Written | Divide | Later


class _Status(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Detail(msgspec.Struct):
    type: str = msgspec.field(default="", name="@type")
    logEntryErrors: dict[int, _Status] = {}


class _Error(msgspec.Struct):
    message: str = ""
    status: str = ""
    details: list[_Detail] = []


class _ErrorBody(msgspec.Struct):
    error: _Error = msgspec.field(default_factory=_Error)


_DECODER = msgspec.json.Decoder(_ErrorBody)


def decide(answer: Answer, project: str) -> Verdict:
    """What to do with the entries."""
    if 200 <= answer.status < 300:
        return Written()
    error = error_of(answer.body)
    for detail in error.details:
        if detail.type == _PARTIAL_ERRORS and detail.logEntryErrors:
            return _partial(detail.logEntryErrors, project)
    reason = f"HTTP {answer.status}: {error.message or error.status or 'no message'}"
    reason = reason[:_MAX_REASON_CHARS]
    if answer.status == 400:
        return Divide(reason, suspect_request=True)
    if answer.status == 413:
        return Divide(reason, suspect_request=False)
    if answer.status in (429, 503):
        return Throttled(reason, answer.retry_after)
    if hint := _HINTS.get(answer.status):
        told = f"{reason}; {hint.format(project=project)}"
        return Later(told, answer.retry_after, appeal=True)
    return Later(reason, answer.retry_after)


_HINTS = {
    401: "the credentials are not accepted: check the service account and the node's clock",
    403: "grant the agent's service account roles/logging.logWriter on project {project}, "
    "and enable logging.googleapis.com there",
    404: "project {project} or the endpoint does not exist: check `project` and `endpoint`",
}


_HTTP_OF = {16: 401, 7: 403, 5: 404}
"""Of google.rpc.Code, as entries have it."""


def _partial(errors: Mapping[int, _Status], project: str) -> Written:
    refused: dict[int, str] = {}
    again: dict[int, str] = {}
    appeal = ""
    for entry, status in errors.items():
        reason = f"code {status.code}: {status.message}"[:_MAX_REASON_CHARS]
        if status.code == INVALID_ARGUMENT:
            refused[entry] = reason
        elif hint := _HINTS.get(_HTTP_OF.get(status.code, 0)):
            again[entry] = appeal = f"{reason}; {hint.format(project=project)}"
        else:
            again[entry] = reason
    return Written(refused, again, appeal)


def error_of(body: bytes) -> _Error:
    """What Google, or something on the way, says is wrong."""
    try:
        return _DECODER.decode(body).error
    except msgspec.DecodeError:  # not of Google, but of something on the way
        return _Error(message=body[:200].decode(errors="replace").strip())


def retry_after(header: str) -> float | None:
    """Seconds of a Retry-After header; None for one without a number (a date)."""
    return min(float(header), 3600.0) if header.isdecimal() and header.isascii() else None
