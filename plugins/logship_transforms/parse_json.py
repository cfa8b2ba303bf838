"""`parse_json`: texts that are JSON objects become fields.

The texts and the block stay as they are: a column of parsed objects is put beside them, for later
transforms and for sinks that can use it. A row that is no object keeps its text and gets None. The
objects are made when somebody looks at them: `cloud_logging` can write them from their texts.
"""

from dataclasses import replace
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from logship.api import Batch, Context, Parsed, Transform
from logship_transforms.objects import parse


class ParseJsonConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `parse_json`."""

    on_error: Annotated[
        Literal["keep"],
        Meta(
            description="What becomes of a row whose text is not a JSON object: `keep` delivers it "
            "as the text it is."
        ),
    ] = "keep"
    max_text_bytes: Annotated[
        int,
        Meta(
            ge=1,
            description="Longer texts are not parsed and stay text. Counted in characters, which "
            "are never more than bytes.",
        ),
    ] = 1024 * 1024


class ParseJson(Transform):
    """Parses texts that are JSON objects into fields."""

    config = ParseJsonConfig

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        super().__init__(config, context)
        assert isinstance(config, ParseJsonConfig)
        self._max_chars = config.max_text_bytes

    def apply(self, batch: Batch) -> Batch:
        rows = batch.rows
        if rows.fields is not None:
            return batch
        return batch.with_fields(replace(rows, fields=Parsed(rows.texts, parse, self._max_chars)))
