"""Tokens: cached, refreshed off the loop, early, one refresh at a time."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import google.auth.credentials
import google.auth.exceptions
import pytest
from aiohttp import web
from logship_gcp.auth import DefaultCredentials, UrllibRequest
from logship_gcp.metadata_server import LOCATION, PROJECT, MetadataServer, NoMetadataServer

from logship.api import ConfigError, Retry
from tests.plugins.logship_gcp.cloud_logging.batches import make_context, run_bounded


class Tokens(google.auth.credentials.Credentials):
    """Google's own rules of expiry, with tokens that are numbers."""

    def __init__(self, lives_secs: float = 3600) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.lives_secs = lives_secs
        self.refreshes = 0
        self.fails = False
        self.threads: set[int] = set()
        self.go = threading.Event()
        self.go.set()

    def refresh(self, request: Any) -> None:
        self.threads.add(threading.get_ident())
        assert self.go.wait(10)
        if self.fails:
            raise google.auth.exceptions.RefreshError("no\nmore")  # type: ignore[no-untyped-call]
        self.refreshes += 1
        self.token = f"token-{self.refreshes}"
        self.expire_in(self.lives_secs)

    def expire_in(self, secs: float) -> None:
        now = datetime.now(UTC).replace(tzinfo=None)
        self.expiry = now + timedelta(seconds=secs)


def authorization(tokens: Tokens) -> DefaultCredentials:
    return DefaultCredentials(make_context().world, tokens)


def test_a_token_is_fetched_once_off_the_loop_for_all() -> None:
    async def run() -> None:
        tokens = Tokens()
        found = authorization(tokens)
        tokens.go.clear()
        waiting = [asyncio.create_task(found.header()) for _ in range(10)]
        await asyncio.sleep(0)  # all of them have asked
        tokens.go.set()
        headers = await asyncio.gather(*waiting)
        assert set(headers) == {"Bearer token-1"}
        assert tokens.refreshes == 1
        assert threading.get_ident() not in tokens.threads

    run_bounded(run())


def test_a_token_near_its_end_is_refreshed_while_others_use_it() -> None:
    async def run() -> None:
        tokens = Tokens()
        found = authorization(tokens)
        await found.header()
        tokens.expire_in(120)
        tokens.go.clear()
        refreshing = asyncio.create_task(found.header())
        await asyncio.sleep(0)
        assert await found.header() == "Bearer token-1"
        tokens.go.set()
        assert await refreshing == "Bearer token-2"
        assert tokens.refreshes == 2

    run_bounded(run())


def test_an_early_refresh_that_fails_leaves_the_old_token() -> None:
    async def run() -> None:
        tokens = Tokens()
        found = authorization(tokens)
        await found.header()
        tokens.expire_in(120)
        tokens.fails = True
        assert await found.header() == "Bearer token-1"

    run_bounded(run())


def test_no_token_is_a_retry_that_tells_only_the_first_line() -> None:
    async def run() -> None:
        tokens = Tokens()
        tokens.fails = True
        with pytest.raises(Retry, match=r"no token for Google Cloud: no$"):
            await authorization(tokens).header()

    run_bounded(run())


def test_a_rejected_token_is_not_used_again() -> None:
    async def run() -> None:
        tokens = Tokens()
        found = authorization(tokens)
        header = await found.header()
        found.reject(header)
        found.reject("Bearer of somebody else")
        assert await found.header() == "Bearer token-2"
        found.reject(header)  # late news of the old one
        assert await found.header() == "Bearer token-2"

    run_bounded(run())


async def served(paths: dict[str, str], failures: int = 0) -> tuple[str, web.AppRunner]:
    left = failures

    async def handle(request: web.Request) -> web.Response:
        nonlocal left
        if left:
            left -= 1
            return web.Response(status=503)
        assert request.headers["Metadata-Flavor"] == "Google"
        value = paths.get(request.match_info["path"])
        headers = {"Metadata-Flavor": "Google"}
        return web.Response(status=200 if value else 404, text=value or "", headers=headers)

    app = web.Application()
    app.router.add_get("/computeMetadata/v1/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"127.0.0.1:{runner.addresses[0][1]}", runner


def test_the_metadata_server_is_asked_again_until_it_answers() -> None:
    async def run() -> None:
        host, runner = await served({PROJECT: "p-1\n"}, failures=2)
        metadata = MetadataServer(make_context().world.clock, host=host)
        assert await metadata.get(PROJECT) == "p-1"
        assert await metadata.get(LOCATION) is None
        await runner.cleanup()

    run_bounded(run())


def test_patience_with_the_metadata_server_ends() -> None:
    async def run() -> None:
        clock = make_context().world.clock
        metadata = MetadataServer(clock, host="127.0.0.1:9", patience_secs=0.3)
        with pytest.raises(NoMetadataServer, match=r"no metadata server at 127\.0\.0\.1:9"):
            await metadata.get(PROJECT)

    run_bounded(run())


def test_no_credentials_anywhere_is_an_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    class Impatient:
        async def sleep(self, secs: float) -> None:
            return None

    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)

    async def run() -> None:
        context = make_context()
        found = DefaultCredentials(context.world)
        found._clock = Impatient()  # type: ignore[assignment]
        with pytest.raises(ConfigError, match="Workload Identity"):
            await found.start()

    run_bounded(run())


def test_google_auth_reads_errors_and_bodies_through_urllib() -> None:
    async def run() -> None:
        host, runner = await served({"a": "value"})
        url = f"http://{host}/computeMetadata/v1/"
        headers = {"Metadata-Flavor": "Google"}
        good = await asyncio.to_thread(UrllibRequest(), url + "a", headers=headers)
        assert (good.status, good.data) == (200, b"value")
        assert good.headers["metadata-flavor"] == "Google"
        bad = await asyncio.to_thread(UrllibRequest(), url + "b", headers=headers)
        assert bad.status == 404
        await runner.cleanup()
        with pytest.raises(google.auth.exceptions.TransportError):
            await asyncio.to_thread(UrllibRequest(), url)

    run_bounded(run())
