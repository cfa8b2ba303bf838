"""Links, loops and things that are no files, as the sources meet them."""

import asyncio
import logging
import os
from pathlib import Path

import pytest
from logship_tail.files import Files, FilesConfig
from logship_tail.kubernetes import Kubernetes, KubernetesConfig

from logship.testing import context
from tests.plugins.logship_tail.recording import container, running

DOCKER = b'{"log":"a\\n","stream":"stdout","time":"2026-11-23T04:46:31.5Z"}\n'


def files(*paths: Path, **options: object) -> Files:
    settings = {"paths": tuple(map(str, paths)), "scan_secs": 0.05, **options}
    return Files(FilesConfig(**settings), context("hosts"))  # type: ignore[arg-type]


def key(path: Path) -> str:
    return f"node-1{path}"


def test_loops_of_links_end_and_are_no_logs(tmp_path: Path) -> None:
    (tmp_path / "a.log").symlink_to("b.log")
    (tmp_path / "b.log").symlink_to("a.log")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "up").symlink_to("..")
    (tmp_path / "sub" / "x.log").touch()

    async def scenario() -> None:
        async with running(files(tmp_path / "**/*.log")) as catalog:
            await catalog.until(lambda: key(tmp_path / "sub" / "x.log") in catalog.keys)
            (tmp_path / "y.log").touch()
            await catalog.until(lambda: key(tmp_path / "y.log") in catalog.keys)
            assert not any("up" in found for found in catalog.keys)

    asyncio.run(scenario())


def test_a_directory_that_is_a_link_is_not_walked(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "x.log").touch()
    (tmp_path / "logs" / "way").symlink_to(tmp_path / "secret")
    (tmp_path / "logs" / "x.log").touch()

    async def scenario() -> None:
        async with running(files(tmp_path / "logs/**/*.log")) as catalog:
            await catalog.until_keys(key(tmp_path / "logs" / "x.log"))

    asyncio.run(scenario())


def test_a_link_to_the_newest_of_its_own_dated_files_is_one_log(tmp_path: Path) -> None:
    """As `app.log -> app.log-20260302`: the target is read under the name of the link."""
    for day in (1, 2):
        (tmp_path / f"app.log-2026030{day}").write_text(f"{day}\n")
    (tmp_path / "app.log").symlink_to("app.log-20260302")

    async def scenario() -> None:
        async with running(files(tmp_path / "*")) as catalog:
            await catalog.until_keys(key(tmp_path / "app.log"))

    asyncio.run(scenario())


def test_files_named_by_the_day_beside_a_link_to_the_newest_are_logs(tmp_path: Path) -> None:
    days = [tmp_path / f"app-2026030{day}.log" for day in (1, 2)]
    for day in days:
        day.touch()
    (tmp_path / "app.log").symlink_to(days[1].name)

    async def scenario() -> None:
        async with running(files(tmp_path / "*.log")) as catalog:
            await catalog.until_keys(*map(key, days))

    asyncio.run(scenario())


def test_a_date_before_the_extension_is_a_rotation_where_the_log_itself_is_a_file(
    tmp_path: Path,
) -> None:
    live = tmp_path / "app.log"
    live.touch()
    (tmp_path / "app-20260301.log").touch()
    (tmp_path / "app-20260228.log.gz").touch()

    async def scenario() -> None:
        async with running(files(tmp_path / "*")) as catalog:
            await catalog.until_keys(key(live))
            assert catalog.logs[key(live)].owns("app-20260301.log")
            assert catalog.logs[key(live)].owns("app-20260228.log.gz")
            live.rename(tmp_path / "app-20260302.log")  # and the new file comes later
            await catalog.until(lambda: catalog.told("touch", key(live)) == 1)
            live.touch()
            await catalog.until(lambda: catalog.told("touch", key(live)) == 2)
            assert catalog.keys == {key(live)}

    asyncio.run(scenario())


def test_the_rotated_files_of_docker_lie_beside_the_target_of_the_link(tmp_path: Path) -> None:
    target = tmp_path / "docker" / "abc" / "abc-json.log"
    target.parent.mkdir(parents=True)
    target.write_bytes(DOCKER)
    directory = container(tmp_path / "pods", "shop_web_11-22")
    (directory / "0.log").symlink_to(target)
    config = KubernetesConfig(root=str(tmp_path / "pods"), roots=(str(tmp_path / "docker"),))

    async def scenario() -> None:
        async with running(Kubernetes(config, context("containers"))) as catalog:
            await catalog.until_keys("test/11-22/app/0")
            log = catalog.logs["test/11-22/app/0"]
            assert log.directory == str(target.parent)
            assert [log.owns(f"abc-json.log{end}") for end in ("", ".1", ".2.gz")] == [True] * 3

    asyncio.run(scenario())


def test_roots_that_are_links_themselves_are_meant_as_what_they_lead_to(tmp_path: Path) -> None:
    (tmp_path / "disk" / "abc").mkdir(parents=True)
    (tmp_path / "disk" / "abc" / "abc-json.log").write_bytes(DOCKER)
    (tmp_path / "docker").symlink_to(tmp_path / "disk")
    directory = container(tmp_path / "pods", "shop_web_11-22")
    (directory / "0.log").symlink_to(tmp_path / "docker" / "abc" / "abc-json.log")
    config = KubernetesConfig(root=str(tmp_path / "pods"), roots=(str(tmp_path / "docker"),))

    async def scenario() -> None:
        async with running(Kubernetes(config, context("containers"))) as catalog:
            await catalog.until_keys("test/11-22/app/0")

    asyncio.run(scenario())


def test_a_fifo_in_a_pods_directory_is_refused_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = container(tmp_path, "shop_web_11-22")
    os.mkfifo(directory / "0.log")
    config = KubernetesConfig(root=str(tmp_path), scan_secs=0.05)

    async def scenario() -> None:
        async with running(Kubernetes(config, context("containers"))) as catalog:
            for number in (1, 2, 3):
                (directory / f"{number}.log").touch()
                await catalog.until(lambda n=number: f"test/11-22/app/{n}" in catalog.keys)  # type: ignore[misc]
            assert "test/11-22/app/0" not in catalog.keys

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert len([r for r in caplog.records if "not a regular file" in r.message]) == 1
