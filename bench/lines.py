"""Texts of log lines: deterministic, in numbers large enough that compression finds no copies.

A kind gives stems: what stands before and after a line's own number. They are made once, 20,000 of
a kind (several MB, far more than any compressor looks back), and every line gets its number, so
that whoever receives it can tell it from all others: `rid=` and twelve hex digits.

A        access lines, 160 characters: 201 bytes with the header of the runtime
B        JSON of applications with special fields, 361 characters: 402 bytes
B-plain  JSON of applications without any special field, 361 characters
C        is made of whole events: see `mix`
"""

import random
from collections.abc import Callable, Mapping

import orjson

SEED = 20261123
TOKEN = b"rid="
STEMS = 20_000
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
_ACCESS_CHARS = 160 - 17
_EVENT_CHARS = 361
_MARK = "@" * 12
_HOUR = "2026-11-23T04"
Stem = tuple[str, str]
"""(before the number, after it)"""


def token(number: int) -> str:
    return f"{number:012x}"


def access_line(dice: random.Random, number: int) -> str:
    """160 characters: with its CRI header 201 bytes."""
    return access_stem(dice, number)[0] + token(number)


def access_stem(dice: random.Random, number: int) -> Stem:
    path = f"/api/v1/items/{dice.randrange(10**6)}?page={number % 97}"
    head = f'10.{number % 8}.{dice.randrange(256)}.{dice.randrange(256)} - - "GET {path} HTTP/1.1"'
    line = f'{head} {dice.choice((200, 200, 200, 304, 404, 500))} {dice.randrange(10**5)} "{_AGENT}'
    return line.ljust(_ACCESS_CHARS)[:_ACCESS_CHARS] + " rid=", ""


def special_stem(dice: random.Random, number: int) -> Stem:
    """Severity, time, trace, span and request: what Cloud Logging makes fields of the entry."""
    event = {
        "severity": dice.choice(("INFO", "INFO", "INFO", "WARNING", "ERROR")),
        "time": f"{_HOUR}:{number // 60 % 60:02d}:{number % 60:02d}.{dice.randrange(10**6):06d}Z",
        "logging.googleapis.com/trace": f"{dice.getrandbits(128):032x}",
        "logging.googleapis.com/spanId": f"{dice.getrandbits(64):016x}",
        "httpRequest": {
            "requestMethod": "GET",
            "requestUrl": f"/v1/items/{dice.randrange(10**6)}",
            "status": dice.choice((200, 200, 404)),
        },
        "message": "request finished",
        "log_type": dice.choice(("app", "web")),
        "request_id": f"rid={_MARK}",
    }
    return _padded(event)


def plain_stem(dice: random.Random, number: int) -> Stem:
    """No key that Cloud Logging, or our severity table, knows."""
    event = {
        "msg": "request finished",
        "logger": dice.choice(("http.server", "http.client", "db.pool", "cache")),
        "event": {"method": "GET", "path": f"/v1/items/{dice.randrange(10**6)}", "status": 200},
        "user_id": dice.randrange(10**9),
        "duration_ms": dice.randrange(10**6) / 1000,
        "session": f"{dice.getrandbits(96):024x}",
        "region": "asia-northeast1",
        "retries": number % 3,
        "log_type": dice.choice(("app", "web")),
        "request_id": f"rid={_MARK}",
    }
    return _padded(event)


def _padded(event: Mapping[str, object]) -> Stem:
    """Exactly as long as the others, with the words that real logs are padded with."""
    text = orjson.dumps(event).decode()
    words = "handler=items.show cache=miss db=replica-2 queue=default pool=web retry=no " * 3
    room = _EVENT_CHARS - len(text) - len(',"detail":""')
    whole = f'{text[:-1]},"detail":"{words[: max(0, room)]}"}}'
    before, after = whole.split(_MARK)
    return before, after


_MAKERS: dict[str, Callable[[random.Random, int], Stem]] = {
    "A": access_stem,
    "B": special_stem,
    "B-plain": plain_stem,
}


def stems(kind: str, dice: random.Random) -> list[Stem]:
    make = _MAKERS[kind]
    return [make(dice, number) for number in range(STEMS)]
