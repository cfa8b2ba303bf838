"""`redact`: takes secrets out of rows before anything else sees them.

It replaces texts and fields alike, so that it does not matter which of them a sink, a dead letter
or a display uses; the raw block is not used any more once a row changed. How a row is redacted
stands in `redaction`, what a secret looks like in `secrets`. Labels of the origin are not touched.
A clean column costs one search per pattern.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from logship.api import (
    Batch,
    ConfigError,
    Context,
    JsonObject,
    Parsed,
    Rows,
    Transform,
    told_by_texts,
)
from logship_transforms.objects import one_by_one, parse
from logship_transforms.redaction import Redaction
from logship_transforms.regexes import compiled
from logship_transforms.secrets import PRESETS, Finder, PresetName

_KEY_CHARS = 16
_HMAC_HEX = 16


class RedactConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `redact`: `fields`, `patterns` or `regexes`, and what becomes of them."""

    fields: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Meta(
            description="Fields of rows that are JSON objects, with all that is in them; dots lead "
            "into nested objects and through lists. Rows that need not have been parsed before.",
            examples=[["password", "user.email"]],
        ),
    ] = ()
    patterns: Annotated[
        tuple[PresetName, ...],
        Meta(
            description="Well-known secrets, wherever they stand in a row's text, in its fields "
            "and in their names. `credit_card` checks brand, length and check digit.",
            examples=[["email", "bearer_token"]],
        ),
    ] = ()
    regexes: Annotated[
        tuple[str, ...],
        Meta(
            description="Regular expressions (Python's `re`) of secrets of your own, looked for in "
            "every text and in every string of an object. A group named `secret` limits what is "
            "replaced.",
            examples=[["password=(?P<secret>[^ ]+)"]],
        ),
    ] = ()
    action: Annotated[
        Literal["remove", "mask", "hmac"],
        Meta(
            description="`remove` deletes; `mask` writes the text of `mask`; `hmac` writes "
            "`hmac:` and 16 hex digits that are the same for the same secret and `key`."
        ),
    ] = "mask"
    mask: Annotated[str, Meta(min_length=1, description="What `mask` writes.")] = "[REDACTED]"
    key: Annotated[
        str | None,
        Meta(
            description="The secret key of `hmac` (HMAC-SHA-256), at least 16 characters. Give it "
            "by the environment.",
            examples=["${LOGSHIP_REDACT_KEY}"],
        ),
    ] = None

    def __post_init__(self) -> None:
        if not (self.fields or self.patterns or self.regexes):
            raise ConfigError("", "it needs `fields`, `patterns` or `regexes`")
        self._check_key()
        for number, regex in enumerate(self.regexes):
            if compiled(regex, f"regexes[{number}]").search("") is not None:
                reason = f"`{regex}` fits the empty text, and so every text"
                raise ConfigError(f"regexes[{number}]", reason)
        finders = (*_presets(self), *_own(self))
        if self.action == "mask" and any(finder.hits(self.mask) for finder in finders):
            raise ConfigError("mask", f"`{self.mask}` is itself found by a pattern given here")

    def _check_key(self) -> None:
        """Never names the key itself."""
        if self.action == "hmac" and not self.key:
            raise ConfigError("key", "`hmac` needs a key: write `key: ${NAME}` and set NAME")
        if self.action == "hmac" and len(self.key or "") < _KEY_CHARS:
            raise ConfigError("key", f"the key is shorter than {_KEY_CHARS} characters")
        if self.action != "hmac" and self.key:
            raise ConfigError("key", f"only `hmac` uses a key, and the action is `{self.action}`")

    def __repr__(self) -> str:
        shown = {name: getattr(self, name) for name in self.__struct_fields__ if name != "key"}
        return f"RedactConfig({shown}, key={'...' if self.key else None})"


class Redact(Transform):
    """Removes, masks or hashes secrets in texts and fields."""

    config = RedactConfig

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        super().__init__(config, context)
        assert isinstance(config, RedactConfig)
        self._redaction = Redaction(
            config.fields, _presets(config), _own(config), _substitute(config),
            removes=config.action == "remove",
        )  # fmt: skip

    def apply(self, batch: Batch) -> Batch:
        rows = batch.rows
        known = rows.fields or (None,) * len(rows)
        if self._redaction.all_clean(rows.texts, one_by_one(known)):
            return batch
        texts: list[str] = []
        found: list[JsonObject | None] = []
        told, changed = told_by_texts(rows), False
        for before, parsed in zip(rows.texts, one_by_one(known), strict=True):
            text, clean = self._redaction.row(before, parsed)
            changed = changed or text != before or clean != parsed
            texts.append(text)
            if not told:
                found.append(clean)
        if not changed:
            return batch
        return batch.with_rows(replace(rows, texts=texts, fields=_fields(rows, texts, found)))


def _fields(
    rows: Rows, texts: Sequence[str], found: Sequence[JsonObject | None]
) -> Sequence[JsonObject | None] | None:
    """Of rows that have these texts now; where texts alone told the objects, they still do."""
    if isinstance(rows.fields, Parsed) and told_by_texts(rows):
        return Parsed(texts, parse, rows.fields.max_chars)
    return None if rows.fields is None else found


def _presets(config: RedactConfig) -> tuple[Finder, ...]:
    return tuple(PRESETS[name] for name in dict.fromkeys(config.patterns))


def _own(config: RedactConfig) -> tuple[Finder, ...]:
    return tuple(Finder(compiled(regex, "regexes")) for regex in config.regexes)


def _substitute(config: RedactConfig) -> Callable[[str], str]:
    if config.action == "remove":
        return lambda secret: ""
    if config.action == "mask":
        return lambda secret: config.mask
    key = (config.key or "").encode()
    return lambda secret: f"hmac:{hmac.digest(key, secret.encode(), 'sha256').hex()[:_HMAC_HEX]}"
