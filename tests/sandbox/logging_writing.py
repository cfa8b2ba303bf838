"""One request of entries:write to the sandbox, and what came of it."""

from collections.abc import Awaitable, Callable, Mapping

from logship_sandbox.client import Rest
from logship_sandbox.server import Sandbox

Run = Callable[[Callable[[Sandbox, Rest], Awaitable[None]]], None]
RESOURCE = {"type": "k8s_container", "labels": {"pod_name": "web-1"}}
LOG = "projects/p/logs/stdout"


def entry(**fields: object) -> dict[str, object]:
    return {"logName": LOG, "resource": RESOURCE, "textPayload": "x", **fields}


def write_and_list(run: Run, body: Mapping[str, object]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []

    async def test(_: Sandbox, rest: Rest) -> None:
        answer = await rest.write(body)
        assert answer.status == 200, answer.body
        found.extend((await rest.list()).entries)

    run(test)
    return found


def refused(run: Run, body: object) -> str:
    """The message of the 400 that `body` gets; nothing may be stored."""
    messages: list[str] = []

    async def test(sandbox: Sandbox, rest: Rest) -> None:
        answer = await rest.write(body)
        assert answer.status == 400
        assert answer.error["status"] == "INVALID_ARGUMENT"
        assert len(sandbox.logging.store) == 0
        messages.append(answer.message)

    run(test)
    return messages[0]
