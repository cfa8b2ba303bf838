"""An OCI image as an archive: index -> manifest -> (config, layers), each under its SHA-256.

(OCI image specification, image-layout.) Nothing is compressed: it is read once, on this machine.
"""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_TYPE = "application/vnd.oci.image."
_ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}

Descriptor = dict[str, object]


def write_image(
    archive: Path, reference: str, layers: Sequence[Path], config: Mapping[str, object]
) -> None:
    """`layers`: tar files, the lowest first. `config`: what containers of it run (`Cmd`, ...)."""
    with tarfile.open(archive, "w") as tar:
        layered = [_put_file(tar, "layer.v1.tar", layer) for layer in layers]
        whole = {
            "architecture": _ARCHITECTURE[platform.machine()],
            "os": "linux",
            "config": dict(config),
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layered]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{_TYPE}manifest.v1+json",
            "config": _put(tar, "config.v1+json", whole),
            "layers": layered,
        }
        names = {"io.containerd.image.name": reference}
        described = _put(tar, "manifest.v1+json", manifest) | {"annotations": names}
        index = {"schemaVersion": 2, "manifests": [described]}
        add_bytes(tar, "index.json", json.dumps(index).encode())
        add_bytes(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')


def _put(tar: tarfile.TarFile, media_type: str, value: Mapping[str, object]) -> Descriptor:
    content = json.dumps(value).encode()
    described = _descriptor(media_type, hashlib.sha256(content).hexdigest(), len(content))
    add_bytes(tar, _blob(described), content)
    return described


def _put_file(tar: tarfile.TarFile, media_type: str, path: Path) -> Descriptor:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    described = _descriptor(media_type, digest, path.stat().st_size)
    tar.add(path, _blob(described))
    return described


def _descriptor(media_type: str, digest: str, size: int) -> Descriptor:
    return {"mediaType": f"{_TYPE}{media_type}", "digest": f"sha256:{digest}", "size": size}


def _blob(described: Descriptor) -> str:
    return f"blobs/{str(described['digest']).replace(':', '/')}"


def add_bytes(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    tar.addfile(member, io.BytesIO(content))
