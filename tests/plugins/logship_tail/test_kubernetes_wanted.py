"""The source `kubernetes`: which logs are wanted, how they are read, and what is refused."""

import asyncio
import logging
import os
from pathlib import Path

import pytest
from logship_tail.kubernetes import GKE_NAMESPACES, Kubernetes, KubernetesConfig

from logship.api import ConfigError, Context
from logship.testing import context
from tests.plugins.logship_tail.kubernetes_stage import CRI, DOCKER, WEB, source
from tests.plugins.logship_tail.recording import container, running


def test_namespaces_of_gke_itself_are_left_to_its_own_agent(tmp_path: Path) -> None:
    assert set(GKE_NAMESPACES) == {
        "kube-system", "istio-system", "knative-serving", "gke-system",
        "config-management-system", "gmp-system", "gke-managed-*",
    }  # fmt: skip
    for namespace in ["kube-system", "gke-managed-cim", "gmp-system", "kube-system2"]:
        (container(tmp_path, f"{namespace}_p_u-{namespace}") / "0.log").touch()

    async def scenario() -> None:
        async with running(source(tmp_path)) as catalog:
            await catalog.until_keys("test/u-kube-system2/app/0")

    asyncio.run(scenario())


def test_excluded_namespaces_can_be_chosen(tmp_path: Path) -> None:
    for namespace in ["kube-system", "shop"]:
        (container(tmp_path, f"{namespace}_p_u-{namespace}") / "0.log").touch()

    async def scenario() -> None:
        async with running(source(tmp_path, exclude_namespaces=("sh*",))) as catalog:
            await catalog.until_keys("test/u-kube-system/app/0")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("content", "format"), [(CRI, "cri"), (DOCKER, "docker"), (b"", "cri"), (b"\0\xff", "cri")]
)
def test_the_format_is_told_by_the_content(tmp_path: Path, content: bytes, format: str) -> None:
    (container(tmp_path, WEB) / "0.log").write_bytes(content)

    async def scenario() -> None:
        async with running(source(tmp_path)) as catalog:
            await catalog.until_keys("test/11-22/app/0")
            assert catalog.logs["test/11-22/app/0"].cutting.format == format

    asyncio.run(scenario())


def test_the_format_can_be_chosen(tmp_path: Path) -> None:
    (container(tmp_path, WEB) / "0.log").write_bytes(CRI)

    async def scenario() -> None:
        async with running(source(tmp_path, format="docker", max_row_bytes=4096)) as catalog:
            await catalog.until_keys("test/11-22/app/0")
            cutting = catalog.logs["test/11-22/app/0"].cutting
            assert (cutting.format, cutting.max_row_bytes) == ("docker", 4096)

    asyncio.run(scenario())


def test_a_link_into_an_allowed_root_is_followed(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.mkdir()
    (docker / "full.log").write_bytes(DOCKER)
    (docker / "empty.log").touch()
    directory = container(tmp_path / "pods", WEB)
    (directory / "0.log").symlink_to(docker / "full.log")
    (directory / "1.log").symlink_to(docker / "empty.log")

    async def scenario() -> None:
        async with running(source(tmp_path / "pods", roots=(str(docker),))) as catalog:
            await catalog.until_keys("test/11-22/app/0", "test/11-22/app/1")
            assert {log.cutting.format for log in catalog.logs.values()} == {"docker"}
            log = catalog.logs["test/11-22/app/0"]
            assert (log.directory, log.name) == (str(docker), "full.log")  # rotated there
            assert log.roots == (str(tmp_path / "pods"), str(docker))

    asyncio.run(scenario())


def test_links_out_of_the_allowed_roots_are_refused_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "secret").write_bytes(b"2026-11-23T04:46:31Z stdout F secret\n")
    outside = container(tmp_path / "elsewhere", "shop_api-0_33")
    (outside / "0.log").write_bytes(CRI)
    root = tmp_path / "pods"
    directory = container(root, WEB)
    (directory / "0.log").symlink_to(tmp_path / "secret")
    (root / "shop_api-0_33").symlink_to(outside.parent)
    (root / WEB / "side").symlink_to(outside)
    (directory / "1.log").touch()

    async def scenario() -> None:
        async with running(source(root)) as catalog:
            await catalog.until_keys("test/11-22/app/1")
            for number in (2, 3):  # more looks at the same directory
                (directory / f"{number}.log").touch()
                await catalog.until(lambda n=number: f"test/11-22/app/{n}" in catalog.keys)  # type: ignore[misc]
            assert "test/11-22/app/0" not in catalog.keys
            assert not any("33" in key for key in catalog.keys)

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert sum("0.log" in record.message for record in caplog.records) == 1


def test_names_that_do_not_fit_are_left_alone_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for raw in [
        b"\xff_\xfe_\xfd",
        b"a_b",
        b"a_b_c_d",
        b"a_b_\n",
        b"__",
        b"-a_b_c",
        b"a_b_c\x1b[2J",
    ]:
        os.makedirs(os.path.join(os.fsencode(tmp_path), raw, b"app"))
    pod = tmp_path / WEB
    for hostile in [b"\xff", b"a b", b".x", b"x\n"]:
        os.makedirs(os.path.join(os.fsencode(pod), hostile))
        with open(os.path.join(os.fsencode(pod), hostile, b"0.log"), "wb"):
            pass
    directory = container(tmp_path, WEB)
    for name in ["00.log", "x.log", "0.logs", "-1.log", "0.log", "9" * 30 + ".log", ".log"]:
        (directory / name).touch()
    (directory / "7.log").mkdir()
    (tmp_path / "a_file_here").touch()

    async def scenario() -> None:
        async with running(source(tmp_path, scan_secs=0.02)) as catalog:
            await catalog.until_keys("test/11-22/app/0")
            (directory / "1.log").touch()
            await catalog.until_keys("test/11-22/app/0", "test/11-22/app/1")

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    said = [record.message for record in caplog.records]
    assert len(said) == len(set(said)) == 11
    assert all(message.isprintable() for message in said)


def test_a_fifo_is_no_log(tmp_path: Path) -> None:
    directory = container(tmp_path, WEB)
    os.mkfifo(directory / "0.log")
    (directory / "1.log").touch()

    async def scenario() -> None:
        async with running(source(tmp_path)) as catalog:
            await catalog.until_keys("test/11-22/app/1")

    asyncio.run(scenario())


def test_two_directories_of_one_uid_do_not_share_an_origin(tmp_path: Path) -> None:
    (container(tmp_path, "shop_a_11") / "0.log").touch()
    (container(tmp_path, "shop_b_11") / "0.log").touch()

    async def scenario() -> None:
        async with running(source(tmp_path)) as catalog:
            await catalog.until_keys("test/11/app/0")
            (container(tmp_path, "shop_c_12") / "0.log").touch()
            await catalog.until_keys("test/11/app/0", "test/12/app/0")
            assert catalog.told("add", "test/11/app/0") == 1

    asyncio.run(scenario())


def test_metadata_of_the_api_needs_the_name_of_the_node(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    here = context()
    nameless = Context(here.name, here.world, here.log, cluster="test")
    with pytest.raises(ConfigError, match="NODE_NAME"):
        Kubernetes(KubernetesConfig(root=str(tmp_path)), nameless)
    here.world.offload.close()
