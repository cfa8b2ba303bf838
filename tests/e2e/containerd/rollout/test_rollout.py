"""The image under containerd, confined as daemonset.yaml says, rolled out over a dead sink."""

import itertools
import json
import re

import pytest

from tests.e2e.containerd.rollout import kernel_view
from tests.e2e.containerd.rollout.arrived import in_cloud_logging, in_pubsub, without_copies
from tests.e2e.containerd.rollout.build import REPOSITORY
from tests.e2e.containerd.rollout.manifest import quantity
from tests.e2e.containerd.rollout.node import NODE, TOPIC, manifest_of
from tests.e2e.containerd.rollout.scenario import Seen
from tests.e2e.destinations import Arrived, assert_each_once
from tests.e2e.sandbox_process import SandboxProcess


def of_writers(rows: list[Arrived], seen: Seen) -> list[Arrived]:
    """Without what the agents said themselves."""
    return [row for row in rows if row.pod in seen.writers]


def test_every_line_arrives_once_over_a_rollout_with_a_dead_sink_and_a_deleted_pod(
    seen: Seen, cloud: SandboxProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    web, job, orders, mixed, late = map(
        seen.writers.__getitem__, ("web", "job", "orders", "mixed", "late")
    )
    plain = [one.plain() for one in (web, job, mixed, late)]
    app = [orders.plain(), mixed.app(), late.app()]
    for sink, rows, expected in (
        ("Cloud Logging", in_cloud_logging(cloud), plain),
        ("Pub/Sub", in_pubsub(cloud, TOPIC), app),
    ):
        arrived = of_writers(rows, seen)
        once = without_copies(arrived)
        assert_each_once(once, itertools.chain(*expected))
        with capsys.disabled():
            print(f"\n{sink}: {len(once)} rows, {len(arrived) - len(once)} copies", end="")
    assert (seen.trouble, seen.without_metadata) == ([], 0)


def test_both_agents_end_by_themselves_when_they_are_told_to(seen: Seen) -> None:
    assert [(one.exit_code, one.reason) for one in seen.ended] == [(0, "Completed")] * 2


def test_both_agents_ran_as_the_manifest_says(seen: Seen) -> None:
    (container,) = manifest_of("DaemonSet", "logship")["spec"]["template"]["spec"]["containers"]
    wanted = container["securityContext"]
    assert len(seen.confined) == 2
    for found in seen.confined:
        assert (found.user, found.group) == (wanted["runAsUser"], wanted["runAsGroup"])
        assert found.no_new_privileges is not wanted["allowPrivilegeEscalation"]
        assert found.mounts["/"] is not wanted["readOnlyRootFilesystem"]
        assert wanted["capabilities"] == {"drop": ["ALL"]}
        assert found.capabilities == frozenset()
        for mount in container["volumeMounts"]:
            assert found.mounts[mount["mountPath"]] is not mount.get("readOnly", False), mount


def test_both_agents_ran_what_the_dockerfile_and_the_manifest_say(seen: Seen) -> None:
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    (entrypoint,) = re.findall(r"^ENTRYPOINT (.*)$", dockerfile, re.M)
    variables = re.findall(r"^ENV (\S+)$", dockerfile, re.M)
    (container,) = manifest_of("DaemonSet", "logship")["spec"]["template"]["spec"]["containers"]
    for found in seen.confined:
        python, *command = found.command
        assert python == "/opt/logship/bin/python"
        assert command == [*json.loads(entrypoint), *container["args"]]
        assert {*variables, f"NODE_NAME={NODE}"} <= set(found.environment)


def test_both_agents_ran_under_the_runtimes_seccomp_filter(seen: Seen) -> None:
    if (lacking := kernel_view.seccomp()) is not None:
        pytest.skip(lacking)
    assert [found.seccomp_filter for found in seen.confined] == [True, True]


def test_both_agents_stayed_within_the_manifests_memory_limit(
    seen: Seen, capsys: pytest.CaptureFixture[str]
) -> None:
    if (lacking := kernel_view.memory_controller()) is not None:
        pytest.skip(lacking)
    (container,) = manifest_of("DaemonSet", "logship")["spec"]["template"]["spec"]["containers"]
    limit = quantity(container["resources"]["limits"]["memory"])
    with capsys.disabled():
        print(f"\npeaks of memory: {[one.peak_bytes >> 20 for one in seen.memory]} MiB", end="")
    assert [one.limit_bytes for one in seen.memory] == [limit, limit]
    assert all(one.peak_bytes < limit and one.killed == 0 for one in seen.memory), seen.memory
