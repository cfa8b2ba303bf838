"""Logs that somebody describes, as the sources here would find them: for `logship test`."""

from logship.api import Labels, Origin, Sample
from logship_tail.pod_tree import PodScanner, PodTree


def container_log(about: Labels, scanner: PodScanner, tree: PodTree) -> Sample:
    """Of a pod, whose metadata is as it is told, unless none is ever known. Raises NotRead."""
    get = about.values.get
    pod = get("pod", "pod-0")
    directory = f"{get('namespace', 'default')}_{pod}_{get('uid', f'uid-of-{pod}')}"
    seen = scanner.described(directory, get("container", "app"), get("restart", "0"))
    told = {key: value for key, value in about.values.items() if ":" in key or key == "owner"}
    labels = Labels(seen.labels)
    if tree.annotated:
        labels = Labels({**told, **seen.labels} if about.known else seen.labels, about.known)
    cutting = seen.log.cutting if seen.log.recut is None else seen.log.recut(labels)
    return Sample(Origin(seen.key, labels), cutting, labels)
