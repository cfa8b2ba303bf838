"""redact: no secret survives anywhere in text or fields, and both say the same."""

import orjson
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from logship_transforms.objects import parse
from logship_transforms.parse_json import ParseJson, ParseJsonConfig
from logship_transforms.redact import Redact
from logship_transforms.secrets import PRESET_NAMES

from logship.api import Context
from logship.testing import texts_batch
from tests.plugins.logship_transforms.redacting import config

ANY_CONTEXT = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
SECRETS = {
    "email": "ann.lee@mail.example",
    "ipv4": "192.168.77.201",
    "credit_card": "4111 1111 1111 1111",
    "bearer_token": "mF_9.B5f/4.1JqM+xyz==",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27",
    "gcp_api_key": "AIzaSyA0123456789abcdefghijklmnopqrstuv",
}
NUMBER = 4111111111111111
OWN = "s3cr3t-"
_noise = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=6)


def written(secret: str) -> str:
    return f"Bearer {secret}" if secret == SECRETS["bearer_token"] else secret


_secret = st.sampled_from([*map(written, SECRETS.values()), OWN + "x"])
_string = st.builds(
    lambda a, secret, b: f"{a} {secret} {b}", _noise, _secret, _noise
) | _noise  # fmt: skip
_value = st.recursive(
    _string | st.none() | st.booleans() | st.integers(-9, 9) | st.just(NUMBER) | st.just(OWN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_string, inner, max_size=3),
    max_leaves=6,
)
_object = st.dictionaries(_string | st.sampled_from(["password", "user", "a.b"]), _value)


@st.composite
def _json_text(draw: st.DrawFn) -> str:
    """An object as some writer may have written it: escaped here and there, keys doubled."""
    text = orjson.dumps(draw(_object)).decode()
    spots = draw(st.sets(st.integers(0, len(text) - 1), max_size=10))
    escaped = "".join(
        f"\\u{ord(char):04x}" if at in spots and char.isalnum() | (char in "@./-") else char
        for at, char in enumerate(text)
    )
    text = escaped if parse(escaped) is not None else text
    if draw(st.booleans()) and text != "{}":
        text = '{"d":' + text + ',"d":1,' + text[1:]
    return text


_text = _string | _json_text() | _json_text().map(lambda text: text[:-1])
_action = st.sampled_from(["remove", "mask", "hmac"])


def strings_in(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in strings_in(part)]
    if isinstance(value, list):
        return [text for item in value for text in strings_in(item)]
    return [str(value)]


@ANY_CONTEXT
@given(st.lists(_text, max_size=4), _action, st.booleans())
def test_no_secret_survives_in_text_or_fields(
    route: Context, texts: list[str], action: str, parsed_before: bool
) -> None:
    batch = texts_batch(texts)
    if parsed_before:
        batch = ParseJson(ParseJsonConfig(), route).apply(batch)
    options = config(action, patterns=PRESET_NAMES, regexes=(OWN, f"^{OWN}$"))
    rows = Redact(options, route).apply(batch).rows
    for number, text in enumerate(rows.texts):
        fields = None if rows.fields is None else rows.fields[number]
        for place in (text, *strings_in(parse(text)), *strings_in(fields)):
            assert not [
                secret for secret in (*SECRETS.values(), str(NUMBER), OWN) if secret in place
            ]


@ANY_CONTEXT
@given(st.lists(_text, max_size=4), _action)
def test_text_and_fields_agree_afterwards(route: Context, texts: list[str], action: str) -> None:
    options = config(action, patterns=PRESET_NAMES, fields=("password", "a.b", "user"))
    before = ParseJson(ParseJsonConfig(), route).apply(texts_batch(texts))
    rows = Redact(options, route).apply(before).rows
    assert rows.fields == [parse(text) for text in rows.texts]


@ANY_CONTEXT
@given(_json_text(), _action, st.booleans())
def test_no_field_survives_in_text_or_fields(
    route: Context, text: str, action: str, parsed_before: bool
) -> None:
    batch = texts_batch([text])
    if parsed_before:
        batch = ParseJson(ParseJsonConfig(), route).apply(batch)
    rows = Redact(config(action, fields=("password", "a.b")), route).apply(batch).rows
    fields = parse(rows.texts[0])
    assert fields is not None
    for key in ("password", "a.b"):
        value = fields.get(key, "[REDACTED]")
        assert value == "[REDACTED]" or str(value).startswith("hmac:")
    if rows.fields is not None:
        assert rows.fields[0] == fields


@ANY_CONTEXT
@given(st.lists(_text, max_size=4))
def test_rows_are_the_same_whether_they_were_parsed_before_or_not(
    route: Context, texts: list[str]
) -> None:
    redact = Redact(config(patterns=("email", "ipv4"), fields=("password",)), route)
    parsed = ParseJson(ParseJsonConfig(), route).apply(texts_batch(texts))
    assume(not any(text.count('"password') > 1 for text in texts))
    assert [parse(t) or t for t in redact.apply(texts_batch(texts)).rows.texts] == [
        parse(t) or t for t in redact.apply(parsed).rows.texts
    ]
