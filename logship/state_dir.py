"""One agent at a time owns a state directory: the one that holds its lock.

The lock is how an agent hands over to the next one: it is given up once the last positions are
saved, or falls free with the process that held it. Who waits asks again and again, since flock(2)
tells nobody; what it follows meanwhile it holds open.
"""

import logging

from logship.world import World

LOOK_SECS = 0.2
SAY_SECS = 60.0


class StateLock:
    def __init__(self, state_dir: str, world: World, logger: logging.Logger) -> None:
        self._dir, self._world, self._log = state_dir, world, logger
        self._fd: int | None = None
        self.waiting = False
        """Whether another agent holds it, and this one waits."""

    @property
    def held(self) -> bool:
        return self._fd is not None

    def take(self) -> bool:
        """Whether it is held now. Raises OSError when the directory cannot be used."""
        disk = self._world.disk
        try:
            disk.make_dir(self._dir)
            self._fd = disk.lock(f"{self._dir}/lock")
        except BlockingIOError:
            self.waiting = True
            return False
        except OSError as error:
            raise OSError(
                f"state_dir: {self._dir} cannot be used ({error.strerror or error}): let the "
                "agent's user write to it, or choose another directory"
            ) from error
        self.waiting = False
        return True

    async def wait(self) -> None:
        """Until it is held. Somebody else may keep it by mistake, so it is said every minute."""
        clock, said_at = self._world.clock, float("-inf")
        while not self.take():
            if clock.now() - said_at >= SAY_SECS:
                said_at = clock.now()
                self._log.warning(
                    "another agent holds %s/lock: waiting for it to end; logs are held open,"
                    " nothing is shipped", self._dir,
                )  # fmt: skip
            await clock.sleep(LOOK_SECS)

    def release(self) -> None:
        """Another agent may have it now."""
        if self._fd is not None:
            self._world.disk.close(self._fd)
            self._fd = None
