"""`null`: takes every row and forgets it."""

from collections.abc import Sequence

import msgspec

from logship.api import DELIVERED, Batch, Context, Outcome, Sink


class NullConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `null`: none."""


class Null(Sink):
    """Counts rows, each with its id, and forgets them: what reading and indexing cost alone."""

    config = NullConfig

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        super().__init__(config, context)
        self.rows = 0
        self.bytes = 0

    async def write(self, batches: Sequence[Batch]) -> Outcome:
        self.rows += sum(len(batch.ids()) for batch in batches)
        self.bytes += sum(batch.size() for batch in batches)
        return DELIVERED
