"""Logs that somebody describes, as the sources here would find them: for `logship test`."""

from logship.api import Labels, Origin, Sample, Wish
from logship_tail.pod_tree import PodScanner, PodTree
from logship_tail.pods import Pod, of_pod


def container_log(about: Labels, scanner: PodScanner, tree: PodTree) -> Sample:
    """Of a pod, whose metadata is as it is told, unless none is ever known. Raises NotRead."""
    get = about.values.get
    pod = get("pod", "pod-0")
    directory = f"{get('namespace', 'default')}_{pod}_{get('uid', f'uid-of-{pod}')}"
    seen = scanner.described(directory, get("container", "app"), get("restart", "0"))
    labels = Labels(seen.labels)
    if tree.annotated:
        annotations, own = about.prefixed("annotation:"), about.prefixed("label:")
        one = Pod(namespace=seen.labels["namespace"], name=pod, labels=own, annotations=annotations)
        told = of_pod(one, seen.labels["container"]) if about.known else {}
        labels = Labels({**told, **seen.labels}, about.known)
    wish = Wish() if seen.log.wish is None else seen.log.wish(labels)
    cutting = seen.log.cutting if wish.cutting is None else wish.cutting
    return Sample(Origin(seen.key, labels), cutting, labels, wish)
