"""The volumes of a pod on a node whose directories lie below one of the test's own.

A hostPath is looked up there instead of in the machine's root, since nothing of these tests may
touch the machine's own /var; in the container it is mounted where the manifest says.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.e2e.config_map import ConfigMapMount

_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_LOGS = "var/log/pods"
"""The kubelet's own podLogsDir."""


class Volumes:
    def __init__(
        self, node: Path, pod: Path, account: Path, config_maps: Mapping[str, Mapping[str, str]]
    ) -> None:
        """`pod`: for the volumes that are this pod's alone. `account`: token and ca.crt.

        `config_maps`: what is in them, by their names.
        """
        self._node, self._pod, self._account = node, pod, account
        self._config_maps = config_maps

    def log_directory(self, namespace: str, name: str, uid: str) -> Path:
        return self._node / _LOGS / f"{namespace}_{name}_{uid}"

    def account(self) -> dict[str, object]:
        """Every pod's, unless it says that it wants none."""
        return _mount(self._account, _ACCOUNT, read_only=True)

    def mount(self, volume: Mapping[str, Any], at: str, *, read_only: bool) -> dict[str, object]:
        """The mount of a volume of the pod, which is made if it is not there."""
        (kind,) = volume.keys() - {"name"}
        if kind == "hostPath":
            return _mount(self._host_path(volume[kind]), at, read_only=read_only)
        if kind == "configMap":
            return _mount(self._config_map(volume[kind]), at, read_only=read_only)
        raise ValueError(f"a volume of the kind {kind} is not translated for the CRI")

    def _host_path(self, wanted: Mapping[str, str]) -> Path:
        path = self._node / wanted["path"].removeprefix("/")
        if wanted.get("type") == "DirectoryOrCreate":
            path.mkdir(mode=0o755, parents=True, exist_ok=True)
        assert path.is_dir(), f"{wanted} is not there: the kubelet would not start the container"
        return path

    def _config_map(self, wanted: Mapping[str, str]) -> Path:
        directory = self._pod / "volumes" / wanted["name"]
        ((file, text),) = self._config_maps[wanted["name"]].items()
        ConfigMapMount(directory, file).update(text)
        return directory


def _mount(host: Path, container: str, *, read_only: bool) -> dict[str, object]:
    return {"host_path": str(host), "container_path": container, "readonly": read_only}
