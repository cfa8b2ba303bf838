"""A small client of the Container Runtime Interface: what kubelet says to containerd.

Requests are dicts in protobuf's JSON form; answers become the msgspec struct that the caller names,
which has only the fields that matter.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import grpc
import msgspec
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool

from tests.e2e.containerd.descriptors import PACKAGE

CALL_SECS = 60.0
_SERVICE = f"{PACKAGE}.RuntimeService"

T = TypeVar("T")


class Nothing(msgspec.Struct):
    """An answer of which no field is of interest."""


class Cri:
    def __init__(self, socket: Path, pool: DescriptorPool) -> None:
        self._service = pool.FindServiceByName(_SERVICE)
        options = [("grpc.default_authority", "localhost")]
        self._channel = grpc.insecure_channel(f"unix://{socket}", options=options)

    def call(self, method: str, request: Mapping[str, object], answer: type[T]) -> T:
        """Raises grpc.RpcError."""
        types = self._service.FindMethodByName(method)
        request_type = message_factory.GetMessageClass(types.input_type)
        answer_type = message_factory.GetMessageClass(types.output_type)
        call = self._channel.unary_unary(
            f"/{_SERVICE}/{method}",
            request_serializer=request_type.SerializeToString,
            response_deserializer=answer_type.FromString,
        )
        message = json_format.ParseDict(dict(request), request_type())
        found = call(message, timeout=CALL_SECS)
        as_dict = json_format.MessageToDict(found, preserving_proto_field_name=True)
        return msgspec.convert(as_dict, answer, strict=False)

    def do(self, method: str, request: Mapping[str, object]) -> None:
        self.call(method, request, Nothing)

    def close(self) -> None:
        self._channel.close()
