"""Fields that are parsed when somebody looks at them."""

from dataclasses import replace

from logship.rows.address import Generation
from logship.rows.objects import Parsed, parse_object, told_by_texts
from logship.rows.rows import JsonObject, Rows

TEXTS = ['{"a":1}', "text", '{"a":', '{"a":"long"}']


class Asked:
    """Parses, and knows of what."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, text: str) -> JsonObject | None:
        self.texts.append(text)
        return parse_object(text)


def _rows(texts: list[str]) -> Rows:
    count = len(texts)
    return Rows(Generation(1, 1), range(count), [""] * count, ["stdout"] * count, texts)


def test_it_is_the_column_of_the_objects() -> None:
    assert Parsed(TEXTS) == [{"a": 1}, None, None, {"a": "long"}]
    assert Parsed(TEXTS)[1:] == [None, None, {"a": "long"}]
    assert Parsed(TEXTS)[-1] == {"a": "long"}
    assert len(Parsed(TEXTS)) == 4


def test_longer_texts_are_no_objects() -> None:
    assert Parsed(TEXTS, max_chars=7) == [{"a": 1}, None, None, None]


def test_nothing_is_parsed_before_somebody_asks_and_everything_once() -> None:
    asked = Asked()
    fields = Parsed(TEXTS, asked)
    assert len(fields) == 4
    assert asked.texts == []
    assert [*fields] == [*fields]
    assert asked.texts == [text for text in TEXTS if text[0] == "{"]


def test_one_row_is_parsed_without_the_others() -> None:
    asked = Asked()
    assert Parsed(TEXTS, asked)[0] == {"a": 1}
    assert asked.texts == ['{"a":1}']


def test_the_texts_tell_the_fields_until_one_of_the_two_columns_is_another() -> None:
    rows = _rows(TEXTS)
    assert told_by_texts(rows)
    rows = replace(rows, fields=Parsed(rows.texts))
    assert told_by_texts(rows)
    assert not told_by_texts(replace(rows, fields=list(rows.fields or ())))
    assert not told_by_texts(replace(rows, texts=["changed", *TEXTS[1:]]))


def test_rows_that_are_kept_keep_their_fields() -> None:
    rows = replace(_rows(TEXTS), fields=Parsed(TEXTS))
    kept = rows.keep([True, False, True, True])
    assert kept.fields == [{"a": 1}, None, {"a": "long"}]
