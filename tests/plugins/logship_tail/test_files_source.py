"""The source `files` on real directories."""

import asyncio
import logging
import os
from pathlib import Path

import pytest
from logship_tail.files import Files, FilesConfig

from logship.api import ConfigError
from logship.testing import context
from tests.plugins.logship_tail.recording import rotate, running


def source(*paths: str | Path, **options: object) -> Files:
    settings = {"paths": tuple(map(str, paths)), "scan_secs": 3600.0, **options}
    return Files(FilesConfig(**settings), context("hosts"))  # type: ignore[arg-type]


def key(path: Path) -> str:
    return f"node-1{path}"


def test_a_file_is_an_origin_of_node_and_path(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("hello\n")

    async def scenario() -> None:
        async with running(source(tmp_path / "*.log", max_row_bytes=2048)) as catalog:
            await catalog.until_keys(key(path))
            assert catalog.labels[key(path)].known
            assert catalog.labels[key(path)].values == {
                "source": "hosts", "cluster": "test", "node": "node-1", "path": str(path),
            }  # fmt: skip
            log = catalog.logs[key(path)]
            assert (log.directory, log.name) == (str(tmp_path), "app.log")
            assert (log.cutting.format, log.cutting.max_row_bytes) == ("plain", 2048)

    asyncio.run(scenario())


def test_new_files_in_new_directories_are_found_by_events_alone(tmp_path: Path) -> None:
    first = tmp_path / "first.log"
    first.touch()

    async def scenario() -> None:
        async with running(source(tmp_path / "**/*.log", format="cri")) as catalog:
            await catalog.until_keys(key(first))
            deep = tmp_path / "a" / "b" / "c" / "app.log"
            deep.parent.mkdir(parents=True)
            deep.touch()
            await catalog.until_keys(key(first), key(deep))
            assert catalog.logs[key(deep)].cutting.format == "cri"
            deep.unlink()
            await catalog.until_keys(key(first))

    asyncio.run(scenario())


def test_a_path_without_wildcards_may_appear_later(tmp_path: Path) -> None:
    path = tmp_path / "later" / "app.txt"

    async def scenario() -> None:
        async with running(source(path)) as catalog:
            path.parent.mkdir()
            path.touch()
            await catalog.until_keys(key(path))

    asyncio.run(scenario())


def test_excluded_and_hidden_files_are_no_origins(tmp_path: Path) -> None:
    for name in ["app.log", "debug.log", ".hidden.log", "app.txt"]:
        (tmp_path / name).touch()
    (tmp_path / "dir.log").mkdir()

    async def scenario() -> None:
        exclude = (str(tmp_path / "deb*"),)
        async with running(source(tmp_path / "*.log", exclude=exclude)) as catalog:
            await catalog.until_keys(key(tmp_path / "app.log"))

    asyncio.run(scenario())


@pytest.mark.parametrize("pattern", ["app.log*", "*", "**"])
def test_rotated_files_belong_to_their_log(tmp_path: Path, pattern: str) -> None:
    live = tmp_path / "app.log"
    for suffix in ["", ".1", ".2.gz", "-20261123", ".2026-11-23", ".old", ".gz"]:
        Path(f"{live}{suffix}").touch()

    async def scenario() -> None:
        async with running(source(tmp_path / pattern)) as catalog:
            await catalog.until_keys(key(live))
            assert all(catalog.logs[key(live)].owns(path.name) for path in tmp_path.iterdir())

    asyncio.run(scenario())


@pytest.mark.parametrize("pattern", ["app.log", "app.log*"])
def test_a_rotation_touches_and_makes_no_origin(tmp_path: Path, pattern: str) -> None:
    live = tmp_path / "app.log"
    live.touch()

    async def scenario() -> None:
        async with running(source(tmp_path / pattern)) as catalog:
            await catalog.until_keys(key(live))
            for number in range(20):
                rotate(live, str(number))
                await catalog.until(lambda n=number: catalog.told("touch", key(live)) > n)  # type: ignore[misc]
            os.rename(live, f"{live}.20")  # and the new file comes much later
            await catalog.until(lambda: catalog.told("touch", key(live)) > 20)
            assert catalog.keys == {key(live)}
            assert [what for what, _ in catalog.calls].count("add") == 1

    asyncio.run(scenario())


def test_a_log_does_not_take_another_whose_name_extends_its_own(tmp_path: Path) -> None:
    for name in ["mail", "mail.err", "mail.err.1"]:
        (tmp_path / name).touch()

    async def scenario() -> None:
        async with running(source(tmp_path / "mail*")) as catalog:
            mail, errors = key(tmp_path / "mail"), key(tmp_path / "mail.err")
            await catalog.until_keys(mail, errors)
            assert not catalog.logs[mail].owns("mail.err")
            assert not catalog.logs[mail].owns("mail.err.1")
            assert catalog.logs[errors].owns("mail.err.1")

    asyncio.run(scenario())


def test_files_named_by_their_day_are_logs_where_the_globs_take_no_other(tmp_path: Path) -> None:
    days = [tmp_path / f"app-2026-11-{day}" for day in (22, 23)]
    for day in days:
        day.touch()

    async def scenario() -> None:
        async with running(source(tmp_path / "app-*")) as catalog:
            await catalog.until_keys(*map(key, days))

    asyncio.run(scenario())


def test_a_file_that_looks_rotated_but_has_no_log_is_complained_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "app-20261123").touch()
    (tmp_path / "other").touch()

    async def scenario(rotated: bool, *names: str) -> None:
        async with running(source(tmp_path / "*", rotated=rotated)) as catalog:
            await catalog.until_keys(*(key(tmp_path / name) for name in names))

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario(True, "other"))
        assert "set `rotated: false`" in caplog.text
        caplog.clear()
        asyncio.run(scenario(False, "other", "app-20261123"))
        assert not caplog.records


def test_links_are_followed_into_the_directories_of_the_globs_and_roots_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    here, there, secret = tmp_path / "here", tmp_path / "there", tmp_path / "secret"
    for directory in (here, there, secret):
        directory.mkdir()
        (directory / "file").touch()
    (here / "a.log").touch()
    (here / "same.log").symlink_to(here / "a.log")  # taken already, under its own name
    (here / "b.log").symlink_to(here / "file")
    (here / "c.log").symlink_to(there / "file")
    (here / "d.log").symlink_to(secret / "file")
    (here / "e.log").symlink_to(tmp_path / "nothing")
    (tmp_path / "link").symlink_to(here)

    async def scenario() -> None:
        globs = source(tmp_path / "link/*.log", roots=(str(there),))
        async with running(globs) as catalog:
            names = ["a.log", "b.log", "c.log"]
            await catalog.until_keys(*(key(tmp_path / "link" / name) for name in names))
            (here / "z.log").touch()
            await catalog.until_keys(*(key(tmp_path / "link" / n) for n in [*names, "z.log"]))

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    said = [record.message for record in caplog.records]
    assert sum("d.log" in message for message in said) == 1
    assert len(said) == 2  # d and e


def test_a_name_that_is_not_utf_8_is_refused_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open(os.path.join(os.fsencode(tmp_path), b"\xff.log"), "wb"):
        pass
    strange = tmp_path / "a\nb c\x1b[2J\u00e9.log"
    strange.touch()

    async def scenario() -> None:
        async with running(source(tmp_path / "*.log", scan_secs=0.02)) as catalog:
            await catalog.until_keys(key(strange))
            (tmp_path / "later.log").touch()
            await catalog.until_keys(key(strange), key(tmp_path / "later.log"))

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert [record.message.isprintable() for record in caplog.records] == [True]


def test_more_files_than_max_files_are_not_read_until_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(5):
        (tmp_path / f"{number}.log").touch()

    async def scenario() -> None:
        async with running(source(tmp_path / "*.log", max_files=3)) as catalog:
            await catalog.until(lambda: len(catalog.keys) == 3)
            (tmp_path / "0.log").unlink()
            await catalog.until_keys(*(key(tmp_path / f"{n}.log") for n in (1, 2, 3)))

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert [r.message for r in caplog.records] == [
        "too many logs; the others are not read: the limit is 3"
    ]


@pytest.mark.parametrize(
    ("glob", "reason"),
    [
        ("var/log/*.log", "absolute"),
        ("/*.log", "before its first wildcard"),
        ("/**/x.log", "before its first wildcard"),
        ("/var/../etc/*", r"without \. and \.\."),
        ("/var/log/[z-a]", "makes no sense"),
        ("/", "before its first wildcard"),
    ],
)
def test_a_glob_that_cannot_be_meant_is_a_config_error(glob: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as raised:
        source("/var/log/ok.log", glob)
    assert raised.value.path == "paths[1]"
