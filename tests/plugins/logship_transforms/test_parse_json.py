"""parse_json: fields are what orjson says, texts and block stay."""

from collections.abc import Sequence

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logship_transforms.objects import MAX_DEPTH
from logship_transforms.parse_json import ParseJson, ParseJsonConfig

from logship.api import Batch, Context, JsonObject
from logship.testing import texts_batch

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
json_texts = json_values.map(lambda value: orjson.dumps(value).decode())
broken = json_texts.map(lambda text: text[:-1]) | st.sampled_from(
    ["{", "{}", " {}", "{} x", '{"a":1}{"b":2}', '{"a":NaN}', "[]", "{'a': 1}", '{"a":1,"a":2}', ""]
)
plain = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=20)


def parsed(route: Context, texts: Sequence[str], max_text_bytes: int = 10_000) -> Batch:
    config = ParseJsonConfig(max_text_bytes=max_text_bytes)
    return ParseJson(config, route).apply(texts_batch(texts))


def naive(text: str) -> JsonObject | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) and text.startswith("{") else None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(json_texts | broken | plain, max_size=8))
def test_fields_are_the_objects_that_orjson_finds(route: Context, texts: list[str]) -> None:
    batch = parsed(route, texts)
    assert batch.rows.fields == [naive(text) for text in batch.rows.texts]


def test_text_ids_and_block_stay_as_they_were(route: Context) -> None:
    before = texts_batch(['{"a": 1}', "plain"])
    after = ParseJson(ParseJsonConfig(), route).apply(before)
    assert after.rows.texts == before.rows.texts
    assert after.ids() == before.ids()
    assert not after.touched
    assert after.block is before.block


def test_fields_that_exist_are_not_made_again(route: Context) -> None:
    first = parsed(route, ['{"a": 1}'])
    assert ParseJson(ParseJsonConfig(), route).apply(first) is first


def test_a_text_longer_than_the_limit_stays_text(route: Context) -> None:
    short, long = '{"a":1}', '{"a":12}'
    assert parsed(route, [short, long], max_text_bytes=7).rows.fields == [{"a": 1}, None]


def test_an_object_too_deep_to_be_written_again_stays_text(route: Context) -> None:
    def nested(levels: int) -> str:
        return '{"a":' * levels + "1" + "}" * levels

    def in_lists(levels: int) -> str:
        return '{"a":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"

    deep, too_deep = MAX_DEPTH, MAX_DEPTH + 1
    texts = [nested(deep), nested(too_deep), in_lists(deep), in_lists(too_deep), nested(2000)]
    fields = parsed(route, texts).rows.fields
    assert fields is not None
    assert [each is not None for each in fields] == [True, False, True, False, False]


def test_many_brackets_are_not_depth(route: Context) -> None:
    wide = orjson.dumps({"a": [[]] * 500, "b": "{" * 500}).decode()
    assert parsed(route, [wide]).rows.fields == [orjson.loads(wide)]
