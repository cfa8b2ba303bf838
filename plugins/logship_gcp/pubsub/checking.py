"""Whether a topic or a subscription is there and lets the agent in, by calls that change nothing.

`TestIamPermissions` is asked first: it needs no permission itself, but says nothing of a topic
that is not there ("an empty set of permissions, not a NOT_FOUND error"); `Get` tells the two apart,
where that is allowed. The agent has no client library, so messages are written and read by hand.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import grpc
import grpc.aio

from logship.api import ConfigError, Finding, Retry, World
from logship_gcp import grants
from logship_gcp.identity import Identity, identify
from logship_gcp.pubsub import names, wire
from logship_gcp.pubsub.channel import Endpoint, Link, default_project

_TIMEOUT_SECS = 15.0
_IAM, _PUBLISHER, _SUBSCRIBER = (
    "/google.iam.v1.IAMPolicy/",
    "/google.pubsub.v1.Publisher/",
    "/google.pubsub.v1.Subscriber/",
)
_DELETED_TOPIC = "_deleted-topic_"
# google/pubsub/v1/pubsub.proto: Subscription
_SUBSCRIPTION_TOPIC, _SUBSCRIPTION_PUSH, _PUSH_ENDPOINT = 2, 4, 1
_GONE = "rows that are published to a topic without a subscription are gone"


@dataclass(frozen=True, slots=True)
class Caller:
    link: Link
    identity: Identity

    async def call(self, method: str, key: str, name: str, *more: bytes) -> bytes:
        """One call about a resource, whose name is its first field. Raises AioRpcError, Retry."""
        metadata = await self.link.metadata(key, name)
        call: Callable[..., Awaitable[bytes]] = self.link.channel.unary_unary(method, None, None)
        body = wire.field(1, name.encode()) + b"".join(more)
        return bytes(await call(body, timeout=_TIMEOUT_SECS, metadata=metadata))

    async def may(self, name: str, permission: str) -> bool:
        asked = wire.field(2, permission.encode())
        answer = await self.call(_IAM + "TestIamPermissions", "resource", name, asked)
        return permission in wire.texts(answer, 1)


Kind = Literal["topics", "subscriptions"]
Check = Callable[["Caller", str], Awaitable[list[Finding]]]


async def check_named(
    kind: Kind, name: str, project: str, endpoint: Endpoint, world: World
) -> list[Finding]:
    """The credentials, and the topic or subscription of a configuration."""
    identity = await identify(world, anonymous=endpoint.plain)
    if identity.authorization is None:
        return [identity.finding]
    try:
        if not project and not names.is_whole(name):
            project = await default_project(world, "")
    except ConfigError as error:
        return [identity.finding, Finding("`project`", "failed", error.reason)]
    whole = names.whole(kind, project, name)
    check = _topic if kind == "topics" else _subscription
    about = f"{kind.removesuffix('s')} {whole}"
    return [identity.finding, *await _checked(about, endpoint, identity, whole, check)]


async def _checked(
    about: str, endpoint: Endpoint, identity: Identity, name: str, check: Check
) -> list[Finding]:
    assert identity.authorization is not None
    link = Link.over(endpoint, identity.authorization)
    try:
        return await check(Caller(link, identity), name)
    except Retry as retry:
        return [Finding(about, "failed", retry.reason)]
    except ValueError as error:
        return [Finding(about, "failed", f"an answer that makes no sense: {error}")]
    except grpc.aio.AioRpcError as error:
        return [_failed(about, endpoint, error)]
    finally:
        await link.close()


def _failed(about: str, endpoint: Endpoint, error: grpc.aio.AioRpcError) -> Finding:
    details = error.details() or ""
    reason = f"{error.code().name}: {details}"
    advice = _ADVICE.get(error.code(), "")
    if grants.is_disabled(details):
        advice = grants.enable("pubsub.googleapis.com", about.split("/")[1])
    return Finding(about, "failed", reason, advice.format(target=endpoint.target))


_REACH = "does this machine reach {target} (DNS, firewall, NetworkPolicy, proxy)?"
_ADVICE = {
    grpc.StatusCode.UNAUTHENTICATED: "the credentials are not accepted: is the account disabled, "
    "or the clock wrong?",
    grpc.StatusCode.PERMISSION_DENIED: "is the project's name right, and does no perimeter (VPC "
    "Service Controls) stand before it?",
    grpc.StatusCode.NOT_FOUND: "is there such a project? Check `project` and the name",
    grpc.StatusCode.UNAVAILABLE: _REACH,
    grpc.StatusCode.DEADLINE_EXCEEDED: _REACH,
}


async def _exists(caller: Caller, method: str, key: str, name: str) -> bytes | None:
    """The resource; None: it does not exist. Empty: it is not allowed to look."""
    try:
        return await caller.call(method, key, name)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        if error.code() is grpc.StatusCode.PERMISSION_DENIED:
            return b""
        raise


async def _topic(caller: Caller, name: str) -> list[Finding]:
    about = f"topic {name}"
    if await caller.may(name, "pubsub.topics.publish"):
        return [Finding(about, "ok", "publishing is allowed"), await _subscribed(name, caller)]
    seen = await _exists(caller, _PUBLISHER + "GetTopic", "topic", name)
    create = grants.create_topic(name)
    if seen is None:
        after = grants.create_subscription(f"{_sibling(name)}-loader", name)
        return [Finding(about, "failed", "it does not exist", f"{create}\n{after}")]
    grant = grants.pubsub_role("topics", name, caller.identity.member, "roles/pubsub.publisher")
    if seen:
        return [Finding(about, "failed", "publishing is not allowed", grant)]
    reason = "publishing is not allowed, or it does not exist"
    return [Finding(about, "failed", reason, f"{grant}\nor, if it does not exist: {create}")]


def _sibling(topic: str) -> str:
    return topic.replace("/topics/", "/subscriptions/")


async def _subscribed(name: str, caller: Caller) -> Finding:
    about = f"subscriptions of {name}"
    answer = await _exists(caller, _PUBLISHER + "ListTopicSubscriptions", "topic", name)
    if answer is None:
        return Finding(about, "failed", "the topic does not exist", grants.create_topic(name))
    subscriptions = wire.texts(answer, 1)
    if subscriptions:
        return Finding(about, "ok", ", ".join(subscriptions[:5]))
    # Nothing at all is what an empty list looks like, and what is not allowed to be seen.
    if await caller.may(name, "pubsub.topics.get"):
        advice = grants.create_subscription(f"{_sibling(name)}-loader", name)
        return Finding(about, "warning", f"there are none: {_GONE}", advice)
    reason = f"it is not allowed to list them: {_GONE}, so look whether there is one"
    return Finding(about, "warning", reason, grants.list_subscriptions(name))


async def _subscription(caller: Caller, name: str) -> list[Finding]:
    about = f"subscription {name}"
    allowed = await caller.may(name, "pubsub.subscriptions.consume")
    seen = await _exists(caller, _SUBSCRIBER + "GetSubscription", "subscription", name)
    if seen is None:
        create = grants.create_subscription(name, "TOPIC")
        return [Finding(about, "failed", "it does not exist", create)]
    if not allowed:
        role, member = "roles/pubsub.subscriber", caller.identity.member
        advice = grants.pubsub_role("subscriptions", name, member, role)
        said = "reading is not allowed" if seen else "reading is not allowed, or it does not exist"
        return [Finding(about, "failed", said, advice)]
    topic = "".join(wire.texts(seen, _SUBSCRIPTION_TOPIC))
    push = b"".join(wire.parts(seen, _SUBSCRIPTION_PUSH))
    if topic == _DELETED_TOPIC:
        return [Finding(about, "failed", "its topic was deleted: nothing new will come")]
    if wire.texts(push, _PUSH_ENDPOINT):
        return [Finding(about, "failed", "it pushes: a pull subscription is needed")]
    return [Finding(about, "ok", f"reading is allowed (topic {topic})" if topic else "")]
