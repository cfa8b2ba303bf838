"""Kills processes with SIGKILL at moments nobody can foresee, and starts them again at once."""

import os
import random
import threading
import time
from collections.abc import Sequence

from tests.e2e.agent_process import Agent

MIN_SECS, MAX_SECS = 0.2, 5.0
NETWORK = {"latency_secs": 0.15, "share_lost": 0.02}
"""A fault of the sandbox while processes are killed: calls take as long as to a real service, so
that a kill finds some on their way, and of some the answer never comes."""


def seed_of_the_run() -> int:
    """`LOGSHIP_E2E_SEED` repeats a run; without it every run is another one."""
    given = os.environ.get("LOGSHIP_E2E_SEED")
    return int(given) if given else random.SystemRandom().randrange(1 << 32)


def kills_of_the_run() -> int:
    return int(os.environ.get("LOGSHIP_E2E_KILLS", "20"))


def kill_again_and_again(victims: Sequence[Agent], kills: int, seed: int) -> None:
    """Each victim is killed so many times, at moments of its own, and started again."""
    threads = []
    errors: list[BaseException] = []
    for number, victim in enumerate(victims):
        dice = random.Random(f"{seed}/{number}")
        delays = [dice.uniform(MIN_SECS, MAX_SECS) for _ in range(kills)]
        threads.append(threading.Thread(target=_kill_each, args=(victim, delays, errors)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(kills * (MAX_SECS + 5.0))
    if errors:
        raise errors[0]


def _kill_each(victim: Agent, delays: Sequence[float], errors: list[BaseException]) -> None:
    try:
        for delay in delays:
            time.sleep(delay)  # the moment is the test: there is no event to wait for
            assert victim.alive, f"it ended before it was killed:\n{victim.log()[-3000:]}"
            victim.kill()
            victim.start(wait=False)
    except BaseException as error:
        errors.append(error)
