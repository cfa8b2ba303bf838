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
    "0001-01-01T00:00:00Z", "2026-11-23T04:46:31.123456789Z",
)  # fmt: skip
_ODD_TIMES = (
    "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", "2027-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T04:46:60Z", "0000-01-01T00:00:00Z",
    "2026-11-23T04:46:31.Z", "2026-11-23T04:46:31.1234567890Z", "2026-11-23T04:46:31",
    "2026-11-23T04:46:31+00:00", "2026-11-23T04:46:31-23:59", "2026-11-23 04:46:31Z",
    "2026-11-23T04:46:31Z ", "2026-11-23T04:46:31ZZ", "2026-11-23T04:46:31.1+01:00Z",
    "2026-11-23T04:46:31.5\\u005a", "2026-11-23T04:46:31.5日Z",
)  # fmt: skip
_IDS = ("0" * 32, "aF9" * 10 + "00", "g" * 32, "0" * 31, "0" * 33, "x", "日" * 32)
_SEVERITIES = ("INFO", "INFO", "error", "WARN", "DEFAULT", "200", "bogus", " info ")


def _quoted(texts: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.sampled_from([f'"{text}"' for text in texts])


_any = st.sampled_from(_ANY)
_text = st.sampled_from(['"GET"', '"/v1"', '""', '"\\n\\u00e9"', '"日本"', '"' + "y" * 300 + '"'])
_flag = st.sampled_from(["true", "false"])
_number = st.sampled_from(["0", "200", "404", "999999999"])
_latency = st.sampled_from(['"1.5s"', '"0s"', '"12.000000001s"', '"7.25s"', '"3.s"'])
_REQUEST = {
    "requestMethod": _text, "requestUrl": _text, "status": _number, "responseSize": _number,
    "latency": _latency, "cacheHit": _flag, "protocol": _text,
}  # fmt: skip
_OPERATION = {"id": _text, "producer": _text, "first": _flag, "last": _flag}
_SOURCE = {"file": _text, "line": _number, "function": _text}
_nothing = st.sampled_from(["null", '""', "{}"])
_space = st.sampled_from(["", "", "", "", " ", "\t", "  \r "])


@st.composite
def _joined(draw: st.DrawFn, members: list[tuple[str, str]]) -> str:
    texts = []
    for key, value in members:
        a, b, c, d = (draw(_space) for _ in range(4))
        texts.append(f'{a}"{key}"{b}:{c}{value}{d}')
    return "{" + ",".join(texts) + (draw(_space) if not texts else "") + "}"


@st.composite
def _record(draw: st.DrawFn, parts: dict[str, st.SearchStrategy[str]], odd: bool = False) -> str:
    """Parts of their types; `odd`: and one that may be of none."""
    keys = draw(st.lists(st.sampled_from(sorted(parts)), min_size=1, max_size=4, unique=True))
    members = [(key, draw(parts[key])) for key in keys]
    if odd:
        name = draw(st.sampled_from([*parts, "unknown"]))
        members.insert(draw(st.integers(0, len(members))), (name, draw(_any)))
    return draw(_joined(members))


_USUAL = {
    ("severity", "level"): _quoted(_SEVERITIES),
    ("time", "timestamp"): _quoted(_TIMES),
    (PREFIX + "trace", "trace"): _quoted(_IDS),
    (PREFIX + "spanId",): _quoted(_IDS),
    (PREFIX + "trace_sampled", PREFIX + "traceSampled"): _flag,
    ("httpRequest", PREFIX + "http_request"): _record(_REQUEST),
    (PREFIX + "operation",): _record(_OPERATION),
    (PREFIX + "sourceLocation",): _record(_SOURCE),
    (PREFIX + "labels",): _record({"a": _text, "": _text, "日": _text, "logship": _text}),
    ("message", "msg", "log"): _text,
    ("trace", PREFIX + "spanId", "httpRequest", "time", PREFIX + "traceSampled"): _nothing,
}
"""One key of each of some kinds, with such a value, is what the compiled kernel lifts."""
_own_labels = st.sampled_from(['{"logship/a":"b"}', '{"a":"b","c":1}', '{"a":null}', "{}"])
_ODD = {
    "severity": _quoted((*_SEVERITIES, "x" * 70)), "level": _quoted(_SEVERITIES),
    "time": _quoted(_ODD_TIMES), "timestamp": _quoted((*_TIMES, *_ODD_TIMES)),
    "timestampSeconds": st.just("1"), "timestampNanos": st.just("2"),
    "trace": _quoted(("", "\\u0030" * 32)), PREFIX + "spanId": _quoted(("", "\\n")),
    PREFIX + "trace_sampled": _any, "httpRequest": _record(_REQUEST, True),
    PREFIX + "operation": _record(_OPERATION, True),
    PREFIX + "sourceLocation": _record(_SOURCE, True),
    PREFIX + "labels": _own_labels, PREFIX + "insertId": _quoted(_IDS), "msg": _any,
}  # fmt: skip


@st.composite
def special_objects(draw: st.DrawFn) -> bytes:
    """The text of an object with some special fields, of usual forms but perhaps for one."""
    kinds = draw(st.lists(st.sampled_from(sorted(_USUAL)), max_size=7, unique=True))
    members = {draw(st.sampled_from(keys)): draw(_USUAL[keys]) for keys in kinds}
    members |= {key: draw(_any) for key in draw(st.sampled_from(["ab", "abc", "a", "", "", ""]))}
    if draw(st.booleans()):
        odd = draw(st.sampled_from(sorted(_ODD)))
        members[odd] = draw(_ODD[odd])
    twice = draw(st.sampled_from([*members, *[None] * 20]))
    again = [] if twice is None else [(twice, members[twice])]
    return draw(_joined(draw(st.permutations([*members.items(), *again])))).encode()
