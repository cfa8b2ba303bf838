"""The world: the only place that touches os, time and threads.

The engine reaches files through `Disk`, time through `Clock` and threads through `Offload`, and a
simulation can stand in for each of them. Nothing here decides anything.
"""

from dataclasses import dataclass

from logship.world.clock import Clock
from logship.world.disk import DirEntry, Disk, Space, Stat
from logship.world.offload import Offload

__all__ = ["Clock", "DirEntry", "Disk", "Offload", "Space", "Stat", "World"]


@dataclass(frozen=True, slots=True)
class World:
    clock: Clock
    disk: Disk
    offload: Offload
