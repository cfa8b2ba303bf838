"""Metadata of pods from a file."""

import asyncio
import json
import logging
import os
import re
from pathlib import Path

import pytest
from logship_tail.kubernetes import Kubernetes, KubernetesConfig, MetadataConfig

from logship.api import ConfigError
from logship.testing import context
from tests.plugins.logship_tail.recording import BOUND_SECS, container, running

KEY = "test/u1/app/0"
YAML = """\
pods:
  - namespace: shop
    name: web
    labels: {app: web, version: 1.10, canary: no}
    annotations: {logship/route: app}
"""


def source(root: Path, path: Path) -> Kubernetes:
    metadata = MetadataConfig(from_="file", path=str(path))
    config = KubernetesConfig(root=str(root), metadata=metadata)
    return Kubernetes(config, context("containers"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (container(tmp_path / "pods", "shop_web_u1") / "0.log").touch()
    return tmp_path / "pods"


def test_a_pod_without_uid_is_known_by_its_name_and_every_value_is_text(
    tmp_path: Path, root: Path
) -> None:
    path = tmp_path / "pods.yaml"
    path.write_text(YAML)

    async def scenario() -> None:
        async with running(source(root, path)) as catalog:
            await catalog.until(lambda: KEY in catalog.keys and catalog.labels[KEY].known)
            assert catalog.labels[KEY].prefixed("label:") == {
                "app": "web", "version": "1.10", "canary": "no",
            }  # fmt: skip
            assert catalog.labels[KEY].prefixed("annotation:") == {"logship/route": "app"}

    asyncio.run(scenario())


def test_a_uid_is_heeded(tmp_path: Path, root: Path) -> None:
    pods = [
        {"namespace": "shop", "name": "web", "uid": uid, "labels": {"app": uid}}
        for uid in ("u0", "u1", "u2")
    ]
    path = tmp_path / "pods.json"
    path.write_text(json.dumps({"pods": pods}))

    async def scenario() -> None:
        async with running(source(root, path)) as catalog:
            await catalog.until(lambda: KEY in catalog.keys and catalog.labels[KEY].known)
            assert catalog.labels[KEY].get("label:app") == "u1"

    asyncio.run(scenario())


def test_the_file_may_come_late_and_change_in_both_ways(
    tmp_path: Path, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "pods.yaml"

    async def scenario() -> None:
        async with running(source(root, path)) as catalog:
            await catalog.until_keys(KEY)
            assert not catalog.labels[KEY].known
            path.write_text(YAML)
            await catalog.until(lambda: catalog.labels[KEY].get("label:app") == "web")
            path.write_text(YAML.replace("app: web", "app: in-place"))
            await catalog.until(lambda: catalog.labels[KEY].get("label:app") == "in-place")
            new = tmp_path / "new"
            new.write_text(YAML.replace("app: web", "app: renamed"))
            os.replace(new, path)
            await catalog.until(lambda: catalog.labels[KEY].get("label:app") == "renamed")

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert len(caplog.records) == 1
    assert "does not exist" in caplog.text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"pods: [", "expected"),
        (b"pods: {a: b}", r"Expected `array`, got `object` - at `\$.pods`"),
        (b"pods: [{name: web}]", "missing required field `namespace`"),
        (b"pods: [{namespace: s, name: web, label: {}}]", "unknown field `label`"),
        (b"\xff\xfe\xfd", "decode"),
        (b"", "Expected `object`"),
    ],
)
def test_a_file_that_is_wrong_is_said_and_what_was_known_stays(
    tmp_path: Path, root: Path, caplog: pytest.LogCaptureFixture, content: bytes, reason: str
) -> None:
    path = tmp_path / "pods.yaml"
    path.write_text(YAML)

    async def scenario() -> None:
        async with running(source(root, path)) as catalog:
            await catalog.until(lambda: KEY in catalog.keys and catalog.labels[KEY].known)
            path.write_bytes(content)
            async with asyncio.timeout(BOUND_SECS):
                while not caplog.records:
                    await asyncio.sleep(0.01)
            assert catalog.labels[KEY].get("label:app") == "web"

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert str(path) in caplog.text
    assert re.search(reason, caplog.text)


def test_a_file_without_a_path_is_a_config_error(tmp_path: Path) -> None:
    here = context()
    with pytest.raises(ConfigError) as raised:
        Kubernetes(KubernetesConfig(metadata=MetadataConfig(from_="file")), here)
    here.world.offload.close()
    assert raised.value.path == "metadata.path"
