"""What a source or a sink complained about last: kept for `/status`, beside the log.

A component writes to a logger of its own; whatever it says there as a warning or worse is noted.
Its name and its parent are those of any other logger, so the log shows the lines as before. It is
not registered with `logging`, because a source and a sink may have the same name.
"""

import logging

from logship.said import Said


class Trouble(logging.Handler):
    """Of one component."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0
        """Complaints that were logged since the start."""
        self.last = Said()

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # arguments that do not fit: the log says so by itself
            message = str(record.msg)
        if record.exc_info and record.exc_info[1] is not None:
            message += f": {record.exc_info[1]}"
        self.last = Said.of(message, int(record.created * 1e9))

    def logger(self, parent: logging.Logger, name: str) -> logging.Logger:
        """A logger below `parent` whose complaints are noted here."""
        log = logging.Logger(f"{parent.name}.{name}")
        log.parent = parent
        log.addHandler(self)
        return log

    def as_dict(self, now_ns: int) -> dict[str, object]:
        """JSON-ready."""
        return {
            "complaints": self.count,
            "last_complaint": self.last.text,
            "last_complaint_age_secs": self.last.age_secs(now_ns),
        }
