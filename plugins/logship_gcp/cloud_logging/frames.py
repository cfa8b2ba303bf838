"""What all rows of an origin share in their entries: resource, log name, labels.

A request of one origin says it once, as the defaults of the request; in a request of several
origins each entry says its own (about 500 bytes more a row). Cloud Logging adds the labels of the
request to those of the entry, so labels may stand in the request only where it has one origin.

    container   k8s_container, as GKE's agent has it: labels of the pod as k8s-pod/KEY with _ for
                each dot, and who runs it as logging.gke.io/top_level_controller_type and _name
    other file  k8s_node in a cluster, generic_node elsewhere; label `logship/path`
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote

import orjson

from logship.api import OF_STREAM, Batch, Labels

MAX_LABELS = 64
"""Of an entry, at Google; longer keys and values are truncated there, more labels are refused."""
MAX_LABELS_BYTES = 128 * 1024
"""Of all labels of an origin; what is beyond is left out, since an entry has an end too."""
MAX_FRAMES = 1024
"""Kept from write to write: an origin with little to say has a new batch every second."""
RESERVED_LABELS = 20
"""Kept free for marks and for labels that the application sets."""
VERSION_LABEL = "logship/version"
CONTROLLER_LABEL = "logging.gke.io/top_level_controller_"
"""With `type` and `name`: who runs the pod, as GKE's agent says it, and for the same kinds."""
CONTROLLERS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "JobSet"})


@dataclass(frozen=True)
class Place:
    """Where this agent runs, as the options or the metadata server say."""

    project: str
    location: str
    cluster: str
    log_id: str | None = None
    version: str = ""
    """For the label; empty: no label."""

    @cached_property
    def log_names(self) -> Mapping[str, str]:
        """By stream; the same for all frames."""
        return {stream: self._log_name(stream) for stream in OF_STREAM}

    def _log_name(self, stream: str) -> str:
        return f"projects/{self.project}/logs/{quote(self.log_id or stream, safe='')}"


@dataclass(frozen=True, eq=False)
class Frame:
    """The shared parts of a batch's entries."""

    resource: Mapping[str, object]
    labels: Mapping[str, str]
    log_names: Mapping[str, str]
    """By stream."""
    severities: Mapping[str, str]
    """By stream: of rows that do not say their own. Empty where the streams mean nothing."""

    middles: dict[tuple[bool, bytes, str, str | None], bytes] = field(default_factory=dict)
    """Of rows that have nothing of their own, made once (see `middles`)."""
    text_pairs: dict[bool, tuple[bytes, bytes]] = field(default_factory=dict)
    """Those of texts on stdout and stderr, by `alone`."""

    @cached_property
    def size(self) -> int:
        """Bytes of an entry that are not its payload, about."""
        return len(orjson.dumps(self.resource)) + len(orjson.dumps(self.labels))

    def request_defaults(self) -> bytes:
        """The members of a request of this origin alone."""
        shared = {
            "logName": self.log_names["stdout"],
            "resource": self.resource,
            "labels": self.labels,
        }
        return orjson.dumps(shared)[1:-1]

    def entry_members(self, stream: str, alone: bool) -> dict[str, object]:
        """What an entry says about its origin, but for labels; `alone`: in a request of its own."""
        name = self.log_names[stream]
        if not alone:
            return {"logName": name, "resource": self.resource}
        return {} if name == self.log_names["stdout"] else {"logName": name}


def frame_of(batch: Batch, place: Place) -> Frame:
    """The frame of a batch's rows."""
    labels = batch.labels
    container = bool(labels.get("container"))
    return Frame(
        resource=_resource(labels, place),
        labels=_user_labels(batch, place, container),
        log_names=place.log_names,
        severities=OF_STREAM if container else {},
    )


_Pairs = tuple[tuple[str, str], ...]


class Frames:
    """The frames of the origins that were written last: one for the same origin and labels.

    A batch of an origin usually has the very labels that the one before it had; those are told by
    their identity (they are kept, so that no others can take their place), others by their values.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._frames: dict[tuple[str, _Pairs, _Pairs], Frame] = {}
        self._same: dict[tuple[int, str, _Pairs], tuple[Labels, Frame]] = {}

    def of(self, batch: Batch) -> Frame:
        extra = tuple(batch.extra.items()) if batch.extra else ()
        same = self._same.get((id(batch.labels), batch.origin.key, extra))
        return same[1] if same is not None else self._found(batch, extra)

    def _found(self, batch: Batch, extra: _Pairs) -> Frame:
        key, labels = batch.origin.key, batch.labels
        if len(self._same) >= MAX_FRAMES:
            self._same.clear()
        if len(self._frames) >= MAX_FRAMES:
            self._frames.clear()
            self._same.clear()
        said = key, tuple(labels.values.items()), extra
        if (frame := self._frames.get(said)) is None:
            frame = self._frames[said] = frame_of(batch, self._place)
        self._same[id(labels), key, extra] = labels, frame
        return frame


def _resource(labels: Labels, place: Place) -> dict[str, object]:
    where = {"project_id": place.project, "location": place.location}
    cluster = labels.get("cluster") or place.cluster
    if labels.get("container"):
        kind = "k8s_container"
        where["cluster_name"] = cluster
        where["namespace_name"] = labels.get("namespace")
        where["pod_name"] = labels.get("pod")
        where["container_name"] = labels.get("container")
    elif cluster:
        kind = "k8s_node"
        where |= {"cluster_name": cluster, "node_name": labels.get("node")}
    else:
        kind = "generic_node"
        where |= {"namespace": "", "node_id": labels.get("node")}
    return {"type": kind, "labels": where}


def _user_labels(batch: Batch, place: Place, container: bool) -> dict[str, str]:
    """Labels for people. Those of a pod with too many are left out from the end of the alphabet."""
    own = dict(batch.extra)
    if node := batch.labels.get("node"):
        own.setdefault("compute.googleapis.com/resource_name", node)
    if place.version:
        own[VERSION_LABEL] = place.version
    if not container and (path := batch.labels.get("path")):
        own.setdefault("logship/path", path)
    if (kind := batch.labels.get("owner_kind")) in CONTROLLERS:
        own.setdefault(f"{CONTROLLER_LABEL}type", kind)
        own.setdefault(f"{CONTROLLER_LABEL}name", batch.labels.get("owner_name"))
    own = dict(list(own.items())[-(MAX_LABELS - RESERVED_LABELS) :])
    for key, value in sorted(batch.labels.prefixed("label:").items()):
        if len(own) >= MAX_LABELS - RESERVED_LABELS:
            break
        own.setdefault(f"k8s-pod/{key.replace('.', '_')}", value)  # GKE's agent writes no dots
    return _within(own, MAX_LABELS_BYTES)


def _within(labels: dict[str, str], room: int) -> dict[str, str]:
    """Those that fit, in their order."""
    kept = {}
    for key, value in labels.items():
        size = len(key.encode()) + len(value.encode())
        if size <= room:
            kept[key] = value
            room -= size
    return kept
