"""The agent's own log: JSON lines on stderr, in the form Cloud Logging reads; quiet by default."""

import logging

import orjson

from logship.rows.address import time_text

_SEVERITY = {"WARNING": "WARNING", "ERROR": "ERROR", "CRITICAL": "CRITICAL", "DEBUG": "DEBUG"}


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "severity": _SEVERITY.get(record.levelname, "INFO"),
            "time": time_text(int(record.created * 1e9)),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["stack_trace"] = self.formatException(record.exc_info)
        return orjson.dumps(entry).decode()


def set_up(level: str) -> logging.Logger:
    """The logger `logship`; everything below it goes to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("logship")
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(level.upper())
    return logger
