"""Options that bound what the agent holds: memory, deleted files, dead letters.

`Options` is the base of these and of all other mappings of options.
"""

from typing import Annotated

import msgspec
from msgspec import Meta


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every mapping of options."""


class MemoryConfig(Options, frozen=True, kw_only=True):
    """What the agent may hold in memory."""

    max_bytes: Annotated[
        int,
        Meta(
            ge=1 << 20,
            description="Bound of the bytes held by all batches in flight; reading waits above "
            "it. Each route has a part of its own, enough for one write; the rest goes to those "
            "that need it. The process needs about 60MiB beside.",
        ),
    ] = 64 << 20


class HeldConfig(Options, frozen=True, kw_only=True):
    """Deleted log files that are held open until they are delivered.

    Beyond a bound the oldest are let go, and what was not read of them is lost and counted.
    """

    max_bytes: Annotated[
        int,
        Meta(
            ge=0,
            description="Bound of the bytes in deleted files that some route has not delivered. "
            "They are still on the disk of the logs.",
        ),
    ] = 2 << 30
    max_files: Annotated[
        int, Meta(ge=0, description="Bound of the number of such files; each takes a descriptor.")
    ] = 10_000
    min_free_percent: Annotated[
        float,
        Meta(
            ge=0,
            le=100,
            description="They are also let go when less of their file system is free. Keep it "
            "above the kubelet's threshold `nodefs.available` (10 %), at which it evicts pods.",
        ),
    ] = 12.0


class DeadLettersConfig(Options, frozen=True, kw_only=True):
    """Where rows go that a sink refuses for good."""

    dir: Annotated[
        str | None,
        Meta(min_length=1, description="Directory. Default: `deadletters` in `state_dir`."),
    ] = None
    max_bytes: Annotated[
        int,
        Meta(
            ge=1 << 20,
            description="Bound of all dead-letter files; when they are full, the route waits.",
        ),
    ] = 1 << 30
    max_age_secs: Annotated[float, Meta(gt=0, description="Files older than this are deleted.")] = (
        7 * 86400.0
    )
