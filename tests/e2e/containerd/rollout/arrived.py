"""What arrived at the two sinks, row by row, with every copy."""

import grpc
import msgspec
from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from logship_debug.lines import json_lines
from logship_gcp import block_format

from tests.e2e.destinations import Arrived, assert_copies_agree
from tests.e2e.sandbox_process import SandboxProcess


def in_cloud_logging(sandbox: SandboxProcess) -> list[Arrived]:
    return sandbox.rows(sandbox.environment["GOOGLE_CLOUD_PROJECT"])


def in_pubsub(sandbox: SandboxProcess, subscription: str) -> list[Arrived]:
    """Every message is pulled by Google's client, and read as the loader reads it."""
    address = sandbox.environment["PUBSUB_EMULATOR_HOST"]
    name = f"projects/{sandbox.environment['GOOGLE_CLOUD_PROJECT']}/subscriptions/{subscription}"
    rows: list[Arrived] = []
    unbounded = [("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(address, options=unbounded) as channel:
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        while True:
            try:
                found = subscriber.pull(
                    subscription=name, max_messages=1000, timeout=1.0, retry=None
                ).received_messages
            except DeadlineExceeded:
                return rows
            if not found:
                return rows
            for received in found:
                batch = block_format.decode(received.message.data)
                rows += [msgspec.json.decode(line, type=Arrived) for line in json_lines(batch)]
            tickets = [received.ack_id for received in found]
            subscriber.acknowledge(subscription=name, ack_ids=tickets)


def without_copies(rows: list[Arrived]) -> list[Arrived]:
    """Each id once, as the destination would show it. Copies have to agree."""
    assert_copies_agree(rows)
    return list({row.id: row for row in rows}.values())
