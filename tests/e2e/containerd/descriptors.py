"""The message types of the CRI, out of the containerd binary itself.

Go registers a gzipped FileDescriptorProto of every .proto file that it was compiled with, and they
lie in the binary as they are. So the types are those of the containerd that runs, and no .proto
file is needed. Options are removed: they are extensions of gogo.proto, which is not there.
"""

import zlib
from pathlib import Path

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

PACKAGE = "runtime.v1"
_GZIP_MAGIC = b"\x1f\x8b\x08"
_FILE_NAME = b"\n\tapi.proto"  # field 1 (name) of the FileDescriptorProto that we want
_MAX_GZIP_BYTES = 1 << 16


def cri_pool(binary: Path) -> DescriptorPool:
    """A pool with the package `runtime.v1`. Raises LookupError where the binary has none."""
    file = _find(binary.read_bytes())
    if file is None:
        raise LookupError(f"{binary} holds no descriptor of {PACKAGE}: is it containerd?")
    del file.dependency[:]
    file.ClearField("options")
    for message in file.message_type:
        _without_options(message)
    for service in file.service:
        for method in service.method:
            method.ClearField("options")
    pool = DescriptorPool()
    pool.Add(file)
    return pool


def _find(binary: bytes) -> FileDescriptorProto | None:
    at = binary.find(_GZIP_MAGIC)
    while at >= 0:
        content = _gunzip(binary[at : at + _MAX_GZIP_BYTES])
        if content.startswith(_FILE_NAME):
            file = FileDescriptorProto.FromString(content)
            if file.package == PACKAGE:
                return file
        at = binary.find(_GZIP_MAGIC, at + 1)
    return None


def _gunzip(content: bytes) -> bytes:
    """Empty where it is no gzip at all."""
    try:
        return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(content)
    except zlib.error:
        return b""


def _without_options(message: DescriptorProto) -> None:
    message.ClearField("options")
    for field in message.field:
        field.ClearField("options")
    for nested in message.nested_type:
        is_map = nested.options.map_entry
        _without_options(nested)
        if is_map:
            nested.options.map_entry = True
