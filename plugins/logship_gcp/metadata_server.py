"""What the metadata server of Google Compute Engine and GKE knows of this machine.

It is at GCE_METADATA_HOST, as for google-auth, or at metadata.google.internal. On GKE it may not
answer in the first seconds of a pod and dislikes concurrent calls, so it is asked one question at a
time, and again with growing pauses until `patience_secs` are over.

https://cloud.google.com/compute/docs/metadata/querying-metadata
"""

import os

import aiohttp

from logship.api import Clock

PROJECT = "project/project-id"
LOCATION = "instance/attributes/cluster-location"
CLUSTER = "instance/attributes/cluster-name"
ZONE = "instance/zone"
"""As `projects/NUMBER/zones/ZONE`."""

_HEADERS = {"Metadata-Flavor": "Google"}
_TIMEOUT_SECS = 3.0
_FIRST_PAUSE_SECS = 0.2
_MAX_VALUE_BYTES = 4096


class NoMetadataServer(Exception):
    """None answered; the message says where it was looked for."""


class MetadataServer:
    def __init__(self, clock: Clock, *, host: str = "", patience_secs: float = 8.0) -> None:
        self._clock = clock
        self._host = host or os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
        self._patience_secs = patience_secs

    async def get(self, path: str) -> str | None:
        """The value at `path`; None when the server does not have it. Raises NoMetadataServer."""
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECS)
        deadline = self._clock.now() + self._patience_secs
        pause = _FIRST_PAUSE_SECS
        async with aiohttp.ClientSession(timeout=timeout, headers=_HEADERS) as session:
            while True:
                try:
                    return await self._ask(session, path)
                except (aiohttp.ClientError, OSError, TimeoutError) as error:
                    if self._clock.now() + pause > deadline:
                        reason = f"no metadata server at {self._host}: {error or 'no answer'}"
                        raise NoMetadataServer(reason) from error
                await self._clock.sleep(pause)
                pause *= 2

    async def _ask(self, session: aiohttp.ClientSession, path: str) -> str | None:
        url = f"http://{self._host}/computeMetadata/v1/{path}"
        async with session.get(url, allow_redirects=False) as response:
            if response.status == 404:
                return None
            response.raise_for_status()
            if response.headers.get("Metadata-Flavor") != "Google":
                raise ConnectionError("something answers that is no metadata server")
            value = await response.content.read(_MAX_VALUE_BYTES)
            return value.decode().strip() or None
