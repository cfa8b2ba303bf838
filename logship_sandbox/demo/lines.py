"""What the demo's applications print that is not an event: access logs, traces, ordinary chatter.

Every function takes its dice, so that a seed decides everything, and gives the lines of one
happening: a request, a crash.
"""

from random import Random
from typing import NamedTuple

import orjson

from logship_sandbox.demo.writer import STDERR, STDOUT

PROJECT = "logship-sandbox"


class Line(NamedTuple):
    text: str
    stream: str = STDOUT


def ingress(dice: Random, now: str) -> list[Line]:
    """ingress-nginx: its access log, now and then a complaint on stderr."""
    path = dice.choice(("/", "/checkout", "/cart", "/watch", "/search?q=%E7%8C%AB", "/assets/a.js"))
    status = dice.choices((200, 204, 304, 404, 502), (88, 4, 5, 2, 1))[0]
    address = f"10.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(256)}"
    line = (
        f'{address} - - [{now}] "GET {path} HTTP/2.0" {status} {dice.randrange(200, 90_000)} '
        f'"-" "Mozilla/5.0 (X11; Linux x86_64)" {dice.randrange(90, 900)} '
        f"{dice.lognormvariate(-3, 1):.3f} [shop-web-80] 10.8.{dice.randrange(256)}.7:8080 "
        f"{dice.getrandbits(128):032x}"
    )
    if status != 502:
        return [Line(line)]
    complaint = f"[error] 31#31: *{dice.randrange(10**6)} upstream prematurely closed connection"
    return [Line(complaint, STDERR), Line(line)]


def structured(dice: Random, now: str) -> list[Line]:
    """A service that logs JSON for Cloud Logging: severity and trace are its special fields."""
    severity = dice.choices(("DEBUG", "INFO", "WARNING", "ERROR"), (20, 70, 8, 2))[0]
    fields = {
        "severity": severity,
        "message": f"cart {dice.getrandbits(32):08x} loaded",
        "component": dice.choice(("redis", "session", "pricing")),
        "took_ms": round(dice.lognormvariate(2, 1), 2),
        "logging.googleapis.com/trace": f"projects/{PROJECT}/traces/{dice.getrandbits(128):032x}",
        "started": now,
    }
    return [Line(orjson.dumps(fields).decode())]


def python_trace(dice: Random, now: str) -> list[Line]:
    order = f"{dice.getrandbits(40):010x}"
    return [
        Line(text, STDERR)
        for text in (
            f"{now} ERROR checkout.payment order {order} failed",
            "Traceback (most recent call last):",
            '  File "/app/checkout/payment.py", line 118, in charge',
            "    receipt = self._gateway.charge(order.total, token=order.token)",
            '  File "/app/checkout/gateway.py", line 52, in charge',
            "    raise GatewayTimeout(f'no answer in {self.timeout_secs}s')",
            f"checkout.gateway.GatewayTimeout: no answer in 5s (order {order})",
        )
    ]


def java_trace(dice: Random, now: str) -> list[Line]:
    shard = dice.randrange(64)
    return [
        Line(text, STDERR)
        for text in (
            f"{now} ERROR [report-{shard}] c.e.ads.ReportJob - cannot merge shard {shard}",
            f"java.lang.IllegalStateException: shard {shard} has no watermark",
            "\tat com.example.ads.Merger.merge(Merger.java:87)",
            "\tat com.example.ads.ReportJob.run(ReportJob.java:141)",
            "\tat java.base/java.lang.Thread.run(Thread.java:1583)",
            f"Caused by: java.io.EOFException: the file ended at {dice.randrange(1 << 30)}",
            "\tat com.example.ads.SpillFile.readFully(SpillFile.java:203)",
            "\t... 2 more",
        )
    ]


def java_chatter(dice: Random, now: str) -> list[Line]:
    if dice.random() < 0.02:
        return java_trace(dice, now)
    shard, rows = dice.randrange(64), dice.randrange(10**7)
    return [Line(f"{now} INFO  [report-{shard}] c.e.ads.ReportJob - merged {rows} rows")]


def mail(dice: Random, now: str) -> list[Line]:
    """Japanese text, an empty line, and a carriage return that the runtime removes."""
    number = dice.randrange(10**8)
    greeting = dice.choice(("ご注文ありがとうございます", "発送のお知らせ", "お支払いの確認"))
    reader = f"利用者{number % 997}"
    lines = [Line(f"送信しました: 「{greeting}」 注文番号 {number:08d} ✉️ 宛先={reader}")]
    if dice.random() < 0.1:
        lines += [Line(""), Line(f"再送 {number:08d}\r")]
    return lines


def transcode(dice: Random, now: str) -> list[Line]:
    """Progress with carriage returns, and now and then a line far longer than the runtime's."""
    job = f"{dice.getrandbits(32):08x}"
    if dice.random() < 0.06:
        scenes = "、".join(f"場面{dice.randrange(10**6):06d}" for _ in range(1500))
        return [Line(f"job={job} scenes: {scenes}")]
    frames = [f"frame={n} fps={dice.randrange(20, 60)} speed=1.{n}x" for n in range(3)]
    return [Line(f"job={job} " + "\r".join(frames))]


def export(dice: Random, now: str) -> list[Line]:
    """A batch job. Some of its lines only look like JSON, or only like an event."""
    part = dice.randrange(10**6)
    odd = dice.random()
    if odd < 0.03:
        return [Line('{"log_type": "app", "event": "export", "part": %d' % part)]  # noqa: UP031
    if odd < 0.06:
        return [Line('["log_type", "app", %d]' % part)]  # noqa: UP031
    return [Line(f"{now} part {part:06d} written, sha256={dice.getrandbits(256):064x}")]
