"""What `logship test` says is what the agent does: both are given the same bytes.

The agent runs in this process, reads a real tree of the kubelet, and writes to the sink `file`; the
lines of that file are what the test shows as sent, with ids, times and labels.
"""

import asyncio
import logging
import re
from pathlib import Path

import orjson
import pytest

from logship.cli import main
from logship.config import load
from logship.pipeline import Pipeline
from logship.registry import Registry
from logship.testing import world

WAIT_SECS = 20.0
POD = {"namespace": "shop", "name": "cart-0", "annotations": {"logship/multiline": "python"}}
LINES = [
    "2026-03-01T10:00:00.1Z stdout F plain",
    '2026-03-01T10:00:00.2Z stdout F {"log_type":"app","n":1}',
    "2026-03-01T10:00:00.3Z stderr F Traceback (most recent call last):",
    '2026-03-01T10:00:00.4Z stdout P {"log_type":"app",',
    '2026-03-01T10:00:00.5Z stderr F   File "a.py", line 1, in <module>',
    "2026-03-01T10:00:00.6Z stderr F ValueError: x",
    '2026-03-01T10:00:00.7Z stdout F "n":2}',
    "2026-03-01T10:00:00.8Z stdout F dropped",
    "no line of the format",
    "2026-03-01T10:00:00.9Z stdout F contact ann@example.com",
]
CONFIG = """\
cluster: prod
node: node-1
state_dir: {state}
sources:
  containers:
    type: kubernetes
    root: {root}
    start_from: beginning
    metadata: {{from: file, path: {pods}}}
routes:
  - {{name: app, from: [containers], when: {{json.log_type: app}}, to: app}}
  - name: copy
    from: [containers]
    match: {{namespace: "s*"}}
    continue: true
    to: copy
  - name: rest
    from: [containers]
    transforms:
      - {{type: grep, drop: {{contains: dropped}}}}
      - {{type: redact, patterns: [email]}}
      - {{type: add_labels, labels: {{env: test}}}}
    to: rest
sinks:
  app: {{type: file, dir: {out}, name: app}}
  copy: {{type: file, dir: {out}, name: copy}}
  rest: {{type: file, dir: {out}, name: rest}}
"""
SINKS = ("app", "copy", "rest")
Lines = dict[str, list[object]]


def prepared(home: Path) -> Path:
    log = home / "pods" / "shop_cart-0_uid-1" / "cart"
    log.mkdir(parents=True)
    (log / "0.log").write_text("".join(f"{line}\n" for line in LINES))
    (home / "pods.json").write_bytes(orjson.dumps({"pods": [POD]}))
    text = CONFIG.format(
        state=home / "state", root=home / "pods", pods=home / "pods.json", out=home / "out"
    )
    (home / "logship.yaml").write_text(text)
    return home / "logship.yaml"


def shipped_by_the_agent(config: Path, wanted: int) -> Lines:
    out = config.parent / "out"

    def lines() -> Lines:
        files = {sink: out / sink for sink in SINKS}
        return {
            sink: [orjson.loads(line) for line in file.read_bytes().splitlines()]
            for sink, file in files.items()
            if file.exists()
        }

    async def run() -> None:
        here, stop = world(), asyncio.Event()
        loaded = load(config.read_text(), file="c", env={}, registry=Registry.installed())
        agent = asyncio.create_task(Pipeline(loaded, here, logging.getLogger("test")).run(stop))
        try:
            async with asyncio.timeout(WAIT_SECS):
                while sum(map(len, lines().values())) < wanted:
                    await asyncio.sleep(0.02)
        finally:
            stop.set()
            await agent
            here.offload.close()

    asyncio.run(run())
    return lines()


def shown_by_the_test(config: Path, capsys: pytest.CaptureFixture[str]) -> Lines:
    given = {
        "source": "containers", "namespace": "shop", "pod": "cart-0", "uid": "uid-1",
        "container": "cart", "annotations": POD["annotations"], "lines": LINES,
    }  # fmt: skip
    tests = config.parent / "tests.json"
    tests.write_bytes(orjson.dumps({"tests": [{"name": "all", "given": [given]}]}))
    main(["test", "-c", str(config), "--json", str(tests)])
    (found,) = orjson.loads(capsys.readouterr().out)["tests"]
    return {sink: [row["sent"] for row in found["sent"] if row["sink"] == sink] for sink in SINKS}


def test_both_send_the_same_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = prepared(tmp_path)
    shown = shown_by_the_test(config, capsys)
    assert {sink: len(rows) for sink, rows in shown.items()} == {"app": 2, "copy": 5, "rest": 4}
    assert re.search(r"ValueError: x", str(shown["rest"]))
    assert shipped_by_the_agent(config, 11) == shown
