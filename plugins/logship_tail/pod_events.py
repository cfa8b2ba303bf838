"""The API server's answers about pods and namespaces, as far as they are needed. Sans I/O.

They are asked for as PartialObjectMetadata (a third fewer bytes; an API server that does not know
it sends whole objects, which decode the same); what is not named here is dropped while decoding. A
watch is a stream of JSON objects, one a line, cut anywhere; a line has a bound.
https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

import msgspec

from logship_tail.owners import NOBODY, Owner, owner_of
from logship_tail.pods import MAX_ANNOTATION_CHARS, Namespace, Pod

MAX_LINE_BYTES = 4 * 1024 * 1024
"""etcd takes objects of 1.5 MiB."""


class _Reference(msgspec.Struct):
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
    owner_references: list[_Reference] | None = None


class Object(msgspec.Struct):
    """A pod, a namespace, a bookmark, or the Status of an error."""

    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    code: int = 0
    message: str = ""

    def pod(self) -> Pod:
        metadata = self.metadata
        labels = metadata.labels or {}
        kind, name = owner_of(_controller(metadata.owner_references or []), labels)
        return Pod(
            namespace=metadata.namespace,
            name=metadata.name,
            uid=metadata.uid,
            labels=labels,
            annotations={
                key: value
                for key, value in (metadata.annotations or {}).items()
                if len(value) <= MAX_ANNOTATION_CHARS
            },
            owner_kind=kind,
            owner_name=name,
        )

    def namespace(self) -> Namespace:
        return Namespace(name=self.metadata.name, labels=self.metadata.labels or {})


class Event(msgspec.Struct):
    type: str
    object: Object


class ObjectList(msgspec.Struct):
    metadata: _Metadata
    items: list[Object] | None = None


def _controller(owners: list[_Reference]) -> Owner:
    return next((Owner(owner.kind, owner.name) for owner in owners if owner.controller), NOBODY)


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
