"""The tasks of an agent, by what they do and for whom.

None of them ends by itself: `ended` is set when one does, and then the agent ends too. The one
exception is the task that waits for the word to stop.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Literal

Work = Literal["stops", "finds", "reads", "sends", "keeps"]


class Running:
    def __init__(self) -> None:
        self._tasks: dict[tuple[Work, object], asyncio.Task[None]] = {}
        self._failed: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()
        """One has ended: the agent was told to stop, or has a bug."""

    def start(self, work: Work, of: object, what: Coroutine[None, None, None]) -> None:
        """`of`: what the task belongs to; one that does the same for it must have been ended."""
        task = asyncio.get_running_loop().create_task(what)
        self._tasks[work, of] = task
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        if self._failed is None and task.exception() is not None:
            self._failed = task
        self.ended.set()

    async def end(self, *works: Work, of: object = None) -> None:
        """End those that do one of these works, for `of` or (None) for all."""
        keys = [key for key in self._tasks if key[0] in works and of in (None, key[1])]
        await cancel([self._tasks.pop(key) for key in keys])

    def check(self) -> None:
        """Raises what ended a task, if that was an error."""
        if self._failed is not None:
            self._failed.result()


async def unless(event: asyncio.Event, work: Coroutine[None, None, None]) -> bool:
    """Do the work; False: the event came before it was done, and it was cancelled."""
    doing = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait([doing, waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        if not doing.done():
            await cancel([doing])
    if doing.cancelled():
        return False
    doing.result()
    return True


async def cancel(tasks: Iterable[asyncio.Future[None]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError, Exception):
            await task
