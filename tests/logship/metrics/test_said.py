"""Texts of errors: bounded, and without credentials."""

import pytest

from logship.said import MAX_CHARS, Said, shown

SECRET = "s3cr3t-s3cr3t-s3cr3t"


@pytest.mark.parametrize(
    "text",
    [
        f"401 for Authorization: Bearer {SECRET}",
        f"cannot reach http://user:{SECRET}@proxy:3128/",
        f"https://x/y?access_token={SECRET}&n=1 failed",
        f'{{"client_secret": "x", "token": "{SECRET}"}}',
        f"password={SECRET}",
        f"ya29.{SECRET} was refused",
        f"eyJhbGciOi.eyJpc3MiOi.{SECRET}",
    ],
)
def test_what_looks_like_a_credential_is_not_shown(text: str) -> None:
    assert SECRET not in shown(text)
    assert "***" in shown(text)


@pytest.mark.parametrize(
    "text",
    [
        "503: the service is unavailable",
        "the token has expired",
        "403: grant roles/logging.logWriter to agent@project.iam.gserviceaccount.com",
        "projects/p/topics/t does not exist",
    ],
)
def test_an_ordinary_text_stays_as_it_is(text: str) -> None:
    assert shown(text) == text


def test_a_long_text_is_cut_before_it_is_kept() -> None:
    assert len(Said.of("x" * 10**6, 0).text) == MAX_CHARS


def test_a_secret_on_the_edge_is_not_shown_in_part() -> None:
    assert SECRET[:4] not in shown("x" * (MAX_CHARS - 15) + f" token={SECRET}")
