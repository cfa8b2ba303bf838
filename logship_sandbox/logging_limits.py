"""Cloud Logging's limits, as plain functions over one entry.

Sources: the "Quotas and limits" page of Cloud Logging and the comments of google/logging/v2
(log_entry.proto, logging.proto). Each figure is Google's; two things are ours because Google does
not publish them: how an entry's internal size is measured (`entry_bytes`), and the ellipsis that
marks a truncated label (the proto says only "an ellipsis").
"""

import re
from collections.abc import Iterable, Mapping

import orjson

MAX_REQUEST_BYTES = 10_485_760  # "Request payload size exceeds the limit: 10485760 bytes."
MAX_ENTRY_BYTES = 256 * 1024  # internal size, approximate, cannot be raised
MAX_LABELS = 64
MAX_LABEL_KEY_BYTES = 512  # longer ones are cut, not refused
MAX_LABEL_VALUE_BYTES = 64 * 1024
MAX_LOG_ID_CHARS = 511  # "must be less than 512 characters long"
MAX_FUTURE_SECS = 86_400  # "Timestamp is over a day in the future"
MAX_JSON_DEPTH = 100  # of Google's JSON parser, counted from the request's outermost object
ELLIPSIS = "…"

_LOG_NAME = re.compile(r"/?((?:projects|organizations|folders|billingAccounts)/[^/]+)/logs/([^/]+)")
# The id is URL-encoded in a log name: a slash is written %2F.
_LOG_ID = re.compile(r"(?:[A-Za-z0-9_.-]|%2[Ff])+")


def canonical_log_name(name: str) -> str:
    """The name without a leading slash (the proto allows one); ValueError when it is malformed."""
    match = _LOG_NAME.fullmatch(name)
    if match is None:
        raise ValueError(f'Log name "{name}" must have the form projects/[PROJECT]/logs/[LOG_ID]')
    log_id = match[2]
    if not _LOG_ID.fullmatch(log_id):
        raise ValueError(
            f'Log id "{log_id}" may have letters, digits, "_", "-", "." and, as %2F, "/" only'
        )
    if len(log_id.replace("%2F", "/").replace("%2f", "/")) > MAX_LOG_ID_CHARS:
        raise ValueError(f"Log id of {len(log_id)} characters: must be less than 512")
    return name.removeprefix("/")


def truncated(text: str, max_bytes: int) -> str:
    """`text` in at most `max_bytes` of UTF-8, with an ellipsis where it was cut."""
    if len(text) * 4 <= max_bytes:
        return text
    encoded = text.encode()
    if len(encoded) <= max_bytes:
        return text
    return encoded[: max_bytes - len(ELLIPSIS.encode())].decode(errors="ignore") + ELLIPSIS


def truncated_labels(labels: dict[str, str]) -> dict[str, str]:
    """Labels as Cloud Logging keeps them."""
    return {
        truncated(key, MAX_LABEL_KEY_BYTES): truncated(value, MAX_LABEL_VALUE_BYTES)
        for key, value in labels.items()
    }


def _utf8_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def entry_bytes(entry: Mapping[str, object]) -> int:
    """Our measure of the internal size that MAX_ENTRY_BYTES bounds.

    The payload (text as UTF-8 without JSON's escapes; a JSON payload as compact JSON) plus every
    label's key and value. Google counts a few bytes more for other fields, so that a sender should
    keep a margin, as it must anyhow: the real figure is "approximate".
    """
    size = 0
    text = entry.get("textPayload")
    if isinstance(text, str):
        size = _utf8_bytes(text)
    for name in ("jsonPayload", "protoPayload"):
        if name in entry:
            size += len(orjson.dumps(entry[name]))
    labels = entry.get("labels")
    if isinstance(labels, dict):
        size += sum(_utf8_bytes(key) + _utf8_bytes(value) for key, value in labels.items())
    return size


def deeper_than(value: object, levels: int) -> bool:
    """Whether objects and arrays are nested in `value` by more than `levels`."""
    layer = _nested([value])
    for _ in range(levels):
        if not layer:
            return False
        layer = [child for item in layer for child in _nested(_children(item))]
    return bool(layer)


def _children(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _nested(values: Iterable[object]) -> list[object]:
    return [value for value in values if isinstance(value, (dict, list))]
