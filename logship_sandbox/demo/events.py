"""The demo's application events: JSON on stdout, marked by `log_type: app`.

These are what goes through Pub/Sub into BigQuery. Each has a service, an event, severity, trace,
nested objects and numbers.
"""

from dataclasses import dataclass
from random import Random

import orjson

from logship_sandbox.demo.lines import Line

APP = "app"
_COUNTRIES = ("JP", "DE", "US", "FR", "BR")
_PLANS = ("free", "basic", "premium")
_QUERIES = ("猫 動画", "侍", "jazz live", "寿司の作り方")
_TITLES = ("千と千尋の神隠し", "七人の侍", "Metropolis", "La Jetée", "東京物語")


@dataclass(frozen=True, slots=True)
class Path:
    """An HTTP path with how long it usually takes and how often it fails."""

    method: str
    path: str
    median_ms: float
    error_share: float


_CHECKOUT = (
    Path("POST", "/checkout/pay", 340, 0.045),
    Path("GET", "/checkout/summary", 35, 0.004),
)
_CART = (Path("PUT", "/cart/items", 18, 0.006), Path("GET", "/cart", 9, 0.002))
_PLAYBACK = (
    Path("POST", "/playback/start", 120, 0.012),
    Path("POST", "/playback/heartbeat", 6, 0.001),
)
_SEARCH = (Path("GET", "/search", 210, 0.02), Path("GET", "/search/suggest", 25, 0.003))
_ADS = (Path("POST", "/ads/bid", 14, 0.004), Path("POST", "/ads/impression", 4, 0.001))


def checkout(dice: Random, now: str) -> list[Line]:
    items = [
        {"sku": f"SKU-{dice.randrange(10_000):04d}", "quantity": dice.randrange(1, 4)}
        for _ in range(dice.randrange(1, 4))
    ]
    amount = {"value": round(dice.lognormvariate(3.5, 0.8), 2), "currency": "EUR"}
    return _event(dice, now, "checkout", "order", _CHECKOUT, {"items": items, "amount": amount})


def cart(dice: Random, now: str) -> list[Line]:
    return _event(dice, now, "cart", "cart_change", _CART, {"cart": f"{dice.getrandbits(48):012x}"})


def playback(dice: Random, now: str) -> list[Line]:
    session = {
        "title": dice.choice(_TITLES),
        "position_secs": round(dice.uniform(0, 7200), 1),
        "buffer": {"ahead_ms": dice.randrange(30_000), "stalls": dice.randrange(3)},
    }
    return _event(dice, now, "playback", "playback", _PLAYBACK, {"session": session})


def search(dice: Random, now: str) -> list[Line]:
    query = {"text": dice.choice(_QUERIES), "results": dice.randrange(500)}
    return _event(dice, now, "search", "search", _SEARCH, {"query": query})


def ads(dice: Random, now: str) -> list[Line]:
    bid = {
        "campaign": dice.randrange(4000),
        "price_micros": dice.randrange(10**6),
        "won": dice.random() < 0.2,
    }
    return _event(dice, now, "ads", "bid", _ADS, {"bid": bid})


def _event(
    dice: Random,
    now: str,
    service: str,
    event: str,
    paths: tuple[Path, ...],
    more: dict[str, object],
) -> list[Line]:
    path = dice.choice(paths)
    failed = dice.random() < path.error_share
    latency = path.median_ms * dice.lognormvariate(0, 0.5) * (4 if failed else 1)
    fields = {
        "log_type": APP,
        "service": service,
        "event": event,
        "severity": "ERROR" if failed else "INFO",
        "time": now,
        "trace_id": f"{dice.getrandbits(128):032x}",
        "http": {
            "method": path.method,
            "path": path.path,
            "status": dice.choice((500, 503, 504)) if failed else 200,
            "latency_ms": round(latency, 2),
        },
        "user": {
            "id": dice.randrange(10**7),
            "country": dice.choice(_COUNTRIES),
            "plan": dice.choice(_PLANS),
        },
        **more,
    }
    return [Line(orjson.dumps(fields).decode())]
