"""Sinks are started one after the other, and closed together."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from logship.api import Sink
from logship.build import at
from logship.outcome import ConfigError

CLOSE_SECS = 10.0


async def start_sinks(sinks: Mapping[str, Sink], started: list[Sink]) -> None:
    """Those that are open then are in `started`. Raises ConfigError, or whatever a sink raises."""
    for name, sink in sinks.items():
        try:
            await sink.start()
        except ConfigError as error:
            raise at(f"sinks.{name}", error) from error
        started.append(sink)


async def close_sinks(sinks: Iterable[Sink], logger: logging.Logger) -> None:
    """What cannot be closed is said; nobody waits for it."""
    for sink in sinks:
        try:
            async with asyncio.timeout(CLOSE_SECS):
                await sink.close()
        except Exception as error:
            logger.warning("cannot close the sink %s", sink.context.name, exc_info=error)
