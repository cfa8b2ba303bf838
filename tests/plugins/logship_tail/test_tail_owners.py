"""Who runs a pod, by the names that Kubernetes gives."""

import pytest
from logship_tail.owners import Owner, owner_of

HASH = {"pod-template-hash": "5d9c8b7f4"}
SET = {"jobset.sigs.k8s.io/jobset-name": "training"}


@pytest.mark.parametrize(
    ("controller", "labels", "owner"),
    [
        (("ReplicaSet", "web-5d9c8b7f4"), HASH, ("Deployment", "web")),
        (("ReplicaSet", "a-b-5d9c8b7f4"), HASH, ("Deployment", "a-b")),
        (("ReplicaSet", "web-5d9c8b7f4"), {}, ("ReplicaSet", "web-5d9c8b7f4")),
        (("ReplicaSet", "web"), HASH, ("ReplicaSet", "web")),
        (("ReplicaSet", "-5d9c8b7f4"), HASH, ("ReplicaSet", "-5d9c8b7f4")),
        (("ReplicaSet", "web-"), {"pod-template-hash": ""}, ("ReplicaSet", "web-")),
        (("Job", "build-foo-28352157"), {}, ("CronJob", "build-foo")),
        (("Job", "nightly-29923456"), {}, ("CronJob", "nightly")),
        (("Job", "backup-20261123"), {}, ("Job", "backup-20261123")),
        (("Job", "build-foo-123"), {}, ("Job", "build-foo-123")),
        (("Job", "build-123456789"), {}, ("Job", "build-123456789")),
        (("Job", "build-60000000"), {}, ("Job", "build-60000000")),
        (("Job", "-29923456"), {}, ("Job", "-29923456")),
        (("Job", "n-२९९२३४५६"), {}, ("Job", "n-२९९२३४५६")),
        (("Job", "training-0"), SET, ("JobSet", "training")),
        (("StatefulSet", "db"), {}, ("StatefulSet", "db")),
        (("DaemonSet", "agent-5d9c8b7f4"), HASH, ("DaemonSet", "agent-5d9c8b7f4")),
        (("Node", "node-1"), {}, ("Node", "node-1")),
        (("Rollout", "web-29923456"), {}, ("Rollout", "web-29923456")),
        (("", ""), HASH, ("", "")),
    ],
)
def test_the_owner_follows_from_controller_and_labels(
    controller: tuple[str, str], labels: dict[str, str], owner: tuple[str, str]
) -> None:
    assert owner_of(Owner(*controller), labels) == owner
