"""The image that the Dockerfile describes, made by its own steps, without Docker or a registry.

The steps of the stage that builds run as they are written, in a mount namespace whose root is this
machine's, with fresh directories where that stage writes: so the wheel is built and installed as in
the image. Left out is what brings a compiler, which this machine has. The last stage is the base
(`base`) with what it copies, and its own steps run in exactly that.
"""

import fnmatch
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.e2e.containerd.oci import write_image
from tests.e2e.containerd.rollout import base
from tests.e2e.containerd.rollout.dockerfile import Stage, run_config, stages

REPOSITORY = Path(__file__).parents[4]
_STEP_SECS = 100.0
_OF_DEBIAN = "apt-get "


class NoIndex(Exception):
    """Packages cannot be had here; what pip said."""


def build_image(home: Path, archive: Path, reference: str) -> Path:
    """The archive is written; gives the image's root, as a directory in `home`."""
    building, last = stages((REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
    build_root, root = home / "build", home / "root"
    build_root.mkdir()
    root.mkdir()
    copied = dict(_copied(building, last))
    _run_build_stage(build_root, building, sorted(copied))
    base.make_base(root)
    for source, target in copied.items():
        _below(root, target).parent.mkdir(parents=True, exist_ok=True)
        _below(build_root, source).rename(_below(root, target))
    config = run_config(last, base.CONFIG)
    for step in last.texts("RUN"):
        _run(["chroot", str(root), *json.loads(step)], _environment(config))
    layer = home / "root.tar"
    pack = ["tar", "--create", "--file", str(layer), "--directory", str(root), "--sort=name"]
    _run([*pack, "--numeric-owner", "--owner=0", "--group=0", "."], os.environ)
    write_image(archive, reference, [layer], config)
    return root


def _environment(config: Mapping[str, object]) -> dict[str, str]:
    words = config["Env"]
    assert isinstance(words, Sequence)
    return dict(_pair(word) for word in words)


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _copied(building: Stage, last: Stage) -> Iterator[tuple[str, str]]:
    for text in last.texts("COPY"):
        origin, source, target = text.split()
        assert origin == f"--from={building.name}", f"these tests do not know COPY {text}"
        yield source, target


def _run_build_stage(root: Path, stage: Stage, written: Sequence[str]) -> None:
    (copy,) = stage.texts("COPY")
    context, source = copy.split()
    assert context == ".", f"these tests do not know COPY {copy}"
    shutil.copytree(REPOSITORY, _below(root, source), ignore=_ignored())
    fresh = [Path(path) for path in (source, "/tmp", *written)]
    script = ["set -eu", "mount --make-rprivate /", *_mirror(Path("/"), root, fresh)]
    for prefix in {Path(sys.prefix), Path(sys.base_prefix)}:
        if prefix.is_relative_to("/tmp"):  # which is fresh there
            script.append(_bind(prefix, root))
    script.append(f'exec chroot {shlex.quote(str(root))} /bin/sh -c "$1"')
    arguments = dict(_pair(text) for text in stage.texts("ARG"))
    inherited = {name: value for name, value in os.environ.items() if name[:6] != "PYTHON"}
    path = f"{sys.prefix}/bin:{inherited['PATH']}"
    environment: dict[str, str] = {**inherited, "PATH": path, **arguments}
    for step in stage.texts("RUN"):
        if not step.startswith(_OF_DEBIAN):
            command = ["unshare", "--mount", "/bin/sh", "-c", "\n".join(script), "sh", step]
            _run(command, environment)


def _mirror(directory: Path, root: Path, fresh: Sequence[Path]) -> Iterator[str]:
    """Shell commands that show the directory's children in `root`, but for what is fresh there."""
    for child in sorted(directory.iterdir()):
        inside = _below(root, str(child))
        if child in fresh:
            continue
        if child.is_symlink():
            yield f"ln -s {shlex.quote(os.readlink(child))} {shlex.quote(str(inside))}"
        elif any(path.is_relative_to(child) for path in fresh):
            inside.mkdir(parents=True, exist_ok=True)
            yield from _mirror(child, root, fresh)
        elif child.is_dir():
            yield _bind(child, root)
    for path in fresh:
        _below(root, str(path)).mkdir(parents=True, exist_ok=True)


def _bind(path: Path, root: Path) -> str:
    source, target = shlex.quote(str(path)), shlex.quote(str(_below(root, str(path))))
    return f"mkdir -p {target}; mount --rbind {source} {target}"


def _below(root: Path, path: str) -> Path:
    return root / path.removeprefix("/")


def _ignored() -> Callable[[str, list[str]], set[str]]:
    """What .dockerignore names; its patterns are names, or paths from the top, or `**/NAME`."""
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").split()

    def ignored(directory: str, names: list[str]) -> set[str]:
        paths = {name: os.path.relpath(f"{directory}/{name}", REPOSITORY) for name in names}
        return {name for name in names for line in lines if _matches(name, paths[name], line)}

    return ignored


def _matches(name: str, path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch.fnmatch(name, pattern.removeprefix("**/"))
    return fnmatch.fnmatch(path, pattern)


def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=_STEP_SECS, check=False,
    )  # fmt: skip
    if "No matching distribution found" in done.stdout:
        raise NoIndex(done.stdout)
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}"
