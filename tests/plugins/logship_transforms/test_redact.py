"""redact: no secret survives anywhere in text or fields, and both say the same."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from logship_transforms.objects import parse
from logship_transforms.parse_json import ParseJson, ParseJsonConfig
from logship_transforms.redact import Redact, RedactConfig
from logship_transforms.secrets import PRESET_NAMES

from logship.api import Batch, ConfigError, Context
from logship.testing import texts_batch

ANY_CONTEXT = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
KEY = "0123456789abcdef-the-key"
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


def config(action: str = "mask", **more: object) -> RedactConfig:
    options = {"action": action, "key": KEY if action == "hmac" else None, **more}
    return RedactConfig(**options)  # type: ignore[arg-type]  # drawn by Hypothesis


def redacted(route: Context, options: RedactConfig, *texts: str) -> Batch:
    return Redact(options, route).apply(texts_batch(texts))


def one(route: Context, options: RedactConfig, text: str) -> str:
    return redacted(route, options, text).rows.texts[0]


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


def test_a_clean_batch_keeps_its_block(route: Context) -> None:
    batch = texts_batch(["nothing", '{"user": "ann"}', "a\\u0040b"])
    options = config(patterns=PRESET_NAMES, fields=("password",))
    assert Redact(options, route).apply(batch) is batch


def test_a_changed_batch_says_that_its_block_must_not_be_used(route: Context) -> None:
    batch = redacted(route, config(patterns=("email",)), "a", "to ann@mail.example now")
    assert batch.touched
    assert batch.rows.texts == ["a", "to [REDACTED] now"]
    assert batch.ids() == texts_batch(["a", "to ann@mail.example now"]).ids()


def test_only_rows_that_changed_are_written_anew(route: Context) -> None:
    clean, dirty = '{"b" :  1.50}', '{"b" :  1.50, "to":"ann@mail.example"}'
    texts = redacted(route, config(patterns=("email",)), clean, dirty).rows.texts
    assert texts == [clean, '{"b":1.5,"to":"[REDACTED]"}']


FIELDS = '{"user":{"email":"x","id":7},"a.b":1,"list":[{"email":"y"},2],"n":null}'


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("user.email", '{"user":{"id":7},"a.b":1,"list":[{"email":"y"},2],"n":null}'),
        ("user", '{"a.b":1,"list":[{"email":"y"},2],"n":null}'),
        ("a.b", '{"user":{"email":"x","id":7},"list":[{"email":"y"},2],"n":null}'),
        ("list.email", '{"user":{"email":"x","id":7},"a.b":1,"list":[{},2],"n":null}'),
        ("email", FIELDS),
        ("n.x", FIELDS),
    ],
)
def test_remove_deletes_the_field_at_a_path(route: Context, path: str, left: str) -> None:
    assert one(route, config("remove", fields=(path,)), FIELDS) == left


def test_mask_writes_its_own_text(route: Context) -> None:
    options = config(fields=("user",), patterns=("ipv4",), mask="***")
    assert one(route, options, '{"user":{"id":7},"ip":"10.0.0.1"}') == '{"user":"***","ip":"***"}'


def test_hmac_is_the_same_for_the_same_secret_and_hides_it(route: Context) -> None:
    options = config("hmac", patterns=("email",), fields=("user",))
    texts = redacted(
        route, options, "from ann@mail.example", '{"user":"ann@mail.example"}', "bob@mail.example"
    ).rows.texts
    digest = hmac.new(KEY.encode(), b"ann@mail.example", hashlib.sha256).hexdigest()[:16]
    assert texts[:2] == [f"from hmac:{digest}", f'{{"user":"hmac:{digest}"}}']
    assert texts[2].startswith("hmac:")
    assert digest not in texts[2]


def test_a_digest_that_looks_like_a_secret_is_left_alone(route: Context) -> None:
    options = config("hmac", regexes=(r"\b\w{8,}",))
    text = one(route, options, '{"a":"longsecret", "b":"short"}')
    assert text.count("hmac:") == 1
    assert parse(text) is not None


def test_a_number_that_is_a_card_becomes_a_mask_and_the_text_stays_json(route: Context) -> None:
    text = one(route, config(patterns=("credit_card",)), '{"card": 4111111111111111, "x": 1}')
    assert text == '{"card":"[REDACTED]","x":1}'


def test_a_secret_hidden_by_escapes_is_found(route: Context) -> None:
    text = one(route, config(patterns=("email",)), r'{"to":"ann\u0040mail.example"}')
    assert text == '{"to":"[REDACTED]"}'


def test_a_secret_in_a_key_that_the_parser_passed_over_is_gone(route: Context) -> None:
    options = config(patterns=("email",), fields=("user.password",))
    for hidden in (r'"a":"ann\u0040mail.example"', '"user":{"password":"hunter2"}'):
        text = one(route, options, f'{{{hidden},"a":1,"user":2}}')
        assert parse(text) == {"a": 1, "user": 2}
        assert "ann" not in text
        assert "hunter2" not in text


@pytest.mark.parametrize("key", ["pass/word", 'pass"word', "pass\\word", "\U0001f511", "p\u00e4ss"])
def test_a_field_is_found_however_its_key_is_escaped(route: Context, key: str) -> None:
    spelled = [json.dumps(key), json.dumps(key, ensure_ascii=False)]
    spelled.append(spelled[0].replace("/", r"\/"))
    for written_key in spelled:
        text = one(route, config("remove", fields=(key,)), f'{{{written_key}:"hunter2","a":1}}')
        assert text == '{"a":1}'


def test_fields_that_say_more_than_their_text_are_redacted_too(route: Context) -> None:
    text = '{"to":"[REDACTED]"}'
    before = texts_batch([text])
    parsed = before.with_fields(replace(before.rows, fields=[{"to": "ann@mail.example"}]))
    rows = Redact(config(patterns=("email",)), route).apply(parsed).rows
    assert (rows.texts, rows.fields) == ([text], [{"to": "[REDACTED]"}])


def test_two_secrets_as_keys_stay_two_keys(route: Context) -> None:
    text = one(route, config(patterns=("email",)), '{"a@mail.example":1,"b@mail.example":2}')
    assert parse(text) == {"[REDACTED]": 1, "[REDACTED]_": 2}


def test_a_group_named_secret_limits_what_is_replaced(route: Context) -> None:
    options = config(regexes=("password=(?P<secret>[^ ]+)",))
    assert one(route, options, "login password=hunter2 ok") == "login password=[REDACTED] ok"


def test_an_anchor_means_a_whole_string_inside_an_object_and_a_whole_text(route: Context) -> None:
    texts = redacted(route, config(regexes=("^s3cr3t$",)), '{"a":"s3cr3t"}', "s3cr3t", "x s3cr3t")
    assert texts.rows.texts == ['{"a":"[REDACTED]"}', "[REDACTED]", "x s3cr3t"]


def test_a_regex_over_json_syntax_leaves_a_text_and_no_fields(route: Context) -> None:
    before = ParseJson(ParseJsonConfig(), route).apply(texts_batch(['{"pin":1234,"a":1}']))
    rows = Redact(config(regexes=('"pin":[0-9]+',)), route).apply(before).rows
    assert rows.texts == ['{[REDACTED],"a":1}']
    assert rows.fields == [None]


def test_a_broken_object_that_mentions_a_field_is_replaced_whole(route: Context) -> None:
    options = config(fields=("user.password",))
    cut, other = '{"user":{"password":"hunter2","x', '{"note":"x'
    assert redacted(route, options, cut, other).rows.texts == ["[REDACTED]", other]


def test_a_broken_object_that_hides_a_secret_is_replaced_whole(route: Context) -> None:
    options = config(patterns=("email",))
    assert one(route, options, r'{"to":"ann\u0040mail.example","x') == "[REDACTED]"
    assert one(route, options, '{"to":"ann@mail.example","x') == '{"to":"[REDACTED]","x'


@pytest.mark.parametrize(
    ("make", "path", "words"),
    [
        (lambda: RedactConfig(), "", "it needs `fields`, `patterns` or `regexes`"),
        (lambda: RedactConfig(fields=("a",), action="hmac"), "key", "write `key: ${NAME}`"),
        (lambda: RedactConfig(fields=("a",), action="hmac", key="k3y"), "key", "shorter than 16"),
        (lambda: RedactConfig(fields=("a",), key=KEY), "key", "the action is `mask`"),
        (lambda: RedactConfig(regexes=("a", "(b")), "regexes[1]", "after `` and before `(b`"),
        (lambda: RedactConfig(regexes=("a*",)), "regexes[0]", "`a*` fits the empty text"),
        (lambda: RedactConfig(regexes=("[A-Z]+",)), "mask", "`[REDACTED]` is itself found"),
    ],
)
def test_a_wrong_configuration_says_what_and_where(
    make: Callable[[], object], path: str, words: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        make()
    assert raised.value.path == path
    assert words in raised.value.reason
    assert "k3y" not in str(raised.value)


def test_the_key_is_never_printed(route: Context) -> None:
    options = config("hmac", fields=("a",))
    assert KEY not in repr(options)
    assert KEY not in str(options)
    assert KEY not in repr(vars(Redact(options, route)))
