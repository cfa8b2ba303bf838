"""A source from its start to its end: whenever it ends by itself, it is started again."""

from logship.assembly import BuiltSource
from logship.outcome import ConfigError
from logship.source_catalog import SourceCatalog
from logship.world import Clock

RESTART_SECS = 5.0


async def run_source(built: BuiltSource, catalog: SourceCatalog, clock: Clock) -> None:
    """Until cancelled."""
    name, log = built.name, built.log
    while True:
        catalog.begin()
        try:
            await built.source.run(catalog)
            log.error("source %s ended; it starts again", name)
        except ConfigError as error:
            log.error("source %s: %s", name, error)
        except Exception as error:
            log.error("a bug in source %s; it starts again", name, exc_info=error)
        await clock.sleep(RESTART_SECS)
