"""The source: tells the catalog of containers that come and go, by inotify or by looking."""

import msgspec

from logship.api import Catalog, Context, Cutting, LogFile, Origin, Rotation, Source, StartFrom
from tests.simulation.storm import ROTATION_BYTES, ROTATION_FILES
from tests.simulation.watching import SimWorld

MAX_ROW_BYTES = 16 * 1024
ROTATION = Rotation(ROTATION_BYTES, ROTATION_FILES)


class SimSourceOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    start_from: StartFrom = "beginning"


class SimSource(Source):
    """Finds the simulated containers."""

    config = SimSourceOptions

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        super().__init__(config, context)
        assert isinstance(context.world, SimWorld)
        self._directories = context.world.life.directories
        self._known: set[str] = set()

    async def run(self, catalog: Catalog) -> None:
        for directory in list(self._directories.origins):
            self._look(catalog, directory)
        catalog.complete()
        while True:
            for directory in await self._directories.wait():
                self._look(catalog, directory)

    def _look(self, catalog: Catalog, directory: str) -> None:
        origin = self._directories.origins.get(directory)
        names = {entry.name for entry in self.context.world.disk.scan(directory)}
        if origin is None or not (names or directory in self._known):
            return
        if not names:
            catalog.retire(origin.key)
        elif directory in self._known:
            catalog.touch(origin.key)
        else:
            self._known.add(directory)
            fresh = Origin(origin.key, origin.labels)  # the engine writes to it
            cutting = Cutting("cri", MAX_ROW_BYTES)
            catalog.add(fresh, LogFile(directory, "0.log", cutting, rotation=ROTATION))
