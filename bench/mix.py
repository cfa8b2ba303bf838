"""Workload C: what a node really writes, as events of one or several lines.

Access lines, JSON, logs in Japanese with emoji, stack traces on stderr (a row a line, as the
runtime writes them), and now and then a text so long that the runtime cuts it (`P` ... `F`).
"""

import random

import orjson

from bench.lines import access_line, plain_stem, special_stem, token

PIECE_CHARS = 8192
"""The runtime cuts at 16 KiB; here half of it, so that characters of several bytes fit whole."""
EVENTS = 4000
Line = tuple[str, str, str]
"""(stream, tag, text)"""

_JAPANESE = (
    "ユーザーのログインに成功しました",
    "動画の再生を開始します 🎬 画質=1080p",
    "決済処理がタイムアウトしました、再試行します 🔁",
    "キャッシュを更新しました 📦 番組表",
    "配信サーバーへの接続が切れました 😱",
)
_FRAMES = (
    "tv.play.Player.start",
    "tv.play.Session.open",
    "io.netty.Channel.read",
    "java.lang.Thread.run",
)


def events(dice: random.Random) -> list[list[Line]]:
    """So many that compression finds no copies."""
    return [_event(dice, number) for number in range(EVENTS)]


def _event(dice: random.Random, number: int) -> list[Line]:
    kind = dice.random()
    if kind < 0.5:
        return [("stdout", "F", access_line(dice, number))]
    if kind < 0.75:
        before, after = dice.choice((special_stem, plain_stem))(dice, number)
        return [("stdout", "F", before + token(number) + after)]
    if kind < 0.93:
        text = f"{dice.choice(_JAPANESE)} user={dice.randrange(10**8)} 所要={dice.randrange(900)}ms"
        return [("stdout" if dice.random() < 0.8 else "stderr", "F", text)]
    if kind < 0.995:
        return [("stderr", "F", line) for line in _trace(dice, number)]
    return _cut(dice, number)


def _trace(dice: random.Random, number: int) -> list[str]:
    head = f"java.lang.IllegalStateException: 再生できません: item {number} 💥"
    frames = [
        f"\tat {dice.choice(_FRAMES)}(Source.java:{dice.randrange(2000)})"
        for _ in range(dice.randrange(8, 25))
    ]
    return [head, *frames, "\t... 12 more"]


def _cut(dice: random.Random, number: int) -> list[Line]:
    """A JSON text of 20 to 60 KB, in the pieces of the runtime."""
    items = [{"id": dice.randrange(10**9), "title": "番組", "ok": True} for _ in range(900)]
    text = orjson.dumps({"dump": number, "items": items[: dice.randrange(450, 900)]}).decode()
    pieces = [text[at : at + PIECE_CHARS] for at in range(0, len(text), PIECE_CHARS)]
    tags = ["P"] * (len(pieces) - 1) + ["F"]
    return [("stdout", tag, piece) for tag, piece in zip(tags, pieces, strict=True)]
