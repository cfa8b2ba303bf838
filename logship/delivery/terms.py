"""The options that every sink takes beside its own: how the engine writes to it."""

from typing import Annotated

import msgspec
from msgspec import Meta


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every sink takes these options beside its own."""

    max_bytes_per_sec: Annotated[
        int | None,
        Meta(
            ge=1000,
            description="Bound of the bytes of log that are sent to it, over all routes to it: "
            "leaves quota to others. What is sent again counts once. Default: no bound.",
            examples=["400kB"],
        ),
    ] = None
    max_delay_secs: Annotated[
        float,
        Meta(
            ge=0,
            le=60,
            description="How long a row may wait for others to share its request. Under load "
            "requests are full before, or grow while they wait for the sink.",
        ),
    ] = 0.1
    write_timeout_secs: Annotated[
        float,
        Meta(
            gt=0,
            description="A write that has no answer by then has failed, and is sent again. Keep "
            "it well above the time that the sink gives one request.",
        ),
    ] = 180.0
