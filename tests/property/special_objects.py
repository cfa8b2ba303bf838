"""Texts of JSON objects with special fields: of the usual forms, and of all that are nearly so.

Made as text, not from dicts: keys occur twice, spaces stand anywhere, strings have escapes.
"""

from hypothesis import strategies as st

PREFIX = "logging.googleapis.com/"
_ANY = (
    '"INFO"', '"true"', '"12"', '""', '"q\\""', '"\\u65e5"', '"日本"', "true", "false", "null",
    "0", "-0", "-1", "7", "1.5", "999999999", "1000000000", "2147483648", "99999999999999999",
    "123456789012345678", "1e3", "[]", "{}", '{"a":1}', '"1.5s"', '"s"', '"01.5s"', '"1.s"',
    '"1 s"', '"1,5s"', '".5s"', '"3.1234567890s"', '"1.123456789s"', '"1234567890s"',
    '"1s\\n"', '"00s"', '"0s"', '"1.2.3s"', '{"seconds":1,"nanos":5}',
)  # fmt: skip
_TIMES = (
    "2026-11-23T04:46:31.123456Z", "2026-11-23T23:59:59Z", "2024-02-29T00:00:00.1Z",
    "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", "2027-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T04:46:60Z", "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z", "2026-11-23T04:46:31.Z", "2026-11-23T04:46:31.1234567890Z",
    "2026-11-23T04:46:31.123456789Z", "2026-11-23T04:46:31", "2026-11-23T04:46:31+00:00",
    "2026-11-23T04:46:31-23:59", "2026-11-23 04:46:31Z", "2026-11-23T04:46:31Z ",
    "2026-11-23T04:46:31ZZ", "2026-11-23T04:46:31.1+01:00Z", "2026-11-23T04:46:31.5\\u005a",
    "2026-11-23T04:46:31.5日Z",
)  # fmt: skip
_IDS = ("0" * 32, "aF9" * 10 + "00", "g" * 32, "0" * 31, "0" * 33, "x", "\\u0030" * 32, "日" * 32)
_SEVERITIES = ("INFO", "INFO", "error", "WARN", "DEFAULT", "200", "bogus", " info ", "x" * 70)


def _quoted(texts: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.sampled_from([f'"{text}"' for text in texts])


_any = st.sampled_from(_ANY)
_text = st.sampled_from(['"GET"', '"/v1"', '""', '"\\n\\u00e9"', '"日本"', '"' + "y" * 300 + '"'])
_flag = st.sampled_from(["true", "false"])
_number = st.sampled_from(["0", "200", "404", "999999999"])
_latency = st.sampled_from(['"1.5s"', '"0s"', '"12.000000001s"', '"7.25s"'])
_PARTS = {
    "requestMethod": _text, "requestUrl": _text, "status": _number, "responseSize": _number,
    "latency": _latency, "cacheHit": _flag, "protocol": _text,
}  # fmt: skip
_OPERATION = {"id": _text, "producer": _text, "first": _flag, "last": _flag}
_SOURCE = {"file": _text, "line": _number, "function": _text}
_space = st.sampled_from(["", "", "", "", " ", "\t", "  \r "])


@st.composite
def _joined(draw: st.DrawFn, members: list[tuple[str, str]]) -> str:
    texts = []
    for key, value in members:
        a, b, c, d = (draw(_space) for _ in range(4))
        texts.append(f'{a}"{key}"{b}:{c}{value}{d}')
    return "{" + ",".join(texts) + (draw(_space) if not texts else "") + "}"


@st.composite
def _record(draw: st.DrawFn, parts: dict[str, st.SearchStrategy[str]]) -> str:
    """All parts of their types, but perhaps one."""
    keys = draw(st.lists(st.sampled_from(sorted(parts)), max_size=4, unique=True))
    members = [(key, draw(parts[key])) for key in keys]
    if draw(st.integers(0, 2)) == 0:
        odd = draw(st.sampled_from([*parts, "unknown"]))
        members.insert(draw(st.integers(0, len(members))), (odd, draw(_any)))
    return draw(_joined(members))


_FORMS = {
    "severity": _quoted(_SEVERITIES), "level": _quoted(_SEVERITIES),
    "time": _quoted(_TIMES), "timestamp": _quoted(_TIMES),
    "timestampSeconds": st.just("1"), "timestampNanos": st.just("2"),
    PREFIX + "trace": _quoted(_IDS), "trace": _quoted(_IDS), PREFIX + "spanId": _quoted(_IDS),
    PREFIX + "trace_sampled": _flag, PREFIX + "traceSampled": _flag,
    "httpRequest": _record(_PARTS), PREFIX + "http_request": _record(_PARTS),
    PREFIX + "operation": _record(_OPERATION), PREFIX + "sourceLocation": _record(_SOURCE),
    PREFIX + "labels": st.just('{"a":"b"}'), PREFIX + "insertId": _quoted(_IDS),
    "message": _text, "msg": _text,
}  # fmt: skip


@st.composite
def special_objects(draw: st.DrawFn) -> bytes:
    """The text of an object with up to seven special fields."""
    keys = draw(st.lists(st.sampled_from(sorted(_FORMS)), max_size=7, unique=True))
    members = [(key, draw(_FORMS[key])) for key in keys]
    members += [(key, draw(_any)) for key in draw(st.sampled_from(["ab", "abc", "日本", "a", ""]))]
    if draw(st.integers(0, 3)) == 0:  # a value of another type, or a key twice
        odd = draw(st.sampled_from(sorted(_FORMS)))
        members.append((odd, draw(_any)))
    return draw(_joined(draw(st.permutations(members)))).encode()
