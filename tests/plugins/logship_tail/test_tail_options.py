"""The options of the sources, as people write them."""

from logship_debug.null import Null
from logship_tail.files import Files, FilesConfig
from logship_tail.kubernetes import Kubernetes, KubernetesConfig, MetadataConfig

from logship.config import examine
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


DOUBTFUL = """\
sources:
  hosts: {type: files, paths: [/var/log/*.log]}
  bare: {type: kubernetes, metadata: {from: none}}
  pods: {type: kubernetes}
routes:
  - {name: app, from: [hosts], match: {annotations: {logship/route: app}}, to: out}
  - {name: jobs, from: [hosts, bare], match: {not: {owner_kind: Job}}, to: out}
  - {name: fine, from: [hosts, pods], match: {labels: {app: web}}, to: out}
  - {name: rest, from: [hosts, bare, pods], match: {namespace: a}, to: out}
sinks:
  out: {type: stdout}
"""


def test_a_match_that_its_sources_can_never_answer_is_doubtful() -> None:
    found = examine(DOUBTFUL, file="x.yaml", env={}, registry=Registry.installed())
    assert found.config is not None
    said = [(problem.path, problem.message) for problem in found.problems]
    assert [path for path, _ in said] == ["routes[0].match", "routes[1].match"]
    assert "`hosts` never knows" in said[0][1]
    assert "`hosts`, `bare` never know" in said[1][1]
    assert "metadata: {from: api}" in found.problems[0].hint
