"""`/status` can always be shown."""

import logging

import orjson

from logship.config import load
from logship.pipeline import Pipeline
from logship.registry import Registry
from logship.status import status
from logship.testing import texts_batch, world

CONFIG = """\
sources: {logs: {type: files, paths: [/var/log/*.log]}}
routes:
  - name: all
    from: [logs]
    transforms: [{type: grep, drop: {contains: [noise]}}]
    to: out
sinks: {out: {type: stdout}}
"""


def test_rows_dropped_by_a_transform_are_shown_under_its_name() -> None:
    config = load(CONFIG, file="x.yaml", env={}, registry=Registry.installed())
    pipeline = Pipeline(config, world(), logging.getLogger("test"))
    route = pipeline.routes[0]
    name, grep = route.transforms[0]
    batch = texts_batch(["noise", "signal"])
    route.counters.dropped_rows[name] += len(batch.rows) - len(grep.apply(batch).rows)
    shown = orjson.loads(orjson.dumps(status(pipeline)))
    assert shown["routes"]["all"]["dropped_rows"] == {"grep": 1}
