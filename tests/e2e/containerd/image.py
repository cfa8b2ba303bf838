"""A root file system with busybox alone, as a directory and as an OCI image. Nothing is pulled.

The image is an archive in the OCI layout: index -> manifest -> (config, one layer), each blob under
its SHA-256 (OCI image specification, image-layout).
"""

import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path

BUSYBOX = Path("/bin/busybox")
_DIRECTORIES = ("bin", "tmp", "etc", "dev", "proc", "sys")
_APPLETS = ("sh", "sleep", "cat", "printf", "head", "tr", "seq", "awk", "usleep", "mkfifo", "true")
_TYPE = "application/vnd.oci.image."
_ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}


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
    layer = _layer()
    blobs: dict[str, bytes] = {}

    def put(media_type: str, content: bytes) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = content
        return {
            "mediaType": f"{_TYPE}{media_type}",
            "digest": f"sha256:{digest}",
            "size": len(content),
        }

    layers = [put("layer.v1.tar", layer)]
    config = {
        "architecture": _ARCHITECTURE[platform.machine()],
        "os": "linux",
        "config": {"Cmd": list(command) or ["/bin/sh"], "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [layers[0]["digest"]]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_TYPE}manifest.v1+json",
        "config": put("config.v1+json", json.dumps(config).encode()),
        "layers": layers,
    }
    names = {"io.containerd.image.name": reference}
    described = put("manifest.v1+json", json.dumps(manifest).encode()) | {"annotations": names}
    index = json.dumps({"schemaVersion": 2, "manifests": [described]}).encode()
    with tarfile.open(archive, "w") as tar:
        _add(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        _add(tar, "index.json", index)
        for name, content in blobs.items():
            _add(tar, name, content)


def _layer() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in _DIRECTORIES:
            directory = tarfile.TarInfo(name)
            directory.type, directory.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(directory)
        _add(tar, "bin/busybox", BUSYBOX.read_bytes(), 0o755)
        for applet in _APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        _add(tar, "etc/passwd", b"root:x:0:0:root:/:/bin/sh\n")
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    tar.addfile(member, io.BytesIO(content))
