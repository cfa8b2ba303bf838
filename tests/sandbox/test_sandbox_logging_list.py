"""entries:list: filters, order, pages and the dropping of copies; the store behind it."""

from collections.abc import Awaitable, Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logship_sandbox.client import Rest
from logship_sandbox.logging_filter import parse_filter
from logship_sandbox.logging_schema import LogEntry
from logship_sandbox.logging_store import BLOCK_ROWS, Store
from logship_sandbox.logging_time import SECOND, format_time
from logship_sandbox.server import Sandbox

Run = Callable[[Callable[[Sandbox, Rest], Awaitable[None]]], None]
DAY = 20_000 * 86_400 * SECOND
EVERYTHING = parse_filter("")
PROJECT = frozenset({"projects/p"})


def entry(
    nanos: int = 0, insert_id: str = "i", log: str = "stdout", project: str = "p"
) -> LogEntry:
    return {
        "logName": f"projects/{project}/logs/{log}",
        "resource": {"type": "k8s_container", "labels": {"pod_name": "web-1"}},
        "timestamp": format_time(DAY + nanos),
        "insertId": insert_id,
        "severity": "INFO",
        "labels": {"k8s-pod/app": "web"},
    }


FULL: LogEntry = {
    **entry(5 * SECOND, "0A"),
    "jsonPayload": {"message": "Took 5 ms", "ms": 5, "ok": True, "user": {"name": "Ann"}},
    "severity": "WARNING",
}


@pytest.mark.parametrize(
    "text",
    [
        "",
        'logName="projects/p/logs/stdout"',
        "logName = projects/p/logs/stdout",
        'log_id("stdout")',
        'resource.type="k8s_container" AND resource.labels.pod_name="web-1"',
        'resource.type="k8s_container" resource.labels.pod_name="web-1"',
        'resource.type="k8s_container"\n  resource.labels.pod_name="web-1"\n',
        "severity>=WARNING",
        "severity=warning",
        "severity>INFO AND severity<ERROR AND severity!=INFO",
        "severity<=400",
        'labels."k8s-pod/app"="web"',
        "labels.k8s-pod/app=web",
        'labels."k8s-pod/app":"WE"',
        'labels."k8s-pod/app":*',
        'insertId="0A"',
        'timestamp>="2024-10-04T00:00:05Z" AND timestamp<="2024-10-04T00:00:05Z"',
        'timestamp="2024-10-04T02:00:05+02:00"',
        'jsonPayload.message:"took"',
        "jsonPayload.ms>=5 jsonPayload.ms<5.5",
        "jsonPayload.ok=true",
        'jsonPayload.user.name="ann"',
        'jsonPayload."message"!="other"',
    ],
)
def test_a_filter_matches(text: str) -> None:
    assert parse_filter(text)(FULL)


@pytest.mark.parametrize(
    "text",
    [
        'logName="projects/p/logs/stderr"',
        'log_id("out")',
        "severity<WARNING",
        'labels."other"="web"',
        'labels."other"!="web"',  # a comparison with what is not set is false
        'labels."other":*',
        'insertId!="0A"',
        'timestamp>"2024-10-04T00:00:05Z"',
        "jsonPayload.ms>5",
        'jsonPayload.ms="five"',
        'textPayload:""',
        'severity=WARNING AND insertId="x"',
    ],
)
def test_a_filter_does_not_match(text: str) -> None:
    assert not parse_filter(text)(FULL)


@pytest.mark.parametrize(
    "text",
    [
        "severity=INFO OR severity=ERROR",
        "NOT severity=INFO",
        "-severity=INFO",
        "(severity=INFO)",
        'jsonPayload.message=~"a.*"',
        'textPayload!~"a"',
        "just words",
        '"text"',
        "unknown=1",
        "severity=LOUD",
        "severity:WARN",
        'timestamp="yesterday"',
        "severity=INFO AND",
        'insertId="a"insertId="b"',
        "sample(insertId, 0.5)",
    ],
)
def test_a_filter_beyond_the_supported_is_a_400_that_says_so(with_sandbox: Run, text: str) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        answer = await rest.list(text)
        assert answer.status == 400
        assert answer.error["status"] == "INVALID_ARGUMENT"

    with_sandbox(test)


def ids(entries: list[dict[str, object]]) -> list[object]:
    return [found["insertId"] for found in entries]


def test_order_is_by_time_then_insert_id_in_both_directions(with_sandbox: Run) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        entries = [entry(2, "a"), entry(1, "c"), entry(1, "b"), entry(3, "d")]
        await rest.write({"entries": entries})
        assert ids((await rest.list()).entries) == ["b", "c", "a", "d"]
        assert ids((await rest.list(orderBy="timestamp desc")).entries) == ["d", "a", "c", "b"]
        assert (await rest.list(orderBy="severity")).status == 400

    with_sandbox(test)


def test_pages_cover_a_result_exactly_once_while_more_is_written(with_sandbox: Run) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        await rest.write({"entries": [entry(n, f"{n:04}") for n in range(25)]})
        page = await rest.list(pageSize=10)
        found = page.entries
        while token := page.body.get("nextPageToken"):
            await rest.write({"entries": [entry(-1 - len(found), f"late{len(found)}")]})
            page = await rest.list(pageSize=10, pageToken=token)
            found += page.entries
        assert ids(found) == [f"{n:04}" for n in range(25)]

    with_sandbox(test)


@pytest.mark.parametrize(("asked", "given"), [(0, 50), (999, 999), (1000, 1000), (1001, 1000)])
def test_a_page_has_50_entries_unless_asked_and_never_over_1000(
    with_sandbox: Run, asked: int, given: int
) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        await rest.write({"entries": [entry(n, f"{n}") for n in range(1500)]})
        assert len((await rest.list(pageSize=asked)).entries) == given

    with_sandbox(test)


@pytest.mark.parametrize("more", [{"pageSize": -1}, {"pageToken": "x.0"}, {"pageToken": "x"}])
def test_a_wrong_page_is_refused(with_sandbox: Run, more: dict[str, object]) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        assert (await rest.list(**more)).status == 400  # type: ignore[arg-type]

    with_sandbox(test)


def test_a_page_token_belongs_to_its_query(with_sandbox: Run) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        await rest.write({"entries": [entry(n, f"{n}") for n in range(3)]})
        token = (await rest.list(pageSize=1)).body["nextPageToken"]
        assert (await rest.list("severity=INFO", pageSize=1, pageToken=token)).status == 400

    with_sandbox(test)


def test_copies_are_dropped_from_a_result_and_kept_in_the_export(with_sandbox: Run) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        same, other_time = entry(1, "a"), entry(2, "a")
        other_log, other_id = entry(1, "a", log="stderr"), entry(1, "b")
        await rest.write({"entries": [same, other_time, other_id]})
        await rest.write({"entries": [same, other_log]})
        # logName is not part of the key: project, timestamp and insertId are.
        assert ids((await rest.list()).entries) == ["a", "b", "a"]
        assert len((await rest.get("/sandbox/entries")).splitlines()) == 5

    with_sandbox(test)


def test_a_list_shows_the_named_project_only(with_sandbox: Run) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        await rest.write({"entries": [entry(1, "a"), entry(1, "a", project="q")]})
        assert len((await rest.list()).entries) == 1
        assert len((await rest.list(project="q")).entries) == 1
        assert (await rest.post("/v2/entries:list", {})).status == 400

    with_sandbox(test)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from("abc")), max_size=60),
    st.integers(1, 20),
)
def test_a_search_is_the_sorted_set_of_what_was_appended(
    rows: list[tuple[int, str]], per_append: int
) -> None:
    store = Store()
    for start in range(0, len(rows), per_append):
        store.append([entry(*row) for row in rows[start : start + per_append]], 10_000_000)
    found = store.get(store.search()(EVERYTHING, PROJECT, False))
    expected = [entry(*row) for row in sorted(set(rows))]
    assert found == expected


def test_sealed_blocks_give_back_every_entry() -> None:
    store = Store()
    rows = [entry(n, f"{n}") for n in range(2 * BLOCK_ROWS + 7)]
    store.append(rows, 1000 * len(rows))
    assert list(store.entries()) == rows
    assert len(store) == len(rows)
    assert store.get(store.search()(EVERYTHING, PROJECT, False)) == rows


def test_a_search_shows_what_was_stored_when_it_began() -> None:
    store = Store()
    store.append([entry(1)], 100)
    search = store.search()
    store.append([entry(n, f"{n}") for n in range(BLOCK_ROWS)], 100)
    assert len(search(EVERYTHING, PROJECT, False)) == 1


def test_a_million_entries_stay_small() -> None:
    store = Store()
    rows = [entry(n, f"{n:020x}") for n in range(20_000)]
    store.append(rows, len(orjson.dumps(rows)))
    held = sum(len(block.packed) + 12 * len(block.times) for block in store._blocks[:-1])
    assert held / len(store) < 100  # bytes an entry: 100 MB for a million
