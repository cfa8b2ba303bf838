"""Topic, subscription and table between agent and loader, through Google's own clients."""

from collections.abc import Iterator

import grpc
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from tests.e2e.account import Copy
from tests.e2e.configs import Options
from tests.e2e.sandbox_process import SandboxProcess

PROJECT = "e2e"
TOPIC, SUBSCRIPTION = "app-logs", "app-logs-loader"
DATASET, TABLE = "logs", "app"
LEASE_SECS = 10
"""Short: what a killed loader held comes again after so long."""
_CALL_SECS = 60.0
_COPIES = f"""
SELECT insert_id, UNIX_MICROS(timestamp) * 1000 + nanos, stream, SUBSTR(message, 1, 40),
       TO_HEX(MD5(message))
FROM `{DATASET}.{TABLE}`
"""


def make_topic(sandbox: SandboxProcess) -> None:
    topic = f"projects/{PROJECT}/topics/{TOPIC}"
    name = f"projects/{PROJECT}/subscriptions/{SUBSCRIPTION}"
    with grpc.insecure_channel(sandbox.environment["PUBSUB_EMULATOR_HOST"]) as channel:
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        publisher.create_topic(name=topic)
        subscriber.create_subscription(name=name, topic=topic, ack_deadline_seconds=LEASE_SECS)


def pubsub_sink(sandbox: SandboxProcess) -> Options:
    endpoint = sandbox.environment["PUBSUB_EMULATOR_HOST"]
    return {
        "type": "pubsub", "project": PROJECT, "topic": TOPIC, "format": "block",
        "endpoint": endpoint,
    }  # fmt: skip


def loader(sandbox: SandboxProcess) -> Options:
    """The configuration of a loader: the subscription into the table."""
    environment = sandbox.environment
    return {
        "sources": {
            "app_logs": {
                "type": "pubsub",
                "project": PROJECT,
                "subscription": SUBSCRIPTION,
                "endpoint": environment["PUBSUB_EMULATOR_HOST"],
                "lease_secs": LEASE_SECS,
            }
        },
        "routes": [{"name": "load", "from": ["app_logs"], "to": "tables"}],
        "sinks": {
            "tables": {
                "type": "bigquery",
                "project": PROJECT,
                "dataset": DATASET,
                "table": TABLE,
                "endpoint": environment["BIGQUERY_EMULATOR_HOST"],
                "grpc_endpoint": environment["LOGSHIP_BIGQUERY_STORAGE_ENDPOINT"],
            }
        },
    }


class Table:
    """The table and its dedup view, as an analyst asks them."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
        endpoint = ClientOptions(api_endpoint=sandbox.environment["BIGQUERY_EMULATOR_HOST"])
        self._client = bigquery.Client(PROJECT, nobody, client_options=endpoint)

    def _ask(self, sql: str) -> Iterator[tuple[object, ...]]:
        for row in self._client.query_and_wait(sql, api_timeout=_CALL_SECS):
            yield row.values()

    def _number(self, sql: str) -> int:
        ((found,),) = self._ask(sql)
        return int(str(found))

    def ids(self) -> int:
        """Rows that have arrived, however often."""
        return self._number(f"SELECT COUNT(DISTINCT insert_id) FROM `{DATASET}.{TABLE}`")

    def copies(self) -> Iterator[Copy]:
        """Every row of the table."""
        for row_id, time_ns, stream, head, digest in self._ask(_COPIES):
            yield Copy(str(row_id), int(str(time_ns)), str(stream), str(head), str(digest))

    def rows_of_the_view(self) -> int:
        return self._number(f"SELECT COUNT(*) FROM `{DATASET}.{TABLE}_dedup`")

    def doubled_in_the_view(self) -> int:
        """Ids that the view shows more than once."""
        return self._number(
            f"SELECT COUNT(*) FROM (SELECT insert_id FROM `{DATASET}.{TABLE}_dedup` "
            "GROUP BY insert_id HAVING COUNT(*) > 1)"
        )
