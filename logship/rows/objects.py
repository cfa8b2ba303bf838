"""Texts that are JSON objects. Engine, transforms and sinks must agree on which these are."""

import orjson

from logship.rows.rows import JsonObject


def parse_object(text: str) -> JsonObject | None:
    """The JSON object that the text is; None when it is none."""
    if text[:1] != "{":
        return None
    try:
        found: JsonObject = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found
