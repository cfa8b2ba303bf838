"""The source `kubernetes`: logs of the containers on this node, with their pods' metadata.

A log is shipped for what its path says, at once; metadata comes beside, from the API or a file, and
its absence never holds a log back here: `Labels.known` says that it is still expected, and the
routes decide who has to wait for it.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from logship.api import (
    Catalog,
    ConfigError,
    Context,
    Finding,
    Labels,
    Rotation,
    Sample,
    Source,
    StartFrom,
)  # fmt: skip
from logship_tail.complaints import Complaints
from logship_tail.discovery import Discovery, Pace
from logship_tail.environment import api_server
from logship_tail.kept import Keep
from logship_tail.metadata_config import MetadataConfig as MetadataConfig
from logship_tail.multiline import JoinOption, joins_of
from logship_tail.pod_tree import PodScanner, PodTree
from logship_tail.pods import Pods
from logship_tail.pods_file import PodsFromFile
from logship_tail.watching import OpenInotify, Watcher

GKE_NAMESPACES = (
    "kube-system",
    "istio-system",
    "knative-serving",
    "gke-system",
    "config-management-system",
    "gmp-system",
    "gke-managed-*",
)
"""What GKE's own agent keeps apart as the system's (cluster option --logging=SYSTEM)."""

MAX_LOGS = 10_000


class RotationConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the kubelet keeps of each container's log."""

    max_bytes: Annotated[
        int,
        Meta(
            ge=1,
            description="The kubelet's `containerLogMaxSize`. Where rotated files are there, their "
            "real size counts.",
        ),
    ] = 10 * 1024 * 1024
    max_files: Annotated[int, Meta(ge=2, description="The kubelet's `containerLogMaxFiles`.")] = 5


class KubernetesConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Logs of containers, as the kubelet lays them out."""

    root: Annotated[str, Meta(min_length=1, description="The kubelet's directory of logs.")] = (
        "/var/log/pods"
    )
    start_from: Annotated[
        StartFrom,
        Meta(
            description="Where reading starts on logs without a saved position at the first "
            "start: `now`, `beginning`, or how far back."
        ),
    ] = 600.0
    exclude_namespaces: Annotated[
        tuple[str, ...],
        Meta(
            description="Globs of namespaces whose logs are not read. Default: those that GKE's "
            "own agent ships."
        ),
    ] = GKE_NAMESPACES
    format: Annotated[
        Literal["auto", "cri", "docker"],
        Meta(description="The runtime's format. `auto` tells by the content of each file."),
    ] = "auto"
    max_row_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            le=16 * 1024 * 1024,
            description="A longer record is cut into rows of this size.",
        ),
    ] = 256 * 1024
    join: JoinOption = ()
    roots: Annotated[
        tuple[str, ...],
        Meta(description="Directories that a log may be a link into."),
    ] = ("/var/lib/docker/containers",)
    scan_secs: Annotated[
        float,
        Meta(
            gt=0,
            description="How often everything is looked at, beside the events of inotify; every "
            "second where there are none.",
        ),
    ] = 5.0
    rotation: Annotated[
        RotationConfig,
        Meta(
            description="What the kubelet keeps of each container's log. It changes nothing but "
            "`rotation_risk_secs` in `/status`."
        ),
    ] = RotationConfig()
    metadata: Annotated[
        MetadataConfig, Meta(description="Where labels and annotations of pods come from.")
    ] = MetadataConfig()


class Metadata(Protocol):
    """Somebody who keeps `pods` up to date."""

    async def run(self, pods: Pods) -> None: ...


class Kubernetes(Source):
    """Logs of the containers on this node, with the labels of their pods."""

    config = KubernetesConfig

    @classmethod
    def tells_metadata(cls, config: msgspec.Struct) -> bool:
        assert isinstance(config, KubernetesConfig)
        return config.metadata.from_ != "none"

    @classmethod
    def tells_namespace_labels(cls, config: msgspec.Struct) -> bool:
        assert isinstance(config, KubernetesConfig)
        metadata = config.metadata
        return metadata.from_ == "file" or (
            cls.tells_metadata(config) and metadata.namespace_labels
        )

    def __init__(
        self, config: KubernetesConfig, context: Context, open_inotify: OpenInotify | None = None
    ) -> None:
        super().__init__(config, context)
        self._config = config
        self._watcher = Watcher(open_inotify) if open_inotify else Watcher()
        self._complaints = Complaints(context.log)
        self._metadata = self._metadata_source()

    async def run(self, catalog: Catalog) -> None:
        discovery: Discovery
        metadata = self._config.metadata
        pods = Pods(
            self.context.world.clock,
            Keep(metadata.keep_secs, metadata.keep_pods),
            changed=lambda: discovery.relabel(),
            with_namespaces=metadata.namespace_labels,
        )
        tree = self._tree(self._metadata is not None)
        scanner = PodScanner(tree, self._watcher, self.context, self._complaints)
        discovery = Discovery(
            scanner, self._watcher, catalog, self.context,
            Pace(self._config.scan_secs, MAX_LOGS), self._complaints,
            Labels if self._metadata is None else pods.labels,
        )  # fmt: skip
        async with asyncio.TaskGroup() as group:
            group.create_task(discovery.run())
            if self._metadata is not None:
                group.create_task(self._metadata.run(pods))

    def check(self) -> Sequence[Finding]:
        from logship_tail.checking import check_pods

        return check_pods(self._tree(annotated=False), self._watcher, self.context)

    async def check_live(self) -> Sequence[Finding]:
        from logship_tail.checking import check_metadata

        return await check_metadata(self._metadata, self._config.metadata.path, self.context)

    def sample(self, about: Labels) -> Sample:
        from logship_tail.samples import container_log

        tree = self._tree(annotated=self.tells_metadata(self._config))
        scanner = PodScanner(tree, self._watcher, self.context, self._complaints)
        with_namespaces = self.tells_namespace_labels(self._config)
        return container_log(about, scanner, tree, with_namespaces=with_namespaces)

    def _tree(self, annotated: bool) -> PodTree:
        config = self._config
        return PodTree(
            root=config.root.rstrip("/") or "/",
            exclude_namespaces=config.exclude_namespaces,
            format=config.format,
            max_row_bytes=config.max_row_bytes,
            roots=config.roots,
            rotation=Rotation(config.rotation.max_bytes, config.rotation.max_files),
            joins=joins_of(config.join),
            annotated=annotated,
        )

    def _metadata_source(self) -> Metadata | None:
        options = self._config.metadata
        wanted = options.from_ or ("api" if api_server() else "none")
        if wanted == "none":
            return None
        if wanted == "file":
            if not options.path:
                raise ConfigError("metadata.path", "`from: file` needs the `path` of the file")
            return PodsFromFile(options.path, self.context, self._complaints)
        return self._from_api(options.server or api_server())

    def _from_api(self, server: str | None) -> Metadata:
        from logship_tail.api_server import Account, ApiServer
        from logship_tail.pods_api import PodsFromApi

        options = self._config.metadata
        if server is None:
            raise ConfigError(
                "metadata.server",
                "`from: api` outside of a cluster needs the `server` (KUBERNETES_SERVICE_HOST is "
                "not set); without `from` it is `api` inside of a cluster, and `none` elsewhere",
            )
        if not self.context.node:
            raise ConfigError(
                "metadata.from",
                "`api` lists the pods of one node, and the node's name is not known: set NODE_NAME "
                "from spec.nodeName in the DaemonSet",
            )
        account = Account(server, options.token_path, options.ca_path)
        api = ApiServer(account, self.context)
        return PodsFromApi(api, self.context, namespaces=options.namespace_labels)
