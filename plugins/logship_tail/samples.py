"""Logs that somebody describes, as the sources here would find them: for `logship test`."""

from collections.abc import Mapping

from logship.api import Labels, Origin, Sample, Wish
from logship_tail.pod_tree import PodScanner, PodTree
from logship_tail.pods import Pod, of_pod

NAMESPACE_LABEL = "namespace_label:"


def container_log(
    about: Labels, scanner: PodScanner, tree: PodTree, *, with_namespaces: bool
) -> Sample:
    """Of a pod, whose metadata is as it is told, unless none is ever known. Raises NotRead.

    `with_namespaces`: the source knows labels of namespaces too.
    """
    get = about.values.get
    pod = get("pod", "pod-0")
    directory = f"{get('namespace', 'default')}_{pod}_{get('uid', f'uid-of-{pod}')}"
    seen = scanner.described(directory, get("container", "app"), get("restart", "0"))
    labels = Labels(seen.labels)
    if tree.annotated:
        told = _metadata(about, seen.labels, with_namespaces) if about.known else {}
        labels = Labels({**told, **seen.labels}, about.known)
    wish = Wish() if seen.log.wish is None else seen.log.wish(labels)
    cutting = seen.log.cutting if wish.cutting is None else wish.cutting
    return Sample(Origin(seen.key, labels), cutting, labels, wish)


def _metadata(about: Labels, place: Mapping[str, str], with_namespaces: bool) -> Mapping[str, str]:
    """What the API would have told of the pod at this place."""
    pod = Pod(
        namespace=place["namespace"],
        name=place["pod"],
        labels=about.prefixed("label:"),
        annotations=about.prefixed("annotation:"),
        owner_kind=about.get("owner_kind"),
        owner_name=about.get("owner_name"),
    )
    told = of_pod(pod, place["container"])
    if with_namespaces:
        told |= {k: v for k, v in about.values.items() if k.startswith(NAMESPACE_LABEL)}
    return told
