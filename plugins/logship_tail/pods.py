"""What is known about pods: labels, annotations and owner, by what the path of a log says.

The uid in the path of a static pod is its configuration's hash, not the uid the API gives its
mirror pod; so a pod is found under both. Namespace and name must agree too: any pod may carry any
annotation. An annotation for one container (`app.logship/route`) stands in place of the pod's
(`logship/route`) in the labels of that container's logs, so nobody else has to know of it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from logship.api import Clock, Labels
from logship_tail.annotations import PREFIX, SEVERITY_KEYS, severity_keys
from logship_tail.kept import Keep, Kept

CONFIG_HASH = "kubernetes.io/config.hash"
MAX_ANNOTATION_CHARS = 4096
"""Longer ones (kubectl's last-applied-configuration) are for programs, never for routing."""

Key = tuple[str, str, str]
"""Namespace, name, uid."""


class Pod(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    namespace: str
    name: str
    uid: str = ""
    """Empty where only the name is known: it then stands for any uid."""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_kind: str = ""
    owner_name: str = ""

    @property
    def keys(self) -> Iterator[Key]:
        yield self.namespace, self.name, self.uid
        if self.uid and (config_hash := self.annotations.get(CONFIG_HASH)):
            yield self.namespace, self.name, config_hash


class Namespace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    labels: dict[str, str] = {}


class Pods:
    def __init__(
        self,
        clock: Clock,
        keep: Keep,
        changed: Callable[[], None],
        *,
        with_namespaces: bool = False,
    ) -> None:
        """`with_namespaces`: a log is known once the labels of its namespace are known too."""
        self._changed = changed
        self._pods: Kept[Key, Pod] = Kept(clock, keep)
        self._namespaces: Kept[str, Namespace] = Kept(clock, keep)
        self._with_namespaces = with_namespaces

    def __len__(self) -> int:
        return len(self._pods)

    def replace(self, pods: Iterable[Pod]) -> None:
        """These are all pods there are now."""
        self._tell(self._pods.replace({key: pod for pod in pods for key in pod.keys}))

    def put(self, pod: Pod) -> None:
        self._tell(self._pods.put(dict.fromkeys(pod.keys, pod)))

    def remove(self, pod: Pod) -> None:
        self._pods.remove(pod.keys)

    def replace_namespaces(self, namespaces: Iterable[Namespace]) -> None:
        """These are all namespaces there are now."""
        self._tell(self._namespaces.replace({one.name: one for one in namespaces}))

    def put_namespace(self, namespace: Namespace) -> None:
        self._tell(self._namespaces.put({namespace.name: namespace}))

    def remove_namespace(self, namespace: Namespace) -> None:
        self._namespaces.remove([namespace.name])

    def forget_old(self) -> None:
        """Drop what was deleted long enough ago."""
        self._pods.forget_old()
        self._namespaces.forget_old()

    def _tell(self, news: bool) -> None:
        if news:
            self._changed()

    def labels(self, base: Mapping[str, str]) -> Labels:
        """The labels of a log, with its pod's metadata as far as that is known."""
        place = base["namespace"], base["pod"]
        pod = self._pods.get((*place, base["uid"])) or self._pods.get((*place, ""))
        namespace = self._namespaces.get(base["namespace"])
        values = {} if pod is None else of_pod(pod, base.get("container", ""))
        if namespace is not None:
            values |= {f"namespace_label:{key}": v for key, v in namespace.labels.items()}
        known = pod is not None and not (self._with_namespaces and namespace is None)
        return Labels({**values, **base}, known=known)


def of_pod(pod: Pod, container: str) -> dict[str, str]:
    """The labels that its containers' logs get."""
    annotations = annotations_of(pod.annotations, container)
    values = {f"annotation:{key}": value for key, value in annotations.items()}
    values |= {f"label:{key}": value for key, value in pod.labels.items()}
    if pod.owner_kind:
        values |= {"owner_kind": pod.owner_kind, "owner_name": pod.owner_name}
    if keys := severity_keys(annotations.get(SEVERITY_KEYS, "")):
        values["severity_keys"] = keys
    return values


def annotations_of(annotations: Mapping[str, str], container: str) -> Mapping[str, str]:
    """As they hold for one container: its own go before the pod's."""
    own = f"{container}.{PREFIX}"
    mine = {
        PREFIX + key.removeprefix(own): value
        for key, value in annotations.items()
        if container and key.startswith(own)
    }
    return {**annotations, **mine} if mine else annotations
