"""Bytes that must be escaped, at every place of texts around the sizes that are read at once."""

import json

import pytest

from logship.rows import kernel

pytestmark = pytest.mark.skipif(
    kernel.in_use() == "pure", reason="the compiled kernel was not built"
)
CHARS = ('"', "\\", "\x00", "\x1f", "\t", "\x7f", "é", "\U0001f600")
MIDDLES = (b'","textPayload":"',) * 2


def _payload(text: str) -> object:
    table = kernel.scan(f"2026-11-23T04:46:31Z stdout F {text}\n".encode())
    assert table is not None
    starts = table.column("offsets")
    made = kernel.entries(table, starts, b"p" * 32, 0, MIDDLES, {})
    return json.loads(made)["textPayload"]


@pytest.mark.parametrize("size", range(50))
def test_a_text_comes_back_as_it_was(size: int) -> None:
    for place in range(size):
        for char in CHARS:
            text = "a" * place + char + "b" * (size - place - 1)
            assert _payload(text) == text
            assert _payload(char * size) == char * size


@pytest.mark.parametrize("size", range(1, 50))
def test_an_object_is_read_as_it_is(size: int) -> None:
    """Its strings are skipped by the same steps."""
    for place in range(size):
        for char in CHARS:
            fields = {"a": "a" * place + char + "b" * (size - place - 1), "b": 1}
            text = json.dumps(fields, ensure_ascii=False)
            table = kernel.scan(f"2026-11-23T04:46:31Z stdout F {text}\n".encode())
            assert table is not None
            found = kernel.objects(table, (), 1000)
            assert not found.rest
            objects = (b'","jsonPayload":',) * 2
            made = kernel.entries(
                table, table.column("offsets"), b"p", 0, MIDDLES, {}, objects, (), found
            )
            assert json.loads(made)["jsonPayload"] == fields
