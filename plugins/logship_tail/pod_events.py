"""The API server's answers about pods, as far as they are needed. Sans I/O.

Pods are asked for as PartialObjectMetadata (a third fewer bytes; an API server that does not know
it sends whole pods, which decode the same); what is not named here is dropped while decoding. A
watch is a stream of JSON objects, one a line, cut anywhere; a line has a bound.
https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

import msgspec

from logship_tail.pods import MAX_ANNOTATION_CHARS, Pod

MAX_LINE_BYTES = 4 * 1024 * 1024
"""etcd takes objects of 1.5 MiB."""


class _Owner(msgspec.Struct):
    kind: str = ""
    name: str = ""
    controller: bool | None = None


class _Metadata(msgspec.Struct, rename="camel"):
    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[_Owner] | None = None


class _Object(msgspec.Struct):
    """A pod, a bookmark, or the Status of an error."""

    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    code: int = 0
    message: str = ""

    def pod(self) -> Pod:
        metadata = self.metadata
        return Pod(
            namespace=metadata.namespace,
            name=metadata.name,
            uid=metadata.uid,
            labels=metadata.labels or {},
            annotations={
                key: value
                for key, value in (metadata.annotations or {}).items()
                if len(value) <= MAX_ANNOTATION_CHARS
            },
            owner=_controller(metadata.owner_references or []),
        )


class PodEvent(msgspec.Struct):
    type: str
    object: _Object


class PodList(msgspec.Struct):
    metadata: _Metadata
    items: list[_Object] | None = None

    def pods(self) -> list[Pod]:
        return [item.pod() for item in self.items or []]


def _controller(owners: list[_Owner]) -> str:
    return next((f"{owner.kind}/{owner.name}" for owner in owners if owner.controller), "")


class Lines:
    """Cuts chunks of a stream into lines."""

    def __init__(self, max_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._open = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that have ended, without blank ones. Raises ValueError for one too long."""
        *ended, rest = chunk.split(b"\n")
        if ended:
            ended[0] = bytes(self._open) + ended[0]
            self._open.clear()
        self._open += rest
        if len(self._open) > self._max_bytes or any(len(line) > self._max_bytes for line in ended):
            raise ValueError(f"a line of the watch has more than {self._max_bytes} bytes")
        return [line for line in ended if line.strip()]
