"""What only a person can mend is waited for, and said loudly: as an error, with what to do."""

import logging
from typing import Any

import pytest
from aiohttp import web

from logship.api import Outcome, Retry
from tests.plugins.logship_gcp.cloud_logging.batches import cri, make_batch, run_bounded
from tests.plugins.logship_gcp.cloud_logging.misbehaving import (
    PARTIAL,
    error,
    failing,
    started,
    written,
)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_a_person_must_do_is_an_error_in_the_log_once(
    caplog: pytest.LogCaptureFixture, status: int
) -> None:
    async def run() -> None:
        async with started(failing(status)) as (sink, _):
            for _ in range(5):
                with pytest.raises(Retry):
                    await sink.write([make_batch(cri("a"))])

    run_bounded(run())
    errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert len(errors) == 1
    assert f"rows wait until a person acts: HTTP {status}: no; " in errors[0]


def test_an_entry_that_may_not_be_written_comes_again_and_says_what_to_grant(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        errors = {"1": {"code": 7, "message": "may not"}}
        return error(403, "may not", [{"@type": PARTIAL, "logEntryErrors": errors}])

    outcome, _ = written(answer, [make_batch(cri("a", "b"))])
    assert isinstance(outcome, Outcome)
    (again,) = outcome.again
    assert "grant the agent's service account roles/logging.logWriter" in again.reason
    assert again.reason in caplog.text


def test_what_passes_by_itself_is_no_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    written(failing(429), [make_batch(cri("a"))])
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []
