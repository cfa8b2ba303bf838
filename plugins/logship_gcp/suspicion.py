"""Whose fault a refusal is: the rows', or that of what they are sent to. No I/O.

Pub/Sub and BigQuery may refuse a request without saying which row is the cause, and a topic's
schema or a changed table makes them refuse every row. Rows are to blame only where others are
taken: in the same write, or, when nothing of a write is taken, in another one since this began.
Until then they wait, so that a mistake in a schema costs no row its place.
"""


class Suspicion:
    """Of one destination."""

    def __init__(self) -> None:
        self._taken = 0
        self._since: int | None = None

    def took(self) -> None:
        """It has taken rows."""
        self._taken += 1

    def blames_rows(self) -> bool:
        """Asked when it refused all of a write; False: the rows are to wait."""
        if self._since is not None and self._taken > self._since:
            self._since = None
            return True
        if self._since is None:
            self._since = self._taken
        return False
