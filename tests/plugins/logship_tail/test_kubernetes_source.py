"""The source `kubernetes` on real directories: which logs it finds, and what it tells of them."""

import asyncio
import gzip
import os
from pathlib import Path

from tests.plugins.logship_tail.kubernetes_stage import CRI, WEB, source
from tests.plugins.logship_tail.recording import container, rotate, running


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
            assert (log.directory, log.name, log.rotated) == (str(directory), "0.log", None)
            assert log.cutting.format == "cri"
            assert log.roots == (str(tmp_path), "/var/lib/docker/containers")

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
