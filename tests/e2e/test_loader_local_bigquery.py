"""Agent and loader as processes, with Pub/Sub between them, into a BigQuery that nobody here wrote.

For both formats the loader makes the table and fills it; what arrived is asked for through Google's
own client. The agent ships everything twice (the second time without its positions), so that the
table holds a copy of each row and the view has something to take away.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import pytest
import yaml

from tests.e2e.agent_process import Agent
from tests.e2e.configs import Options, containers
from tests.e2e.kubelet import ContainerLog
from tests.e2e.loader_cases import (
    CASES,
    NANOS,
    PODS,
    ROWS,
    SHARED,
    cri,
    numbered,
    pod_names,
    pod_rows,
    time_of,
)
from tests.e2e.local_bigquery import VARIABLE, LocalBigQuery, executable
from tests.e2e.pipeline import DATASET, PROJECT, TABLE, loader, make_topic, pubsub_sink
from tests.e2e.sandbox_process import SandboxProcess

DELIVERY_SECS = 60.0


@dataclass(frozen=True)
class Loaded:
    """What a pipeline left in BigQuery."""

    bigquery: LocalBigQuery
    dataset: str

    @cached_property
    def once(self) -> dict[tuple[str, datetime], dict[str, object]]:
        """The view's rows by pod and time, which together are unique in the log."""
        rows = list(self.bigquery.rows(f"SELECT * FROM `{self.dataset}.{TABLE}_dedup`"))
        found = {(str(row["pod"]), _time(row["timestamp"])): row for row in rows}
        assert len(found) == len(rows), "two rows of the view have the same pod and time"
        return found

    def ids(self, name: str) -> Counter[str]:
        asked = self.bigquery.rows(f"SELECT insert_id FROM `{self.dataset}.{name}`")
        return Counter(str(row["insert_id"]) for row in asked)


def _time(value: object) -> datetime:
    assert isinstance(value, datetime), f"the client gives a TIMESTAMP as {value!r}"
    return value


@pytest.fixture(scope="module")
def local_bigquery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBigQuery]:
    program = executable()
    if program is None:
        pytest.skip(f"{VARIABLE} is not the path of local-bigquery's executable")
    made = LocalBigQuery(program, tmp_path_factory.mktemp("bigquery"), PROJECT)
    yield made
    made.close()


@pytest.fixture(scope="module", params=["block", "record"])
def loaded(
    request: pytest.FixtureRequest,
    local_bigquery: LocalBigQuery,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Loaded]:
    """Logs that went through agent, Pub/Sub and loader in one of the formats."""
    home = tmp_path_factory.mktemp(request.param)
    dataset = f"{DATASET}_{request.param}"
    google = SandboxProcess(home, "--no-bigquery")
    google.environment |= local_bigquery.environment
    reader = Agent(home, loader_into(google, dataset), "loader")
    agents = [Agent(home, agent_config(home, google, request.param), n) for n in ("one", "two")]
    try:
        make_topic(google)
        write_logs(home)
        reader.start()
        for agent in agents:
            agent.start()
            agent.wait_delivered(ROWS, DELIVERY_SECS)
            assert agent.terminate() == 0, agent.log()
        reader.wait_delivered(2 * ROWS, DELIVERY_SECS, "load")
        assert reader.status().trouble == [], reader.log()
        yield Loaded(local_bigquery, dataset)
        assert reader.terminate() == 0, reader.log()
    finally:
        for process in (reader, *agents):
            process.kill()
        google.close()


def loader_into(google: SandboxProcess, dataset: str) -> Options:
    made = loader(google)
    sinks = made["sinks"]
    assert isinstance(sinks, dict)
    sinks["tables"] |= {"dataset": dataset, "partition_expiration_days": 90}
    return made


def agent_config(home: Path, google: SandboxProcess, format_: str) -> Options:
    metadata = {"from": "file", "path": str(home / "pods.yaml")}
    return {
        "cluster": "test",
        "node": "node-1",
        "sources": {"containers": containers(home / "pods", metadata=metadata)},
        "routes": [{"name": "all", "from": ["containers"], "to": "topic"}],
        "sinks": {"topic": {**pubsub_sink(google), "format": format_}},
    }


def write_logs(home: Path) -> None:
    pods = [{"namespace": "shop", "name": n, "labels": {"app": "cart"}} for n in pod_names()]
    (home / "pods.yaml").write_text(yaml.safe_dump({"pods": pods}))
    for pod in pod_names():
        log = ContainerLog(home / "pods", pod)
        log.append(b"".join(cri(number, case) for number, case in enumerate(pod_rows(pod))))
        log.close()


def test_the_loader_made_the_table_with_its_partitions_clusters_and_columns(
    loaded: Loaded,
) -> None:
    table = loaded.bigquery.client.get_table(f"{PROJECT}.{loaded.dataset}.{TABLE}")
    partitioning = table.time_partitioning
    assert partitioning is not None
    assert (partitioning.type_, partitioning.field) == ("DAY", "timestamp")
    assert partitioning.expiration_ms == 90 * 24 * 3600 * 1000
    assert table.clustering_fields == ["namespace", "container", "severity"]
    times = ["timestamp", "event_time", "ingest_time"]
    texts = "severity message cluster namespace pod container node stream trace span_id insert_id"
    expected = dict.fromkeys(times, "TIMESTAMP") | dict.fromkeys(texts.split(), "STRING")
    expected |= {"nanos": "INTEGER", "payload": "JSON", "labels": "JSON"}
    assert {field.name: field.field_type for field in table.schema} == expected
    assert [field.name for field in table.schema if field.mode == "REQUIRED"] == ["timestamp"]


def test_the_view_shows_each_row_once_of_a_table_that_holds_copies(loaded: Loaded) -> None:
    every, once = loaded.ids(TABLE), loaded.ids(f"{TABLE}_dedup")
    assert min(every.values()) >= 2, "else this test shows less than it says"
    assert len(every) == ROWS
    assert once == Counter(every.keys())


def test_every_numbered_row_arrives_with_its_text_and_time(loaded: Loaded) -> None:
    arrived = {key: row["message"] for key, row in loaded.once.items()}
    expected = {
        (pod, time_of(len(CASES) + number)): line
        for pod in pod_names()
        for number, line in enumerate(numbered(pod))
    }
    assert {key: arrived.get(key) for key in expected} == expected


@pytest.mark.parametrize("name", CASES)
def test_a_row_fills_its_columns(loaded: Loaded, name: str) -> None:
    number, case = list(CASES).index(name), CASES[name]
    row = loaded.once["cart-1", time_of(number)]
    absent = dict.fromkeys(("message", "payload", "event_time", "trace", "span_id"))
    own = {"timestamp": time_of(number), "nanos": NANOS, "pod": "cart-1", "stream": case.stream}
    at_random = {name: row[name] for name in ("insert_id", "ingest_time")}
    assert row == {**absent, **SHARED, **own, **case.columns, **at_random}
    assert abs(datetime.now(UTC) - _time(row["ingest_time"])) < timedelta(minutes=5)


def test_sql_finds_rows_by_day_and_by_a_field_of_the_payload(loaded: Loaded) -> None:
    found = loaded.bigquery.rows(
        "SELECT severity, JSON_VALUE(payload, '$.user.id') AS user, COUNT(*) AS rows_ "
        f"FROM `{loaded.dataset}.{TABLE}_dedup` WHERE DATE(timestamp) = '2026-05-01' "
        "AND JSON_VALUE(payload, '$.user.id') IS NOT NULL GROUP BY 1, 2"
    )
    assert list(found) == [{"severity": "WARNING", "user": "7", "rows_": PODS}]
