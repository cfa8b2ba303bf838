"""Names of topics and subscriptions, short or whole.

https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names
"""

import re

_ID = r"[A-Za-z][A-Za-z0-9._~+%-]{2,254}"
SHORT = re.compile(_ID)
_WHOLE = {
    "topics": re.compile(rf"projects/[^/]+/topics/{_ID}"),
    "subscriptions": re.compile(rf"projects/[^/]+/subscriptions/{_ID}"),
}


def problem(kind: str, name: str) -> str | None:
    """What is wrong with the name of a topic or subscription; None when nothing is."""
    if _WHOLE[kind].fullmatch(name) or (SHORT.fullmatch(name) and not name.startswith("goog")):
        return None
    return (
        f"{name!r} is not a name of Pub/Sub: write 3 to 255 letters, digits or -._~+% that begin "
        f"with a letter (not goog), or projects/PROJECT/{kind}/NAME"
    )


def is_whole(name: str) -> bool:
    return "/" in name


def whole(kind: str, project: str, name: str) -> str:
    """`projects/P/topics/T` of either form of the name."""
    return name if is_whole(name) else f"projects/{project}/{kind}/{name}"
