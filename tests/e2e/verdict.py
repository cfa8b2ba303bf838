"""What a run with kills came to: every promise that was broken and what happened when, at once.

A run cannot be had again (moments are the machine's), so a failure has to say all that is known.
"""

import json
from collections.abc import Mapping, Sequence

from tests.e2e.account import Account
from tests.e2e.agent_process import Agent
from tests.e2e.traffic import Traffic

_MAX_SENTENCES = 500


def judge(
    accounts: Mapping[str, Account],
    written: Mapping[str, int],
    traffic: Traffic,
    processes: Sequence[Agent],
) -> None:
    """Fails where an account is not complete, or a process tells of loss, in any of its lives."""
    broken = [
        f"{name}: {sentence}"
        for name, account in accounts.items()
        for sentence in account.broken(written)
    ]
    for process in processes:
        broken += process.status().trouble
        broken += [text for text in loud_lines(process) if " lost " in text or "a bug in" in text]
    if broken:
        story = [*traffic.story]
        for process in processes:
            story += [*process.story, *loud_lines(process)]
        parts = [f"{len(broken)} promises are broken:", *broken[:_MAX_SENTENCES], "What happened:"]
        raise AssertionError("\n".join([*parts, *sorted(story)]))


def loud_lines(process: Agent) -> list[str]:
    """What its log says beyond INFO, in all lives; a line is torn where it was killed."""
    found = []
    for text in process.log().splitlines():
        try:
            said = json.loads(text)
        except json.JSONDecodeError:
            continue
        if said["severity"] != "INFO":
            found.append(f"{said['time']} {process.log_path.stem}: {said['message']}")
    return found
