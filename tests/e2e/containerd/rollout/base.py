"""What stands for the base image: this machine's Python, its standard library, and the shared
libraries that they need, at their own paths. No distribution, no shell.

As in `python:3-slim` the standard library has no compiled files. The rest of the C library, libgcc
and libstdc++ are there too, since every Debian has them; whatever else an installed package needs
has to come with it.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

CONFIG: dict[str, object] = {
    "Env": ["PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "Cmd": ["python3"],
}
_LIBRARY = re.compile(r"(?:=> )?(/\S+) \(0x")
_OF_DEBIAN = (
    "libanl.so.1", "libdl.so.2", "libm.so.6", "libmvec.so.1", "libnss_*.so.2", "libpthread.so.0",
    "libresolv.so.2", "librt.so.1", "libutil.so.1", "libgcc_s.so.1", "libstdc++.so.6",
)  # fmt: skip
_LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", "site-packages", "dist-packages", "test", "tests", "idle_test", "idlelib",
    "tkinter", "turtledemo", "config-*", "_tkinter.*",
)  # fmt: skip
_DIRECTORIES = ("dev", "etc", "proc", "run", "sys", "tmp", "var")
_LDD_SECS = 30.0


def make_base(root: Path) -> None:
    """Into an empty directory."""
    for name in _DIRECTORIES:
        (root / name).mkdir()
    (root / "tmp").chmod(0o1777)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    interpreter, library = _interpreter(), Path(sysconfig.get_path("stdlib"))
    _copy_file(interpreter, root)
    shutil.copytree(library, _inside(root, library), ignore=_LEFT_OUT, symlinks=True)
    modules = [path for path in library.glob("lib-dynload/*.so") if "_tkinter" not in path.name]
    needed = _libraries([interpreter, *modules])
    (libc,) = (path for path in needed if path.name.startswith("libc.so"))
    for path in needed.union(*map(libc.parent.glob, _OF_DEBIAN)):
        _copy_file(path, root)


def _interpreter() -> Path:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Path(sys.base_prefix) / "bin" / f"python{version}"


def _libraries(files: Iterable[Path]) -> set[Path]:
    """All that the dynamic linker would load for them, itself included."""
    said = subprocess.run(
        ["ldd", *map(str, files)], capture_output=True, text=True, check=True, timeout=_LDD_SECS
    ).stdout
    assert "not found" not in said, said
    return {Path(found) for found in _LIBRARY.findall(said)}


def _copy_file(path: Path, root: Path) -> None:
    """The content, where the path is a link, under the path's own name."""
    shutil.copy(path, _inside(root, path))


def _inside(root: Path, path: Path) -> Path:
    """The path in `root`, with its directory; `/lib` may be a link there, as it is here."""
    top = Path("/") / path.parts[1]
    if top.is_symlink() and not (root / path.parts[1]).is_symlink():
        target = top.readlink()
        (root / target).mkdir(parents=True, exist_ok=True)
        (root / path.parts[1]).symlink_to(target)
    inside = root / path.relative_to("/")
    inside.parent.mkdir(parents=True, exist_ok=True)
    return inside
