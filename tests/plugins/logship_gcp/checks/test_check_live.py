"""What `logship check --live` finds out, against the sandbox with its faults.

The sandbox is a process of its own; the command runs here. Permissions that are missing, and things
that do not exist, are told with the command that mends them.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.sandbox_process import SandboxProcess
from tests.plugins.logship_gcp.checks.conftest import Check
from tests.plugins.logship_gcp.checks.examples import (
    AGENT,
    LOADER,
    PROJECT,
    SUBSCRIPTION,
    TOPIC,
    changed,
    failed,
)


def test_all_is_well_for_the_agent(check: Check) -> None:
    code, found = check(AGENT)
    assert (code, failed(found)) == (0, {})
    assert found[f"sink topic: topic {TOPIC}"][1] == "publishing is allowed"
    assert found[f"sink topic: subscriptions of {TOPIC}"][1] == SUBSCRIPTION
    assert found[f"sink entries: writing entries to project {PROJECT}"][1] == "allowed"


def test_nothing_is_stored_by_looking(check: Check, sandbox: SandboxProcess) -> None:
    before = len(sandbox.rows(PROJECT))
    check(AGENT)
    check(LOADER)
    assert len(sandbox.rows(PROJECT)) == before
    code, found = check(LOADER)
    table = f"sink table: table {PROJECT}.logs.app"
    assert (code, list(failed(found))) == (0, [table])
    assert found[table][:2] == (
        "warning", "neither it nor its dataset exists yet: both will be made, if that is allowed",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("denied", "about", "reason", "advice"),
    [
        (
            "logging.logEntries.create",
            f"sink entries: writing entries to project {PROJECT}",
            "HTTP 403: Permission 'logging.logEntries.create' denied",
            f"gcloud projects add-iam-policy-binding {PROJECT} --member=ACCOUNT "
            "--role=roles/logging.logWriter",
        ),
        (
            "pubsub.topics.publish",
            f"sink topic: topic {TOPIC}",
            "publishing is not allowed",
            f"gcloud pubsub topics add-iam-policy-binding app-logs --project={PROJECT} "
            "--member=ACCOUNT --role=roles/pubsub.publisher",
        ),
        (
            "pubsub.topics.publish pubsub.topics.get",
            f"sink topic: topic {TOPIC}",
            "publishing is not allowed, or it does not exist",
            f"or, if it does not exist: gcloud pubsub topics create app-logs --project={PROJECT}",
        ),
    ],
)
def test_a_permission_that_the_agent_lacks(
    denied: str, about: str, reason: str, advice: str, check: Check, trouble: Callable[..., None]
) -> None:
    trouble({"denied": denied})
    code, found = check(AGENT)
    assert (code, list(failed(found))) == (1, [about])
    level, said, told = found[about]
    assert level == "failed"
    assert said.startswith(reason)
    assert advice in told


def test_subscriptions_that_may_not_be_seen_are_a_warning(
    check: Check, trouble: Callable[..., None]
) -> None:
    trouble({"denied": "pubsub.topics.get"})
    code, found = check(AGENT)
    about = f"sink topic: subscriptions of {TOPIC}"
    assert (code, list(failed(found))) == (0, [about])
    assert found[about][1].startswith("it is not allowed to list them: rows that are published")
    assert found[about][2] == (
        f"gcloud pubsub topics list-subscriptions app-logs --project={PROJECT}"
    )


def test_a_topic_that_does_not_exist(check: Check, tmp_path: Path) -> None:
    file = changed(tmp_path, AGENT, "topic: app-logs", "topic: not-there")
    code, found = check(file)
    line = found[f"sink topic: topic projects/{PROJECT}/topics/not-there"]
    assert (code, *line[:2]) == (1, "failed", "it does not exist")
    assert line[2].splitlines() == [
        f"gcloud pubsub topics create not-there --project={PROJECT}",
        f"gcloud pubsub subscriptions create not-there-loader --project={PROJECT} "
        f"--topic=projects/{PROJECT}/topics/not-there --ack-deadline=60 "
        "--message-retention-duration=7d --expiration-period=never",
    ]


def test_a_topic_without_a_subscription(tmp_path: Path) -> None:
    """Its rows are gone: a warning, since they may be wanted nowhere yet."""
    home = tmp_path / "sandbox"
    home.mkdir()
    own = SandboxProcess(home, "--no-bigquery", "--topic", "app-logs")
    try:
        address = own.environment["PUBSUB_EMULATOR_HOST"]
        delete = (
            "import sys, grpc; from google.pubsub_v1.types import DeleteSubscriptionRequest as D\n"
            "call = grpc.insecure_channel(sys.argv[1]).unary_unary("
            "'/google.pubsub.v1.Subscriber/DeleteSubscription')\n"
            "call(D.serialize(D(subscription=sys.argv[2])), timeout=10)\n"
        )
        subprocess.run([sys.executable, "-c", delete, address, SUBSCRIPTION], check=True)
        file = tmp_path / "logship.yaml"
        file.write_text(
            f"sources: {{logs: {{type: files, paths: [{tmp_path}/*.log]}}}}\n"
            "routes: [{name: all, from: [logs], to: topic}]\n"
            f"sinks: {{topic: {{type: pubsub, topic: {TOPIC}, endpoint: '{address}'}}}}\n"
            f"state_dir: {tmp_path}/state\n"
        )
        done = subprocess.run(
            [sys.executable, "-m", "logship.cli", "check", "-c", str(file), "--live"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        own.close()
    assert done.returncode == 0, done.stdout
    assert "there are none: rows that are published to a topic without a subscription are gone" in (
        done.stdout
    )
    assert "gcloud pubsub subscriptions create app-logs-loader" in done.stdout


@pytest.mark.parametrize("code", [401, 403, 404])
def test_what_google_refuses_altogether(
    code: int, check: Check, trouble: Callable[..., None]
) -> None:
    trouble({"refuse": code})
    for config, count in ((AGENT, 2), (LOADER, 1)):
        exit_code, found = check(config)
        wrong = [line for line in found.values() if line[0] == "failed"]
        assert exit_code == 1
        assert len(wrong) >= count
        assert all(advice for _, _, advice in wrong if "refreshed" not in advice), wrong


def test_nobody_there(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:9")
    monkeypatch.setenv("LOGSHIP_LOGGING_ENDPOINT", "http://127.0.0.1:9")
    code, found = check(AGENT)
    wrong = failed(found)
    assert code == 1
    assert set(wrong) == {
        f"sink topic: topic {TOPIC}", f"sink entries: writing entries to project {PROJECT}",
    }  # fmt: skip
    for _, reason, advice in wrong.values():
        assert "does this machine reach" in advice
        assert "ssl" not in reason


def test_a_subscription_that_may_not_be_read(check: Check, trouble: Callable[..., None]) -> None:
    trouble({"denied": "pubsub.subscriptions.consume"})
    code, found = check(LOADER)
    level, reason, advice = found[f"source app-logs: subscription {SUBSCRIPTION}"]
    assert (code, level, reason) == (1, "failed", "reading is not allowed")
    assert advice.endswith("--member=ACCOUNT --role=roles/pubsub.subscriber")


def test_a_subscription_that_does_not_exist(check: Check, tmp_path: Path) -> None:
    file = changed(tmp_path, LOADER, "subscription: app-logs", "subscription: not-there")
    code, found = check(file)
    name = f"projects/{PROJECT}/subscriptions/not-there"
    level, reason, advice = found[f"source app-logs: subscription {name}"]
    assert (code, level, reason) == (1, "failed", "it does not exist")
    assert advice.startswith("gcloud pubsub subscriptions create not-there ")
