"""Whether logs are there and may be read, and metadata is to be had: for `logship check`.

The sources' own scanners look, once, and without watching; each log that they find is opened.
"""

import logging
from collections.abc import Iterable, Sequence

from logship.api import Context, Disk, Finding
from logship_tail.complaints import Complaints
from logship_tail.discovery import Scanner
from logship_tail.pod_tree import PodScanner, PodTree
from logship_tail.pods_file import MAX_BYTES, parse
from logship_tail.watching import Watcher

MAX_NAMED = 5
_AS_ROOT = "the agent needs user 0, or a group that may read them; without capabilities too"


class Heard(Complaints):
    """Keeps what is complained about."""

    def __init__(self, log: logging.Logger) -> None:
        super().__init__(log)
        self.findings: list[Finding] = []

    def say(self, cause: str, name: str, what_to_do: str = "") -> None:
        self.findings.append(Finding(name, "warning", cause, what_to_do))


def check_pods(tree: PodTree, watcher: Watcher, context: Context) -> list[Finding]:
    disk, heard = context.world.disk, Heard(context.log)
    if disk.stat(tree.root) is not None:
        return check_logs(PodScanner(tree, watcher, context, heard), disk, heard)
    reason = "it does not exist, or this user may not look at it"
    advice = "on a node, mount it into the pod (hostPath); elsewhere set `root`"
    return [Finding(f"`root` {tree.root}", "failed", reason, advice)]


def check_prefixes(prefixes: Iterable[str], disk: Disk) -> list[Finding]:
    reason = "it does not exist (yet), or this user may not look at it"
    missing = [prefix for prefix in dict.fromkeys(prefixes) if disk.stat(prefix) is None]
    return [Finding(f"the directory {prefix}", "warning", reason) for prefix in missing]


def check_logs(scanner: Scanner, disk: Disk, heard: Heard) -> list[Finding]:
    """How many logs there are, and which cannot be read."""
    refused: list[str] = []
    count = 0
    try:
        for place in sorted(scanner.places(None)):
            for seen in scanner.look(place).values():
                log = scanner.admit(seen)
                if log is None:
                    continue
                count += 1
                refused += _refused(f"{log.directory}/{log.name}", log.roots, disk)
    except OSError as error:
        return [Finding("its logs", "failed", f"cannot be looked for: {error}", _AS_ROOT)]
    if refused:
        reason = f"{len(refused)} of {count} cannot be read: {'; '.join(refused[:MAX_NAMED])}"
        return [*heard.findings, Finding("its logs", "failed", reason, _AS_ROOT)]
    if not count:
        return [*heard.findings, Finding("its logs", "warning", "there are none now")]
    return [*heard.findings, Finding("its logs", "ok", f"{count} can be read")]


def _refused(path: str, roots: Sequence[str], disk: Disk) -> list[str]:
    try:
        disk.close(disk.open(path, roots))
    except FileNotFoundError:  # rotated just now
        return []
    except OSError as error:
        return [f"{path} ({error.strerror or error})"]
    return []


async def check_metadata(source: object, path: str | None, context: Context) -> list[Finding]:
    """`source`: who gets the metadata; None: nobody."""
    from logship_tail.api_server import Failed
    from logship_tail.pods_api import PodsFromApi

    about = "metadata of pods"
    if source is None:
        return [Finding(about, "ok", "none is asked for (`metadata.from`)")]
    if isinstance(source, PodsFromApi):
        try:
            count = await source.probe()
        except Failed as failed:
            return [Finding(about, "failed", str(failed))]
        return [Finding(about, "ok", f"the API server tells of {count} pods on this node")]
    try:
        pods = parse(context.world.disk.read_text(path or "", MAX_BYTES)).pods
    except (OSError, ValueError) as error:
        return [Finding(about, "failed", f"{path}: {error}")]
    return [Finding(about, "ok", f"{path} tells of {len(pods)} pods")]
