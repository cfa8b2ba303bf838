"""Which parts of a text are secrets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logship_transforms.secrets import PRESETS, PresetName, is_card, luhn

KEY = "AIza" + "Sy0-_9" * 5 + "abcde"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g"


def found(name: PresetName, text: str) -> list[str]:
    return [text[start:end] for start, end in PRESETS[name].spans(text)]


@pytest.mark.parametrize(
    ("name", "text", "secrets"),
    [
        ("email", "from <ann.lee+x@mail.example.co.uk>, to bob@ex.io.", 
         ["ann.lee+x@mail.example.co.uk", "bob@ex.io"]),
        ("email", "grüße@münchen.example", ["grüße@münchen.example"]),
        ("email", "a@b.c@d.e, " + "x" * 70 + "@y.z", ["a@b.c", "@d.e", "x" * 64 + "@y.z"]),
        ("email", "user@localhost, @decorator, a@b", []),
        ("ipv4", "10.0.0.1:80 [192.168.100.200] v=010.001.1.255.", 
         ["10.0.0.1", "192.168.100.200", "010.001.1.255"]),
        ("ipv4", "1.2.3 1.2.3.4.5 256.1.1.1 1.2.3.400", []),
        ("credit_card", "4111111111111111", ["4111111111111111"]),
        ("credit_card", "no 4111-1111-1111-1111/3782 822463 10005.", 
         ["4111-1111-1111-1111", "3782 822463 10005"]),
        ("credit_card", "2026 4111 1111 1111 1111 17", ["4111 1111 1111 1111"]),
        ("credit_card", "4111 1111 1111 1111 4111 1111 1111 1111", 
         ["4111 1111 1111 1111", "4111 1111 1111 1111"]),
        ("credit_card", "4111111111111112 1795409191000000000 1795409191000", []),
        ("credit_card", "41111111111111111", []),
        ("credit_card", "0.4111111111111111 x.4111111111111111", ["4111111111111111"]),
        ("bearer_token", "Authorization: Bearer abc.DEF-123_/+~==, next", 
         ["abc.DEF-123_/+~=="]),
        ("bearer_token", "bearer of bad news; bearer  0123456789", ["0123456789"]),
        ("jwt", f"t={JWT}; x", [JWT]),
        ("jwt", f"x-{JWT}", [JWT]),
        ("jwt", "eyJhbGciOiJIUzI1NiJ9", []),
        ("gcp_api_key", f"?key={KEY}&x=1", [KEY]),
        ("gcp_api_key", "AIzaShort", []),
    ],
)  # fmt: skip
def test_preset(name: PresetName, text: str, secrets: list[str]) -> None:
    assert found(name, text) == secrets


@pytest.mark.parametrize(
    "number",
    ["4111111111111111", "5555555555554444", "2223003122003222", "378282246310005",
     "6011111111111117", "3530111333300000", "30569309025904", "6200000000000005", "4222222222222"],
)  # fmt: skip
def test_the_brands_own_test_numbers_are_cards(number: str) -> None:
    assert is_card(number)
    assert found("credit_card", f"card {number}.") == [number]


@given(st.text("0123456789", min_size=12, max_size=18))
def test_one_wrong_digit_breaks_the_check(digits: str) -> None:
    number = next(digits + last for last in "0123456789" if luhn(digits + last))
    for at, digit in enumerate(number):
        other = str((int(digit) + 1) % 10)
        assert not luhn(number[:at] + other + number[at + 1 :])


@given(st.lists(st.text("4 -1a.@eyJAIzbr", max_size=40), max_size=4), st.sampled_from([*PRESETS]))
def test_a_column_joined_by_newlines_is_clean_if_and_only_if_each_text_is(
    texts: list[str], name: PresetName
) -> None:
    preset = PRESETS[name]
    assert preset.hits("\n".join(texts)) == any(preset.hits(text) for text in texts)


HOSTILE = [
    "a",
    "a.",
    "1",
    "1 ",
    "1.",
    "a@",
    "a@a.",
    "eyJ",
    "eyJa.",
    "AIza",
    "Bearer ",
    "-",
    "4111 ",
]


@pytest.mark.timeout(60)  # quadratic would be many minutes
@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_backtracks_far_on_256_kib_of_a_hostile_text(name: PresetName) -> None:
    for unit in HOSTILE:
        text = (unit * (256 * 1024 // len(unit) + 1))[: 256 * 1024] + "!"
        list(PRESETS[name].spans(text))
