"""What is known about pods: labels, annotations and owner, by what the path of a log says.

The uid in the path of a static pod is its configuration's hash, not the uid the API gives its
mirror pod; so a pod is found under both. Namespace and name must agree too: any pod may carry any
annotation. A deleted pod is kept for a while, because its last lines are read after it is gone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from logship.api import Clock, Labels

CONFIG_HASH = "kubernetes.io/config.hash"
MAX_ANNOTATION_CHARS = 4096
"""Longer ones (kubectl's last-applied-configuration) are for programs, never for routing."""


class Pod(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    namespace: str
    name: str
    uid: str = ""
    """Empty where only the name is known: it then stands for any uid."""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner: str = ""
    """KIND/NAME of the controller."""

    @property
    def keys(self) -> Iterator[tuple[str, str, str]]:
        yield self.namespace, self.name, self.uid
        if self.uid and (config_hash := self.annotations.get(CONFIG_HASH)):
            yield self.namespace, self.name, config_hash


class Pods:
    def __init__(self, clock: Clock, keep_secs: float, changed: Callable[[], None]) -> None:
        self._clock = clock
        self._keep_secs = keep_secs
        self._changed = changed
        self._pods: dict[tuple[str, str, str], Pod] = {}
        self._deleted: dict[tuple[str, str, str], float] = {}

    def __len__(self) -> int:
        return len(self._pods)

    def replace(self, pods: Iterable[Pod]) -> None:
        """These are all pods there are now."""
        wanted = {key: pod for pod in pods for key in pod.keys}
        for key in self._pods.keys() - wanted.keys():
            self._deleted.setdefault(key, self._clock.now())
        self._put(wanted)

    def put(self, pod: Pod) -> None:
        self._put(dict.fromkeys(pod.keys, pod))

    def remove(self, pod: Pod) -> None:
        for key in pod.keys:
            if key in self._pods:
                self._deleted.setdefault(key, self._clock.now())
        self.forget_old()

    def forget_old(self) -> None:
        """Drop pods that were deleted long enough ago."""
        before = self._clock.now() - self._keep_secs
        for key in [key for key, at in self._deleted.items() if at <= before]:
            del self._deleted[key], self._pods[key]

    def _put(self, wanted: Mapping[tuple[str, str, str], Pod]) -> None:
        changed = any(self._pods.get(key) != pod for key, pod in wanted.items())
        self._pods.update(wanted)
        for key in wanted:
            self._deleted.pop(key, None)
        self.forget_old()
        if changed:
            self._changed()

    def labels(self, base: Mapping[str, str]) -> Labels:
        """The labels of a log, with its pod's metadata as far as that is known."""
        place = base["namespace"], base["pod"]
        pod = self._pods.get((*place, base["uid"])) or self._pods.get((*place, ""))
        if pod is None:
            return Labels(base, known=False)
        values = {f"annotation:{key}": value for key, value in pod.annotations.items()}
        values |= {f"label:{key}": value for key, value in pod.labels.items()}
        owner = {"owner": pod.owner} if pod.owner else {}
        return Labels({**values, **owner, **base})
