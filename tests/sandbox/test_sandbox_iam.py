"""Permissions: what a caller has, asked as Google's clients ask; calls that need others fail."""

from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio
import pytest
from google.iam.v1 import iam_policy_pb2
from google.pubsub_v1 import types

from logship_sandbox.client import Rest
from logship_sandbox.faults import Fault
from logship_sandbox.server import Sandbox
from tests.sandbox.pubsub_pulling import NAME, TOPIC, Client, Test, code_of

ENTRY = {"logName": "projects/p/logs/a", "resource": {"type": "global"}, "textPayload": "x"}
PUBLISH, CONSUME = "pubsub.topics.publish", "pubsub.subscriptions.consume"


async def granted(sandbox: Sandbox, resource: str, *permissions: str) -> list[str]:
    """By the stub that Google's client uses."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{sandbox.pubsub_port}") as channel:
        call: Any = channel.unary_unary(
            "/google.iam.v1.IAMPolicy/TestIamPermissions",
            iam_policy_pb2.TestIamPermissionsRequest.SerializeToString,
            iam_policy_pb2.TestIamPermissionsResponse.FromString,
        )
        request = iam_policy_pb2.TestIamPermissionsRequest(
            resource=resource, permissions=permissions
        )
        return list((await call(request, timeout=10)).permissions)


async def get_topic(sandbox: Sandbox) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{sandbox.pubsub_port}") as channel:
        call: Any = channel.unary_unary("/google.pubsub.v1.Publisher/GetTopic")
        await call(types.GetTopicRequest.serialize(types.GetTopicRequest(topic=TOPIC)))


def test_a_caller_has_what_no_fault_takes_from_it(with_pubsub: Callable[[Test], None]) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        assert await granted(sandbox, TOPIC, PUBLISH, "pubsub.topics.get") == [
            PUBLISH, "pubsub.topics.get",
        ]  # fmt: skip
        assert await granted(sandbox, NAME, CONSUME) == [CONSUME]
        sandbox.faults.set("pubsub", Fault(denied=f"{PUBLISH} {CONSUME}"))
        assert await granted(sandbox, TOPIC, PUBLISH, "pubsub.topics.get") == ["pubsub.topics.get"]
        assert await granted(sandbox, NAME, CONSUME) == []

    with_pubsub(test)


def test_of_what_does_not_exist_nobody_has_anything(with_pubsub: Callable[[Test], None]) -> None:
    """As the proto says: an empty set, not NOT_FOUND."""

    async def test(sandbox: Sandbox, client: Client) -> None:
        assert await granted(sandbox, "projects/p/topics/not-there", PUBLISH) == []

    with_pubsub(test)


def test_a_call_without_its_permission_is_refused(with_pubsub: Callable[[Test], None]) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        sandbox.faults.set("pubsub", Fault(denied=PUBLISH))
        assert await code_of(client.publish(b"a")) is grpc.StatusCode.PERMISSION_DENIED
        sandbox.faults.set("pubsub", Fault(denied="pubsub.topics.get"))
        await client.publish(b"b")
        assert await code_of(get_topic(sandbox)) is grpc.StatusCode.PERMISSION_DENIED
        sandbox.faults.set("pubsub", Fault(denied=CONSUME))
        assert await code_of(client.pull()) is grpc.StatusCode.PERMISSION_DENIED
        sandbox.faults.clear()
        assert await client.pull() == [b"b"]

    with_pubsub(test)


def test_cloud_logging_refuses_by_permission(with_sandbox: Callable[..., None]) -> None:
    async def body(sandbox: Sandbox, rest: Rest) -> None:
        sandbox.faults.set("logging", Fault(denied="logging.logEntries.create"))
        answer = await rest.write({"entries": [ENTRY]})
        assert (answer.status, answer.error["status"]) == (403, "PERMISSION_DENIED")
        assert "logging.logEntries.create" in answer.message
        assert (await rest.list()).entries == []
        sandbox.faults.set("logging", Fault(denied="logging.logEntries.list"))
        assert (await rest.write({"entries": [ENTRY]})).status == 200
        assert (await rest.list()).status == 403

    with_sandbox(body)


def test_a_permission_is_meant_as_a_whole() -> None:
    fault = Fault.from_json({"denied": "a.b c.d"})
    assert [fault.denies(name) for name in ("a.b", "c.d", "a", "a.b c.d", "")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    with pytest.raises(ValueError, match="must be a text"):
        Fault.from_json({"denied": 1})
