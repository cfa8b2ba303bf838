"""The configurations of the demo's agent and loader, as a person would write them.

What differs from a cluster: endpoints and directories are the sandbox's, and the metadata of pods
comes from a file, because there is no API server.
"""

import json
from collections.abc import Mapping
from pathlib import Path

PROJECT = "logship-sandbox"
TOPIC, SUBSCRIPTION = "app-logs", "app-logs-loader"
DATASET, TABLE = "logs", "app"

_AGENT = """\
# The agent: stdout to Cloud Logging; rows marked as application events to Pub/Sub.
cluster: demo
node: demo-node
state_dir: {directory}/agent-state
drain_timeout_secs: 5
admin: {{listen: "127.0.0.1:{port}"}}

sources:
  containers:
    type: kubernetes
    root: {directory}/pods
    metadata: {{from: file, path: {directory}/pods.json}}

routes:
  - name: app-events              # application logs mixed into stdout, marked by a JSON field
    from: [containers]
    when: {{json.log_type: app}}
    to: app_logs
  - name: rest
    from: [containers]
    to: gcl

sinks:
  gcl:
    type: cloud_logging
    project: {project}
    location: europe-west1-b
    endpoint: {logging}
  app_logs:
    type: pubsub
    project: {project}
    topic: {topic}
    format: block                 # compressed log as it was read; rows are made by the loader
    endpoint: "{pubsub}"
"""

_LOADER = """\
# The loader: the same engine, from the subscription into BigQuery.
state_dir: {directory}/loader-state
drain_timeout_secs: 5
admin: {{listen: "127.0.0.1:{port}"}}

sources:
  app_logs:
    type: pubsub
    project: {project}
    subscription: {subscription}
    endpoint: "{pubsub}"

routes:
  - name: load
    from: [app_logs]
    to: tables

sinks:
  tables:
    type: bigquery
    project: {project}
    dataset: {dataset}
    table: {table}
    endpoint: {rest}
    grpc_endpoint: "{write}"
"""


def write_configs(
    directory: Path, variables: Mapping[str, str], ports: tuple[int, int]
) -> tuple[Path, Path]:
    """agent.yaml and loader.yaml; `variables` are the sandbox's, `ports` of the admin servers."""
    known = {
        "directory": str(directory),
        "project": PROJECT,
        "topic": TOPIC,
        "subscription": SUBSCRIPTION,
        "dataset": DATASET,
        "table": TABLE,
        "logging": variables["LOGSHIP_LOGGING_ENDPOINT"],
        "pubsub": variables["PUBSUB_EMULATOR_HOST"],
        "rest": variables["BIGQUERY_EMULATOR_HOST"],
        "write": variables["LOGSHIP_BIGQUERY_STORAGE_ENDPOINT"],
    }
    agent, loader = directory / "agent.yaml", directory / "loader.yaml"
    agent.write_text(_AGENT.format(port=ports[0], **known))
    loader.write_text(_LOADER.format(port=ports[1], **known))
    return agent, loader


def write_metadata(path: Path, metadata: Mapping[str, object]) -> None:
    path.write_text(json.dumps(metadata, indent=1))
