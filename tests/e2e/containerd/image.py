"""A root file system with busybox alone, as a directory and as an OCI image. Nothing is pulled."""

import tarfile
from pathlib import Path

from tests.e2e.containerd.oci import add_bytes, write_image

BUSYBOX = Path("/bin/busybox")
_DIRECTORIES = ("bin", "tmp", "etc", "dev", "proc", "sys")
_APPLETS = ("sh", "sleep", "cat", "printf", "head", "tr", "seq", "awk", "usleep", "mkfifo", "true")


def make_root(root: Path) -> None:
    """As a directory, for runc."""
    for name in _DIRECTORIES:
        (root / name).mkdir(parents=True)
    (root / "bin/busybox").write_bytes(BUSYBOX.read_bytes())
    (root / "bin/busybox").chmod(0o755)
    for applet in _APPLETS:
        (root / "bin" / applet).symlink_to("busybox")


def make_image(archive: Path, reference: str, *command: str) -> None:
    """Write the image's archive; `command` is what it runs when nothing else is said."""
    layer = archive.with_suffix(".layer")
    _write_layer(layer)
    config = {"Cmd": list(command) or ["/bin/sh"], "Env": ["PATH=/bin"]}
    write_image(archive, reference, [layer], config)


def _write_layer(layer: Path) -> None:
    with tarfile.open(layer, mode="w") as tar:
        for name in _DIRECTORIES:
            directory = tarfile.TarInfo(name)
            directory.type, directory.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(directory)
        add_bytes(tar, "bin/busybox", BUSYBOX.read_bytes(), 0o755)
        for applet in _APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        add_bytes(tar, "etc/passwd", b"root:x:0:0:root:/:/bin/sh\n")
