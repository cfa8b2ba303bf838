"""Faults on request, and the counts of what they did."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import aiohttp
import orjson
import pytest

from logship_sandbox.client import Rest
from logship_sandbox.faults import Action, Fault, Faults, decide
from logship_sandbox.server import Options, Sandbox

Run = Callable[..., None]
Test = Callable[[Sandbox, Rest], Awaitable[None]]
ENTRY = {"logName": "projects/p/logs/a", "resource": {"type": "global"}, "textPayload": "x"}


def test_shares_are_met_by_a_seeded_die() -> None:
    faults = Faults()
    fault = Fault(
        share_429=0.1, share_503=0.2, share_dropped=0.1, share_lost=0.1, share_hung=0.1, seed=7
    )
    faults.set("logging", fault)
    first = [faults.next("logging") for _ in range(4000)]
    seen = Counter((v.action, v.code) for v in first)
    assert abs(seen[Action.FAIL, 503] - 800) < 120
    for key in ((Action.FAIL, 429), (Action.DROP, 0), (Action.LOSE, 0), (Action.HANG, 0)):
        assert abs(seen[key] - 400) < 90
    faults.set("logging", fault)
    assert [faults.next("logging") for _ in range(4000)] == first


def test_a_stop_ends_by_itself() -> None:
    fault = Fault(stop_secs=3)
    assert decide(fault, 2.9, 0).action is Action.DROP
    assert decide(fault, 3.0, 0).action is Action.SERVE


def test_a_service_without_a_fault_serves() -> None:
    faults = Faults()
    faults.set("pubsub", Fault(refuse=403))
    assert faults.next("logging").action is Action.SERVE
    assert faults.next("pubsub").code == 403
    faults.clear()
    assert faults.next("pubsub").action is Action.SERVE


@pytest.mark.parametrize(
    "value",
    [
        {"latency": 1},
        {"share_429": 1.1},
        {"share_429": 0.6, "share_503": 0.6},
        {"share_429": -0.1},
        {"refuse": 500},
        {"refuse": "403"},
        {"partial_every": 1.5},
        {"latency_secs": True},
        {"stop_secs": -1},
        {"service": "mail", "refuse": 403},
    ],
)
def test_a_fault_that_makes_no_sense_is_a_400(with_sandbox: Run, value: dict[str, object]) -> None:
    async def test(sandbox: Sandbox, rest: Rest) -> None:
        assert (await rest.post("/sandbox/faults", value)).status == 400
        assert (await rest.write({"entries": [ENTRY]})).status == 200

    with_sandbox(test)


@pytest.mark.parametrize(
    ("fault", "status", "name"),
    [
        ({"share_429": 1}, 429, "RESOURCE_EXHAUSTED"),
        ({"share_503": 1}, 503, "UNAVAILABLE"),
        ({"refuse": 401}, 401, "UNAUTHENTICATED"),
        ({"refuse": 403}, 403, "PERMISSION_DENIED"),
        ({"refuse": 404}, 404, "NOT_FOUND"),
    ],
)
def test_a_failing_call_stores_nothing_until_the_fault_is_deleted(
    with_sandbox: Run, fault: dict[str, float], status: int, name: str
) -> None:
    async def test(sandbox: Sandbox, rest: Rest) -> None:
        set_fault = await rest.post("/sandbox/faults", {"service": "logging", **fault})
        assert set_fault.status == 200
        answer = await rest.write({"entries": [ENTRY]})
        assert (answer.status, answer.error["status"]) == (status, name)
        assert len(sandbox.logging.store) == 0
        await rest.delete("/sandbox/faults")
        assert (await rest.write({"entries": [ENTRY]})).status == 200
        stats = orjson.loads(await rest.get("/sandbox/stats"))["logging"]
        assert stats["errors"] == {str(status): 1}
        assert (stats["requests"], stats["entries"], stats["stored"]) == (2, 1, 1)
        assert stats["bytes"] == 2 * len(orjson.dumps({"entries": [ENTRY]}))

    with_sandbox(test)


@pytest.mark.parametrize(
    ("fault", "stored"),
    [
        (Fault(share_dropped=1), 0),
        (Fault(stop_secs=60), 0),
        (Fault(share_lost=1), 1),  # the answer was lost, not the entry
    ],
)
def test_a_broken_connection_gives_no_answer(with_sandbox: Run, fault: Fault, stored: int) -> None:
    async def test(sandbox: Sandbox, rest: Rest) -> None:
        sandbox.faults.set("logging", fault)
        with pytest.raises(aiohttp.ClientConnectionError):
            await rest.write({"entries": [ENTRY]})
        assert len(sandbox.logging.store) == stored

    with_sandbox(test)


def test_a_hung_call_is_taken_and_never_answered(with_sandbox: Run) -> None:
    async def test(sandbox: Sandbox, rest: Rest) -> None:
        sandbox.faults.set("logging", Fault(share_hung=1))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await rest.write({"entries": [ENTRY]})
        assert sandbox.logging.counts.errors == {"hang": 1}
        assert len(sandbox.logging.store) == 0

    with_sandbox(test)


def test_closing_ends_hung_calls(with_sandbox: Run) -> None:
    async def test(sandbox: Sandbox, rest: Rest) -> None:
        sandbox.faults.set("logging", Fault(share_hung=1))
        call = asyncio.create_task(rest.write({"entries": [ENTRY]}))
        while not sandbox.logging.counts.errors:
            await asyncio.sleep(0)
        await sandbox.close()
        assert (await call).status == 503

    with_sandbox(test)


def test_latency_comes_before_the_answer(with_sandbox: Run) -> None:
    async def test(sandbox: Sandbox, rest: Rest) -> None:
        sandbox.faults.set("logging", Fault(latency_secs=0.05))
        loop = asyncio.get_running_loop()
        started = loop.time()
        assert (await rest.write({"entries": [ENTRY]})).status == 200
        assert loop.time() - started >= 0.05

    with_sandbox(test)


@pytest.mark.parametrize("partial", [True, False])
def test_partial_errors_refuse_the_same_entries_on_every_try(
    with_sandbox: Run, partial: bool
) -> None:
    async def test(sandbox: Sandbox, rest: Rest) -> None:
        sandbox.faults.set("logging", Fault(partial_every=3, seed=1))
        entries = [{**ENTRY, "insertId": f"{n}"} for n in range(90)]
        body = {"partialSuccess": partial, "entries": entries}
        first, second = await rest.write(body), await rest.write(body)
        assert first == second
        assert first.status == 403
        stored = (await rest.list(pageSize=100)).entries
        if not partial:
            assert not stored
            assert "details" not in first.error
            return
        refused = first.error["details"][0]["logEntryErrors"]  # type: ignore[index]
        assert 15 < len(refused) < 45
        kept = {int(str(e["insertId"])) for e in stored}
        assert kept == set(range(90)) - {int(place) for place in refused}

    with_sandbox(test)


def test_discard_counts_entries_and_distinct_ids(with_sandbox: Run) -> None:
    async def test(sandbox: Sandbox, rest: Rest) -> None:
        entries = [{**ENTRY, "insertId": f"{n}"} for n in range(10)]
        await rest.write({"entries": entries})
        await rest.write({"entries": entries[:5]})
        assert (await rest.write({"entries": [ENTRY]})).status == 400
        assert (await rest.write(b'{"entries":[')).status == 400
        stats = orjson.loads(await rest.get("/sandbox/stats"))["logging"]
        assert (stats["entries"], stats["distinct_ids"], stats["stored"]) == (15, 10, 0)

    with_sandbox(test, Options(discard=True))


def test_a_poisoned_request_is_refused_as_a_whole_and_not_said_why(with_sandbox: Run) -> None:
    async def test(sandbox: Sandbox, rest: Rest) -> None:
        await rest.post("/sandbox/faults", {"poison": "arsenic"})
        entries = [ENTRY, ENTRY | {"textPayload": "with arsenic"}]
        refused = await rest.write({"entries": entries, "partialSuccess": True})
        assert refused.status == 400
        assert "arsenic" not in refused.message
        assert (await rest.write({"entries": [ENTRY]})).status == 200
        await rest.delete("/sandbox/faults")
        assert (await rest.write({"entries": entries})).status == 200

    with_sandbox(test)


def test_a_poison_is_a_text(with_sandbox: Run) -> None:
    async def test(sandbox: Sandbox, rest: Rest) -> None:
        assert (await rest.post("/sandbox/faults", {"poison": 7})).status == 400

    with_sandbox(test)


def test_a_throttled_call_may_be_told_when_to_come_again(with_sandbox: Run) -> None:
    async def test(sandbox: Sandbox, rest: Rest) -> None:
        sandbox.faults.set("logging", Fault(share_429=1, retry_after_secs=7))
        url = sandbox.environment()["LOGSHIP_LOGGING_ENDPOINT"] + "/v2/entries:write"
        async with aiohttp.ClientSession() as session, session.post(url, json={}) as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "7")

    with_sandbox(test)
