"""What the kubelet keeps reaches the engine with each log."""

import asyncio
from pathlib import Path

from logship_tail.kubernetes import Kubernetes, KubernetesConfig, RotationConfig

from logship.api import Rotation
from logship.config import load
from logship.registry import Registry
from logship.testing import context
from tests.plugins.logship_tail.recording import container, running

CONFIG = """\
sources: {containers: {type: kubernetes, rotation: {max_bytes: 50MiB, max_files: 10}}}
routes: [{name: all, from: [containers], to: out}]
sinks: {out: {type: "null"}}
"""


def handed_over(root: Path, config: KubernetesConfig) -> Rotation | None:
    (container(root, "shop_web-0_u") / "0.log").touch()

    async def go() -> Rotation | None:
        async with running(Kubernetes(config, context("containers"))) as catalog:
            await catalog.until_keys("test/u/app/0")
            return catalog.logs["test/u/app/0"].rotation

    return asyncio.run(go())


def test_the_kubelets_defaults_are_the_options_defaults(tmp_path: Path) -> None:
    found = handed_over(tmp_path, KubernetesConfig(root=str(tmp_path)))
    assert found == Rotation(max_bytes=10 * 1024 * 1024, max_files=5)


def test_what_is_configured_is_handed_over(tmp_path: Path) -> None:
    rotation = RotationConfig(max_bytes=123, max_files=2)
    found = handed_over(tmp_path, KubernetesConfig(root=str(tmp_path), rotation=rotation))
    assert found == Rotation(max_bytes=123, max_files=2)


def test_the_option_is_written_with_a_unit() -> None:
    config = load(CONFIG, file="x.yaml", env={}, registry=Registry.installed())
    options = config.sources["containers"].options
    assert isinstance(options, KubernetesConfig)
    assert options.rotation == RotationConfig(max_bytes=50 << 20, max_files=10)
