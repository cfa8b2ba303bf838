"""The model of an API server (`cluster`) over HTTP and TLS, as agents meet it.

Refuses what a real one would: a token that is not the present one (401). Counts lists that would
have asked etcd, because they do not name version 0 or want pages; there must be none.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from aiohttp import web

from tests.plugins.logship_tail.api_stub import certified
from tests.plugins.logship_tail.cluster import Cluster


class Front:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.url = ""
        self.etcd_reads = 0
        self.refused_tokens = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        cluster, query = self.cluster, request.query
        if request.headers.get("Authorization") != f"Bearer {cluster.token}":
            self.refused_tokens += 1
            return web.json_response({"kind": "Status", "code": 401}, status=401)
        selector = query.get("fieldSelector", "")
        if "watch" not in query:
            self.etcd_reads += query.get("resourceVersion") != "0" or "limit" in query
            body = await cluster.list(selector, cluster.token)
            return web.Response(body=body, content_type="application/json")
        await cluster.answers("watch", selector, cluster.token)
        response = web.StreamResponse()
        await response.prepare(request)
        assert query["allowWatchBookmarks"] == "true"
        async with aclosing(cluster.watch(selector, query["resourceVersion"])) as pieces:
            async for piece in pieces:
                await response.write(piece)
        return response


@asynccontextmanager
async def fronting(cluster: Cluster, directory: Path) -> AsyncIterator[Front]:
    """Writes `ca.crt` and `token` into the directory."""
    front = Front(cluster)
    (directory / "token").write_text(cluster.token)
    app = web.Application()
    app.router.add_get("/api/v1/pods", front.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certified(directory), backlog=512)
    await site.start()
    front.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield front
    finally:
        await runner.cleanup()
