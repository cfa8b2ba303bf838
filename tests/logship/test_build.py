"""What components find wrong is told all at once."""

import logging

import pytest

from logship.build import Misconfigured
from logship.config import load
from logship.pipeline import Pipeline
from logship.registry import Registry
from logship.testing import world

TWO_MISTAKES = """\
sources: {logs: {type: files, paths: [/var/log/*.log]}}
routes:
  - name: all
    from: [logs]
    to: out
sinks:
  out: {type: pubsub, project: my-project, topic: x}
  other: {type: pubsub, project: my-project, topic: "has space"}
"""


def test_problems_of_several_components_come_together() -> None:
    config = load(TWO_MISTAKES, file="x.yaml", env={}, registry=Registry.installed())
    with pytest.raises(Misconfigured) as caught:
        Pipeline(config, world(), logging.getLogger("test"))
    paths = [problem.path for problem in caught.value.problems]
    assert paths == ["sinks.out.topic", "sinks.other.topic"]
