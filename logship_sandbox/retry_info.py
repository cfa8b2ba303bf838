"""gRPC's way to say when to come again: google.rpc.RetryInfo in the status's details.

https://google.aip.dev/193 ; the status travels in the trailer `grpc-status-details-bin`.
"""

from typing import TypeAlias

import grpc
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]

RetryMetadata: TypeAlias = tuple[tuple[str, bytes], ...]


def retry_info(code: grpc.StatusCode, message: str, after_secs: float) -> RetryMetadata:
    """Trailing metadata that names the time; none for 0."""
    if not after_secs:
        return ()
    delay = duration_pb2.Duration()
    delay.FromNanoseconds(int(after_secs * 1e9))
    status = status_pb2.Status(code=code.value[0], message=message)
    status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return (("grpc-status-details-bin", status.SerializeToString()),)
