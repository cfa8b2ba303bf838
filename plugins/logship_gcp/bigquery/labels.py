"""The columns that all rows of a batch share, and the marks of the rare row that differs."""

from collections.abc import Mapping

import orjson

from logship.api import Batch, Mark

OWNER = ("owner_kind", "owner_name")
SHARED = ("cluster", "namespace", "pod", "container", "node")


def shared_columns(batch: Batch) -> dict[str, str | None]:
    """`SHARED` of the batch's labels, None where one is unknown."""
    return {name: batch.labels.get(name) or None for name in SHARED}


def label_column(batch: Batch, mark: Mark | None = None) -> str | None:
    """The pod's labels, who runs it, and what transforms and marks added, as JSON; None without."""
    own = {f"logship/{name}": value for name in OWNER if (value := batch.labels.get(name))}
    pod = batch.labels.prefixed("label:")
    labels = {**pod, **own, **batch.extra, **(marks(mark) if mark else {})}
    return orjson.dumps(labels, option=orjson.OPT_SORT_KEYS).decode() if labels else None


def marks(mark: Mark) -> Mapping[str, str]:
    """What is unusual about a row, as labels."""
    named = {"malformed": mark.malformed, "unfinished": mark.unfinished, "cut": mark.cut}
    return {f"logship/{name}": "true" for name, is_so in named.items() if is_so}
