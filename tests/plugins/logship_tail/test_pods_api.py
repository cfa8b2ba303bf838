"""Metadata of pods from the API, in all the ways it can fail, over real TLS on loopback."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import aiohttp.web
import pytest
from logship_tail.api_server import retry_after
from logship_tail.pod_events import MAX_LINE_BYTES
from logship_tail.reflecting import Timing

from tests.plugins.logship_tail.api_stub import (
    End,
    answer,
    bookmark,
    drop,
    event,
    gone_event,
    never,
    serving,
)
from tests.plugins.logship_tail.following import following, web
from tests.plugins.logship_tail.recording import BOUND_SECS


def test_one_list_of_this_node_from_memory_then_a_watch_from_its_version(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.pods = [web("one")]
            async with following(stub, tmp_path) as known:
                await known.until_app("one")
                stub.stream.put_nowait(event("MODIFIED", web("two")))
                await known.until_app("two")
                assert len(stub.requests) == 2
                assert dict(stub.lists[0].query) == {
                    "fieldSelector": "spec.nodeName=node-1", "resourceVersion": "0",
                }  # fmt: skip
                assert dict(stub.watches[0].query) == {
                    "fieldSelector": "spec.nodeName=node-1", "resourceVersion": "1000",
                    "watch": "1", "allowWatchBookmarks": "true",
                }  # fmt: skip

    asyncio.run(scenario())


def test_events_cut_anywhere_are_put_together(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub, following(stub, tmp_path) as known:
            content = event("ADDED", web("one")) + bookmark("8") + event("MODIFIED", web("two"))
            for position in range(0, len(content), 7):
                stub.stream.put_nowait(content[position : position + 7])
            await known.until_app("two")
            assert len(stub.requests) == 2

    asyncio.run(scenario())


@pytest.mark.parametrize("end", End)
def test_a_watch_that_ended_goes_on_from_the_last_version_without_a_list(
    tmp_path: Path, end: End
) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.pods = [web("one")]
            async with following(stub, tmp_path) as known:
                await known.until_app("one")
                stub.stream.put_nowait(event("MODIFIED", web("two")))
                await known.until_app("two")
                for piece in (bookmark("1234"), end, event("MODIFIED", web("three"))):
                    stub.stream.put_nowait(piece)
                await known.until_app("three")
                versions = [watch.query["resourceVersion"] for watch in stub.watches]
                assert versions == ["1000", "1234"]
                assert len(stub.lists) == 1

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "trouble",
    [gone_event(), b"not json\n", b"x" * (MAX_LINE_BYTES + 2),
     event("ERROR", {"code": 500, "message": "etcd"})],
    ids=["410 event", "not JSON", "endless line", "error"],
)  # fmt: skip
def test_after_a_watch_that_cannot_go_on_pods_are_listed_again(
    tmp_path: Path, trouble: bytes
) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.pods = [web("one")]
            async with following(stub, tmp_path) as known:
                await known.until_app("one")
                stub.pods, stub.version = [web("two")], "2000"
                stub.stream.put_nowait(trouble)
                await known.until_app("two")
                stub.stream.put_nowait(event("MODIFIED", web("three")))
                await known.until_app("three")
                assert stub.watches[-1].query["resourceVersion"] == "2000"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "trouble",
    [answer(410), answer(500), answer(429), answer(403), answer(200, b"[]"), answer(200, b"{"),
     answer(302), drop],
    ids=["410", "500", "429", "403", "wrong JSON", "torn JSON", "redirect", "lost"],
)  # fmt: skip
@pytest.mark.parametrize("before", [0, 1], ids=["list", "watch"])
def test_after_a_failed_request_pods_are_asked_for_again(
    tmp_path: Path, trouble: Callable[..., object], before: int
) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            ok = answer(200, b'{"metadata":{"resourceVersion":"1"},"items":[]}')
            stub.answers.extend([ok] * before)
            stub.answers.append(trouble)  # type: ignore[arg-type]
            stub.pods = [web("one")]
            # aiohttp itself repeats a request whose reused connection was closed
            stub.stream.put_nowait(event("ADDED", web("one")))
            async with following(stub, tmp_path) as known:
                await known.until_app("one")

    asyncio.run(scenario())


def test_a_version_that_is_too_old_is_nobodys_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            empty = answer(200, b'{"metadata":{"resourceVersion":"1"},"items":[]}')
            stub.answers.extend([empty, answer(410)])
            stub.pods = [web("one")]
            async with following(stub, tmp_path) as known:
                await known.until_app("one")
                stub.pods = [web("two")]
                stub.stream.put_nowait(gone_event())
                await known.until_app("two")

    with caplog.at_level(logging.INFO):
        asyncio.run(scenario())
    assert not caplog.records


def test_a_watch_that_falls_silent_is_left(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.pods = [web("one")]
            timing = Timing(start_secs=0.0, silence_secs=0.2, pause_secs=0.01, max_pause_secs=0.05)
            async with following(stub, tmp_path, timing) as known:
                await known.until_app("one")
                async with asyncio.timeout(BOUND_SECS):
                    while len(stub.watches) < 2:
                        await asyncio.sleep(0.005)
                assert len(stub.lists) == 1

    asyncio.run(scenario())


def test_a_server_that_never_answers_is_asked_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.answers.append(never)
            stub.pods = [web("one")]
            timing = Timing(start_secs=0.0, answer_secs=0.2, pause_secs=0.01, max_pause_secs=0.05)
            async with following(stub, tmp_path, timing) as known:
                await known.until_app("one")

    asyncio.run(scenario())


def test_a_token_that_has_rotated_is_read_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.pods = [web("one")]
            async with following(stub, tmp_path) as known:
                await known.until_app("one")
                stub.token = "second"
                stub.stream.put_nowait(End.CLEAN)
                async with asyncio.timeout(BOUND_SECS):
                    while len(stub.watches) < 3:  # refused with the first token, and again
                        await asyncio.sleep(0.005)
                stub.stream.put_nowait(event("MODIFIED", web("two")))
                assert known.app() == "one"
                (tmp_path / "token").write_text("second")
                await known.until_app("two")

    asyncio.run(scenario())


def test_a_server_with_a_foreign_certificate_gets_no_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "other").mkdir()

    async def scenario() -> None:
        other = tmp_path / "other"
        async with serving(tmp_path) as stub, serving(other), following(stub, other) as known:
            async with asyncio.timeout(BOUND_SECS):
                while "CERTIFICATE_VERIFY_FAILED" not in caplog.text:
                    await asyncio.sleep(0.005)
            assert not known.labels("web", "u1").known
            assert not stub.requests

    asyncio.run(scenario())


def test_failures_are_said_once_and_their_end_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.answers.extend([answer(403)] * 5)
            stub.pods = [web("one")]
            async with following(stub, tmp_path) as known:
                await known.until_app("one")
                for app in ("two", "three"):
                    stub.stream.put_nowait(End.CLEAN)
                    stub.stream.put_nowait(event("MODIFIED", web(app)))
                    await known.until_app(app)

    with caplog.at_level(logging.INFO):
        asyncio.run(scenario())
    said = [r.message for r in caplog.records]
    assert len(said) == 2
    assert "get, list and watch on pods" in said[0]
    assert "up to date again" in said[1]


@pytest.mark.parametrize(
    ("value", "secs"),
    [("3", 3.0), ("", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0), ("99999", 300.0), ("-1", 0.0)],
)
def test_the_server_may_ask_to_wait(value: str, secs: float) -> None:
    assert retry_after(value) == secs


def test_a_server_that_is_too_busy_is_left_alone_for_as_long_as_it_asks(tmp_path: Path) -> None:
    async def busy(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        return aiohttp.web.Response(status=429, headers={"Retry-After": "1"})

    async def scenario() -> None:
        async with serving(tmp_path) as stub:
            stub.answers.append(busy)
            stub.pods = [web("one")]
            began = asyncio.get_running_loop().time()
            async with following(stub, tmp_path) as known:
                await known.until_app("one")
                assert asyncio.get_running_loop().time() - began >= 1.0
                assert len(stub.lists) == 2

    asyncio.run(scenario())
