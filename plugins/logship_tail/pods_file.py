"""Metadata of pods from a file: for demos, tests, and people without rights on the API.

    pods:
      - {namespace: shop, name: cart-5d9, uid: optional, labels: {app: cart}, annotations: {}}
    namespaces:
      - {name: shop, labels: {team: retail}}

YAML or JSON; every scalar is text, whatever it looks like, as in the API. The file is looked at
four times a second: for a file written in place inotify has only the events that cost a wakeup a
line for logs. A file that is missing or wrong is complained about, and what was known stays known.
"""

from contextlib import suppress

import msgspec
import yaml

from logship.api import Context
from logship_tail.complaints import Complaints
from logship_tail.pods import Namespace, Pod, Pods

MAX_BYTES = 16 * 1024 * 1024
# libyaml, where PyYAML has it: without it the pods of a full node take a quarter of a second.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class PodsFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pods: list[Pod]
    namespaces: list[Namespace] = []


def parse(text: str) -> PodsFile:
    """Raises ValueError with what is wrong and where."""
    if text.startswith("{"):
        with suppress(msgspec.MsgspecError):  # as YAML it may be right, and is told about if not
            return msgspec.json.decode(text, type=PodsFile)  # a hundred times as fast
    try:
        document = yaml.load(text, Loader=_LOADER)  # noqa: S506 (makes only texts)
        return msgspec.convert(document, PodsFile)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise ValueError(str(error)) from error


class PodsFromFile:
    def __init__(
        self, path: str, context: Context, complaints: Complaints, look_secs: float = 0.25
    ) -> None:
        self._path = path
        self._context = context
        self._complaints = complaints
        self._look_secs = look_secs

    async def run(self, pods: Pods) -> None:
        """Until cancelled."""
        world = self._context.world
        seen: object = None
        while True:
            try:
                seen = self._look(pods, seen)
            except (OSError, ValueError) as error:
                self._complaints.say("cannot read the metadata of pods", f"{self._path}: {error}")
            pods.forget_old()
            await world.clock.sleep(self._look_secs)

    def _look(self, pods: Pods, seen: object) -> object:
        """What the file was like, to be compared at the next look. Raises OSError, ValueError."""
        disk = self._context.world.disk
        stat = disk.stat(self._path)
        if stat is None:
            raise FileNotFoundError("it does not exist")
        if stat != seen:
            found = parse(disk.read_text(self._path, MAX_BYTES))
            pods.replace_namespaces(found.namespaces)
            pods.replace(found.pods)
        return stat
