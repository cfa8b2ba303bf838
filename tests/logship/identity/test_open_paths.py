"""What `Disk.open` opens: a regular file in the allowed roots, by whatever way; nothing else."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from logship.testing.virtual_time import InlineOffload, run_virtual, virtual_world
from logship.world import Disk
from logship.world.disk import NotAllowed
from tests.logship.identity.rotating import NAME, Agent, write


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    directory = tmp_path / "inside"
    (directory / "sub").mkdir(parents=True)
    (directory / "file").write_bytes(b"ours\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_bytes(b"secret\n")
    return directory


def opened(path: Path, *roots: Path) -> bytes:
    disk = Disk(InlineOffload())
    fd = disk.open(str(path), tuple(map(str, roots)))
    try:
        return disk.pread(fd, 100, 0)
    finally:
        disk.close(fd)


def link(path: Path, target: str | Path) -> Path:
    path.symlink_to(target)
    return path


@pytest.mark.parametrize("target", ["file", "sub/../file", "{inside}/file"])
def test_links_within_a_root_are_followed(inside: Path, target: str) -> None:
    path = link(inside / "link", target.format(inside=inside))
    assert opened(path, inside) == b"ours\n"
    assert opened(link(inside / "twice", path), inside) == b"ours\n"


@pytest.mark.parametrize("target", ["../outside/file", "{outside}/file", "sub/../../outside/file"])
def test_links_out_of_the_roots_are_refused(inside: Path, target: str) -> None:
    path = link(inside / "link", target.format(outside=inside.parent / "outside"))
    with pytest.raises(NotAllowed, match="outside"):
        opened(path, inside)
    assert opened(path, inside, inside.parent / "outside") == b"secret\n"


def test_a_root_is_no_prefix_of_a_name(inside: Path) -> None:
    beside = inside.with_name("inside-not")
    beside.mkdir()
    (beside / "file").touch()
    with pytest.raises(NotAllowed):
        opened(link(inside / "link", beside / "file"), inside)


def test_a_link_in_the_middle_of_the_path_leads_nowhere_else(inside: Path) -> None:
    link(inside / "directory", inside.parent / "outside")
    with pytest.raises(NotAllowed):
        opened(inside / "directory" / "file", inside)
    with pytest.raises(NotAllowed):
        opened(inside / ".." / "outside" / "file", inside)


def test_a_hard_link_is_a_file_like_any_other(inside: Path) -> None:
    os.link(inside / "file", inside / "hard")
    assert opened(inside / "hard", inside) == b"ours\n"


def test_without_roots_no_link_is_followed(inside: Path) -> None:
    with pytest.raises(NotAllowed):
        opened(link(inside / "link", "file"))
    assert opened(inside / "file") == b"ours\n"


def test_a_loop_of_links_ends(inside: Path) -> None:
    link(inside / "a", "b")
    with pytest.raises(OSError, match="symbolic links"):
        opened(link(inside / "b", "a"), inside)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, make_socket])
def test_what_is_no_file_is_refused_without_being_opened(
    inside: Path, make: Callable[[Path], None]
) -> None:
    make(inside / "thing")
    for path in (inside / "thing", link(inside / "link", "thing")):
        with pytest.raises(NotAllowed, match="not a regular file"):
            opened(path, inside)


def test_a_device_is_refused_without_being_opened() -> None:
    with pytest.raises(NotAllowed, match="not a regular file"):
        opened(Path("/dev/tty"), Path("/dev"))


def test_a_link_that_is_exchanged_after_it_was_judged_changes_nothing(
    inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each system call of the opening, the path is exchanged for one that leads out."""
    import logship.world.disk as module

    path, calls = inside / "link", 0

    class Exchanging:
        """`os`, in which a path is exchanged before the n-th call."""

        def __init__(self, at: int) -> None:
            self.at, self.calls = at, 0

        def __getattr__(self, name: str) -> object:
            real = getattr(os, name)
            if name not in ("open", "fstat", "readlink"):
                return real

            def call(*args: object, **kwargs: object) -> object:
                if self.calls == self.at:
                    path.unlink()
                    path.symlink_to("../outside/file")
                self.calls += 1
                return real(*args, **kwargs)

            return call

    for at in range(1, 10):
        path.unlink(missing_ok=True)
        path.symlink_to("file")
        with monkeypatch.context() as patch:
            patch.setattr(module, "os", spy := Exchanging(at))
            assert opened(path, inside) == b"ours\n"
            calls = max(calls, spy.calls)
    assert calls == 4


def test_a_fifo_in_the_place_of_a_log_is_said_once_and_the_rest_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def go() -> None:
        os.mkfifo(tmp_path / NAME)
        write(tmp_path / f"{NAME}.1", "before")
        agent = Agent(tmp_path, virtual_world())
        await agent.read(5)
        assert agent.texts == ["before"]
        (tmp_path / NAME).unlink()
        write(tmp_path / NAME, "after")
        await agent.read(5)
        assert agent.texts == ["before", "after"]

    run_virtual(go())
    assert len([r for r in caplog.records if "not a regular file" in r.message]) == 1
