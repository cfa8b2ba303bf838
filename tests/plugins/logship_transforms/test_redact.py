"""redact: what is written in place of a secret or a field, and what is left alone."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from logship_transforms.objects import parse
from logship_transforms.parse_json import ParseJson, ParseJsonConfig
from logship_transforms.redact import Redact, RedactConfig
from logship_transforms.secrets import PRESET_NAMES

from logship.api import ConfigError, Context
from logship.testing import texts_batch
from tests.plugins.logship_transforms.redacting import KEY, config, one, redacted


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
