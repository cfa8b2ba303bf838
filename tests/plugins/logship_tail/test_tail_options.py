"""The options of the sources, as people write them."""

from logship_debug.null import Null
from logship_tail.files import Files, FilesConfig
from logship_tail.kubernetes import Kubernetes, KubernetesConfig, MetadataConfig

from logship.config.loading import load
from logship.registry import Registry

TEXT = """\
sources:
  containers:
    type: kubernetes
    root: /logs/pods
    start_from: 1h
    exclude_namespaces: [kube-*]
    format: cri
    max_row_bytes: 64KiB
    metadata: {from: file, path: /etc/pods.yaml, keep_secs: 10m}
  hosts:
    type: files
    paths: [/var/log/*.log]
    start_from: beginning
    scan_secs: 500ms
routes:
  - {name: all, from: [containers, hosts], to: nowhere}
sinks:
  nowhere: {type: "null"}
"""


def test_options_are_read_with_their_units() -> None:
    registry = Registry()
    for name, component in [("kubernetes", Kubernetes), ("files", Files), ("null", Null)]:
        registry.add(name, component)
    sources = load(TEXT, file="logship.yaml", env={}, registry=registry).sources
    assert sources["containers"].options == KubernetesConfig(
        root="/logs/pods",
        start_from=3600.0,
        exclude_namespaces=("kube-*",),
        format="cri",
        max_row_bytes=65536,
        metadata=MetadataConfig(from_="file", path="/etc/pods.yaml", keep_secs=600.0),
    )
    assert sources["hosts"].options == FilesConfig(
        paths=("/var/log/*.log",), start_from="beginning", scan_secs=0.5
    )
