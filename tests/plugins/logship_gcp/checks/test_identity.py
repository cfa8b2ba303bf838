"""Who the agent is at Google, and what is said when that does not work.

Google's own library finds the credentials, in files as gcloud and the console make them; the tokens
come from a server on loopback.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from logship_gcp.identity import Identity, identify

from logship.testing import world

ACCOUNT = "logship@my-project.iam.gserviceaccount.com"
SECRET = "the-token-itself"


@pytest.fixture(scope="module")
def key() -> str:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture(autouse=True)
def nowhere_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)


@asynccontextmanager
async def tokens(status: int, answer: dict[str, object]) -> AsyncIterator[str]:
    async def give(_: web.Request) -> web.Response:
        return web.json_response(answer, status=status)

    app = web.Application()
    app.router.add_post("/token", give)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    finally:
        await runner.cleanup()


def identified(
    monkeypatch: pytest.MonkeyPatch, file: Path, found: dict[str, object],
    status: int = 200, answer: dict[str, object] | None = None,
) -> Identity:  # fmt: skip
    given = answer or {"access_token": SECRET, "expires_in": 3600, "token_type": "Bearer"}

    async def run() -> Identity:
        here = world()
        async with tokens(status, given) as url:
            file.write_text(json.dumps({**found, "token_uri": url}))
            monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
            monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", url)
            try:
                return await identify(here, anonymous=False)
            finally:
                here.offload.close()

    return asyncio.run(asyncio.wait_for(run(), 30))


def key_file(key: str) -> dict[str, object]:
    return {
        "type": "service_account", "project_id": "my-project", "private_key_id": "1",
        "private_key": key, "client_email": ACCOUNT, "client_id": "1",
    }  # fmt: skip


def test_a_key_file_names_the_account_for_commands(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = identified(monkeypatch, tmp_path / "key.json", key_file(key))
    assert found.member == f"serviceAccount:{ACCOUNT}"
    assert found.finding.level == "ok"
    assert found.finding.reason == f"{ACCOUNT} (a key file of a service account)"
    assert SECRET not in str(found.finding)


def test_a_key_that_was_deleted(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer: dict[str, object] = {
        "error": "invalid_grant", "error_description": "Invalid JWT Signature.",
    }  # fmt: skip
    found = identified(monkeypatch, tmp_path / "key.json", key_file(key), 400, answer)
    assert found.authorization is None
    assert found.finding.level == "failed"
    assert "invalid_grant" in found.finding.reason
    assert "a key has to be made anew" in found.finding.advice


def test_a_person_whose_login_has_expired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    person: dict[str, object] = {
        "type": "authorized_user", "client_id": "1", "client_secret": "s", "refresh_token": "r",
    }  # fmt: skip
    answer: dict[str, object] = {
        "error": "invalid_grant", "error_description": "Token has been expired or revoked.",
    }  # fmt: skip
    file = tmp_path / "user.json"
    found = identified(monkeypatch, file, person, 400, answer)
    assert found.finding.level == "failed"
    assert "`gcloud auth application-default login`" in found.finding.advice


def test_no_credentials_at_all() -> None:
    async def run() -> Identity:
        here = world()
        try:
            return await identify(here, anonymous=False)
        finally:
            here.offload.close()

    found = asyncio.run(asyncio.wait_for(run(), 30))
    assert (found.authorization, found.finding.level) == (None, "failed")
    assert "there are no Google credentials here" in found.finding.reason
    assert "Workload Identity" in found.finding.reason


def test_a_key_file_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = identified(monkeypatch, tmp_path / "key.json", {"type": "nothing known"})
    assert found.finding.level == "failed"
    assert "key.json" in found.finding.reason


def test_a_token_server_that_is_none(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = identified(monkeypatch, tmp_path / "k.json", key_file(key), 404, {"error": "no"})
    assert found.finding.level == "failed"
    assert "does this machine reach oauth2.googleapis.com" in found.finding.advice
