"""Sinks tell a destination that asks for less from one that fails."""

import grpc
import pytest
from logship_gcp.cloud_logging.responses import Answer, Later, Throttled, decide
from logship_gcp.pubsub.channel import retry_of
from logship_gcp.pubsub.outgoing import Failed, Outgoing, outcome

from logship.api import Retry
from logship.testing import texts_batch
from tests.plugins.logship_gcp.cloud_logging.batches import cri, make_batch
from tests.plugins.logship_gcp.cloud_logging.misbehaving import failing, written


@pytest.mark.parametrize(("status", "throttled"), [(429, True), (503, True), (500, False)])
def test_cloud_logging_says_so_by_status(status: int, throttled: bool) -> None:
    verdict = decide(Answer(status, b"", 3.0), "p")
    assert isinstance(verdict, Later)
    assert isinstance(verdict, Throttled) is throttled
    assert verdict.after == 3.0
    found, _ = written(failing(status), [make_batch(cri("a"))])
    assert isinstance(found, Retry)
    assert found.throttled is throttled


@pytest.mark.parametrize(
    ("code", "throttled"),
    [(grpc.StatusCode.RESOURCE_EXHAUSTED, True), (grpc.StatusCode.UNAVAILABLE, False)],
)
def test_grpc_says_so_by_code(code: grpc.StatusCode, throttled: bool) -> None:
    nothing = grpc.aio.Metadata()
    retry = retry_of(grpc.aio.AioRpcError(code, nothing, nothing, "busy"), "publish", "")
    assert retry.throttled is throttled
    failed = Failed(Outgoing(0, None, b""), retry.reason, retry)
    [again] = outcome([failed], [texts_batch(["a"])]).again
    assert again.throttled is throttled
