"""What `logship check --live` says of the metadata of pods."""

import asyncio
from pathlib import Path

import pytest
from logship_tail.kubernetes import Kubernetes, KubernetesConfig, MetadataConfig

from logship.api import Finding
from logship.testing import context
from tests.plugins.logship_tail.api_stub import Answer, answer, serving
from tests.plugins.logship_tail.following import web
from tests.plugins.logship_tail.recording import BOUND_SECS


def found(options: MetadataConfig) -> Finding:
    async def run() -> Finding:
        source = Kubernetes(KubernetesConfig(metadata=options), context("containers"))
        try:
            async with asyncio.timeout(BOUND_SECS):
                (finding,) = await source.check_live()
                return finding
        finally:
            source.context.world.offload.close()

    return asyncio.run(run())


def asked(directory: Path, *answers: Answer) -> Finding:
    async def run() -> Finding:
        async with serving(directory) as stub:
            stub.pods = [web("one")]
            stub.answers.extend(answers)
            options = MetadataConfig(
                from_="api", server=stub.url, token_path=str(directory / "token"),
                ca_path=str(directory / "ca.crt"),
            )  # fmt: skip
            source = Kubernetes(KubernetesConfig(metadata=options), context("containers"))
            try:
                async with asyncio.timeout(BOUND_SECS):
                    (finding,) = await source.check_live()
            finally:
                source.context.world.offload.close()
            assert stub.watches == []
            return finding

    return asyncio.run(run())


def test_the_api_server_tells_of_this_nodes_pods(tmp_path: Path) -> None:
    finding = asked(tmp_path)
    assert finding.level == "ok"
    assert finding.reason == "the API server tells of 1 pods on this node"


@pytest.mark.parametrize(
    ("answered", "reason"),
    [
        (answer(401), "the token of the service account is not accepted"),
        (answer(403), "the service account needs get, list and watch on pods"),
        (answer(500, b"broken"), "the API server answers 500: broken"),
    ],
)
def test_the_api_server_refuses(answered: Answer, reason: str, tmp_path: Path) -> None:
    finding = asked(tmp_path, answered)
    assert finding.level == "failed"
    assert reason in finding.reason


def test_a_token_that_is_not_there(tmp_path: Path) -> None:
    options = MetadataConfig(
        from_="api", server="https://127.0.0.1:9", token_path=str(tmp_path / "no"),
    )  # fmt: skip
    finding = found(options)
    assert (finding.level, str(tmp_path / "no") in finding.reason) == ("failed", True)


def test_metadata_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pods.yaml"
    options = MetadataConfig(from_="file", path=str(file))
    assert found(options).level == "failed"
    file.write_text("pods:\n  - {namespace: shop, name: a}\n")
    assert found(options).reason == f"{file} tells of 1 pods"
    file.write_text("pods: 1\n")
    assert found(options).level == "failed"


def test_no_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert found(MetadataConfig()) == Finding(
        "metadata of pods", "ok", "none is asked for (`metadata.from`)"
    )
