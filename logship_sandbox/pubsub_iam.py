"""google.iam.v1.IAMPolicy/TestIamPermissions, as Pub/Sub serves it for topics and subscriptions.

"If the resource does not exist, this will return an empty set of permissions, not a NOT_FOUND
error." (iam_policy.proto)
"""

from collections.abc import Sequence
from typing import Any, Protocol

from google.iam.v1 import iam_policy_pb2  # type: ignore[import-untyped]

from logship_sandbox.faults import Fault


class PermissionsRequest(Protocol):
    resource: str
    permissions: Sequence[str]

    def ByteSize(self) -> int: ...


class _Raw:
    """A generated class in the shape that `pubsub_guard` takes."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    def pb(self) -> Any:
        return self._kind


TEST_REQUEST = _Raw(iam_policy_pb2.TestIamPermissionsRequest)
TEST_RESPONSE = _Raw(iam_policy_pb2.TestIamPermissionsResponse)


def granted(request: PermissionsRequest, fault: Fault | None) -> object:
    """Of the permissions asked for, those that the caller has; None: there is no such resource."""
    asked = () if fault is None else request.permissions
    found = [name for name in asked if fault is not None and not fault.denies(name)]
    return iam_policy_pb2.TestIamPermissionsResponse(permissions=found)
