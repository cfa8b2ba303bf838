"""The source `kubernetes` on real directories: which logs it finds, and what it tells of them."""

import asyncio
import gzip
import logging
import os
from pathlib import Path

import pytest
from logship_tail.kubernetes import GKE_NAMESPACES, Kubernetes, KubernetesConfig

from logship.api import ConfigError, Context
from logship.testing import context
from tests.plugins.logship_tail.recording import container, rotate, running

CRI = b"2026-11-23T04:46:31.5Z stdout F hello\n"
DOCKER = b'{"log":"hello\\n","stream":"stdout","time":"2026-11-23T04:46:31.5Z"}\n'
WEB = "shop_web-0_11-22"


def source(root: Path, **options: object) -> Kubernetes:
    # A full scan comes too late to make these tests pass: events must do it.
    settings = {"root": str(root), "scan_secs": 3600.0, **options}
    return Kubernetes(KubernetesConfig(**settings), context("containers"))  # type: ignore[arg-type]


def test_a_log_that_is_there_at_the_start_is_an_origin_with_the_labels_of_its_path(
    tmp_path: Path,
) -> None:
    directory = container(tmp_path, WEB)
    (directory / "0.log").write_bytes(CRI)

    async def scenario() -> None:
        async with running(source(tmp_path)) as catalog:
            await catalog.until_keys("test/11-22/app/0")
            labels = catalog.labels["test/11-22/app/0"]
            assert labels.known
            assert labels.values == {
                "source": "containers", "cluster": "test", "namespace": "shop", "pod": "web-0",
                "uid": "11-22", "container": "app", "restart": "0", "node": "node-1",
                "path": f"{directory}/0.log",
            }  # fmt: skip
            log = catalog.logs["test/11-22/app/0"]
            assert (log.directory, log.name, log.rotated) == (str(directory), "0.log", True)
            assert log.cutting.format == "cri"
            assert log.roots == ("/var/lib/docker/containers",)

    asyncio.run(scenario())


def test_a_pod_made_in_one_go_is_found_by_events_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(source(tmp_path)) as catalog:
            (container(tmp_path, "shop_first_u") / "0.log").touch()
            await catalog.until_keys("test/u/app/0")
            for number in range(50):
                (container(tmp_path, f"shop_web-{number}_u{number}") / "0.log").write_bytes(CRI)
            wanted = {f"test/u{number}/app/0" for number in range(50)}
            await catalog.until(lambda: wanted < catalog.keys)

    asyncio.run(scenario())


def test_a_root_that_appears_later_is_found(tmp_path: Path) -> None:
    root = tmp_path / "pods"

    async def scenario() -> None:
        async with running(source(root)) as catalog:
            (container(root, WEB) / "0.log").touch()
            await catalog.until_keys("test/11-22/app/0")

    asyncio.run(scenario())


def test_a_rotation_touches_the_origin(tmp_path: Path) -> None:
    live = container(tmp_path, WEB) / "0.log"
    live.write_bytes(CRI)

    async def scenario() -> None:
        async with running(source(tmp_path)) as catalog:
            await catalog.until_keys("test/11-22/app/0")
            rotate(live, "20261123-044631")
            await catalog.until(lambda: catalog.told("touch", "test/11-22/app/0") > 0)
            assert catalog.told("add", "test/11-22/app/0") == 1
            assert catalog.told("retire", "test/11-22/app/0") == 0

    asyncio.run(scenario())


def test_a_log_whose_live_file_is_missing_for_a_moment_is_still_there(tmp_path: Path) -> None:
    live = container(tmp_path, WEB) / "0.log"
    live.write_bytes(CRI)

    async def scenario() -> None:
        async with running(source(tmp_path)) as catalog:
            await catalog.until_keys("test/11-22/app/0")
            os.rename(live, f"{live}.20261123-044631")
            await catalog.until(lambda: catalog.told("touch", "test/11-22/app/0") == 1)
            os.rename(f"{live}.20261123-044631", live)
            await catalog.until(lambda: catalog.told("touch", "test/11-22/app/0") == 2)
            assert catalog.told("retire", "test/11-22/app/0") == 0

    asyncio.run(scenario())


def test_files_that_the_kubelet_is_still_compressing_are_no_files_of_the_log(
    tmp_path: Path,
) -> None:
    directory = container(tmp_path, WEB)
    (directory / "0.log.20261123-044631.tmp").touch()
    (directory / "1.log").touch()

    async def scenario() -> None:
        async with running(source(tmp_path)) as catalog:
            await catalog.until_keys("test/11-22/app/1")

    asyncio.run(scenario())


def test_a_log_of_which_only_compressed_files_are_left_is_an_origin(tmp_path: Path) -> None:
    directory = container(tmp_path, WEB)
    (directory / "0.log.20261123-044631.gz").write_bytes(gzip.compress(CRI))

    async def scenario() -> None:
        async with running(source(tmp_path)) as catalog:
            await catalog.until_keys("test/11-22/app/0")
            assert catalog.logs["test/11-22/app/0"].cutting.format == "cri"

    asyncio.run(scenario())


def test_a_restart_is_an_origin_of_its_own_and_the_old_one_goes_with_its_files(
    tmp_path: Path,
) -> None:
    directory = container(tmp_path, WEB)
    (directory / "0.log").write_bytes(CRI)

    async def scenario() -> None:
        async with running(source(tmp_path)) as catalog:
            await catalog.until_keys("test/11-22/app/0")
            (directory / "1.log").touch()
            await catalog.until_keys("test/11-22/app/0", "test/11-22/app/1")
            (directory / "0.log").unlink()
            await catalog.until_keys("test/11-22/app/1")

    asyncio.run(scenario())


def test_an_origin_retires_only_when_its_rotated_files_are_gone_too(tmp_path: Path) -> None:
    live = container(tmp_path, WEB) / "0.log"
    live.write_bytes(CRI)
    os.rename(live, f"{live}.1")
    live.touch()

    async def scenario() -> None:
        async with running(source(tmp_path)) as catalog:
            await catalog.until_keys("test/11-22/app/0")
            live.unlink()
            await catalog.until(lambda: catalog.told("touch", "test/11-22/app/0") == 1)
            Path(f"{live}.1").unlink()
            await catalog.until_keys()

    asyncio.run(scenario())


def test_a_removed_pod_retires_and_comes_back_under_the_same_directory(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(source(tmp_path)) as catalog:
            for _ in range(3):
                directory = container(tmp_path, WEB)
                (directory / "0.log").touch()
                await catalog.until_keys("test/11-22/app/0")
                (directory / "0.log").unlink()
                directory.rmdir()
                directory.parent.rmdir()
                await catalog.until_keys()

    asyncio.run(scenario())


def test_written_lines_cause_no_events(tmp_path: Path) -> None:
    live = container(tmp_path, WEB) / "0.log"
    live.touch()

    async def scenario() -> None:
        tail = source(tmp_path)
        async with running(tail) as catalog:
            await catalog.until_keys("test/11-22/app/0")
            before = tail._watcher.events
            with live.open("ab", buffering=0) as file:
                for _ in range(10_000):
                    file.write(CRI)
            (live.parent / "1.log").touch()  # events come in order: this one is behind the writes
            await catalog.until_keys("test/11-22/app/0", "test/11-22/app/1")
            assert tail._watcher.events == before + 1

    asyncio.run(scenario())


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
            assert catalog.logs["test/11-22/app/0"].roots == (str(docker),)

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
