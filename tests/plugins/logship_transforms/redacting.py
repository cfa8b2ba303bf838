"""redact over texts, and secrets for it to find."""

from logship_transforms.redact import Redact, RedactConfig

from logship.api import Batch, Context
from logship.testing import texts_batch

KEY = "0123456789abcdef-the-key"


def config(action: str = "mask", **more: object) -> RedactConfig:
    options = {"action": action, "key": KEY if action == "hmac" else None, **more}
    return RedactConfig(**options)  # type: ignore[arg-type]  # drawn by Hypothesis


def redacted(route: Context, options: RedactConfig, *texts: str) -> Batch:
    return Redact(options, route).apply(texts_batch(texts))


def one(route: Context, options: RedactConfig, text: str) -> str:
    return redacted(route, options, text).rows.texts[0]
