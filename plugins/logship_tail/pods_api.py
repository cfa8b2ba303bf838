"""Metadata of this node's pods from the API server, and of all namespaces if that is wanted.

Pods are those of one node: the API server has an index of them. Namespaces are few and hardly ever
change; still each agent watches all of them, so it is an option.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from logship.api import Context
from logship_tail.api_server import Resource, Server
from logship_tail.pod_events import Object
from logship_tail.pods import Pods
from logship_tail.reflecting import Copy, Reflector, Timing, Words

_OF_PODS = Words("metadata of pods is out of date:", "metadata of pods is up to date again")
_OF_NAMESPACES = Words(
    "labels of namespaces are out of date:", "labels of namespaces are up to date again"
)


class PodsFromApi:
    def __init__(
        self,
        server: Server,
        context: Context,
        *,
        namespaces: bool = False,
        timing: Timing | None = None,
    ) -> None:
        clock, log, timing = context.world.clock, context.log, timing or Timing()
        of_node = Resource("pods", f"spec.nodeName={context.node}")
        self._pods = Reflector(server, of_node, _OF_PODS, clock, log, timing)
        self._namespaces: Reflector | None = None
        if namespaces:
            every = Resource("namespaces")
            self._namespaces = Reflector(server, every, _OF_NAMESPACES, clock, log, timing)

    async def run(self, pods: Pods) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pods.run(CopyOfPods(pods)))
            if self._namespaces is not None:
                group.create_task(self._namespaces.run(CopyOfNamespaces(pods)))

    async def probe(self) -> int:
        """List once: how many pods this node has. Raises Failed."""
        counted = Counted()
        await self._pods.probe(counted)
        return counted.count


@dataclass(frozen=True, slots=True)
class CopyOfPods(Copy):
    pods: Pods

    def replace(self, objects: Sequence[Object]) -> None:
        self.pods.replace([object.pod() for object in objects])

    def put(self, object: Object) -> None:
        self.pods.put(object.pod())

    def remove(self, object: Object) -> None:
        self.pods.remove(object.pod())

    def forget_old(self) -> None:
        self.pods.forget_old()


@dataclass(slots=True)
class Counted(Copy):
    """Keeps nothing."""

    count: int = 0

    def replace(self, objects: Sequence[Object]) -> None:
        self.count = len(objects)

    def put(self, object: Object) -> None:
        self.count += 1

    def remove(self, object: Object) -> None:
        self.count -= 1

    def forget_old(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class CopyOfNamespaces(Copy):
    pods: Pods

    def replace(self, objects: Sequence[Object]) -> None:
        self.pods.replace_namespaces([object.namespace() for object in objects])

    def put(self, object: Object) -> None:
        self.pods.put_namespace(object.namespace())

    def remove(self, object: Object) -> None:
        self.pods.remove_namespace(object.namespace())

    def forget_old(self) -> None:
        self.pods.forget_old()
