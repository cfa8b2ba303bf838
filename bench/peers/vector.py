"""Vector: the file source, a remap that parses CRI lines, the http sink with end-to-end acks.

`kubernetes_logs` needs an API server, so its parts are used: the file source with larger reads
(64 KiB instead of 2 KiB a turn) and VRL's `parse_regex` of its own CRI expression.
https://vector.dev/docs/reference/configuration/sources/file/
"""

from collections.abc import Sequence
from pathlib import Path

from bench.destinations import Ports
from bench.peers import Peer
from bench.workload import Workload

_CONFIG = """\
data_dir: {state}
sources:
  logs:
    type: file
    include: ["{root}/*/*/*.log"]
    read_from: beginning
    max_read_bytes: 65536
    max_line_bytes: 1048576
    glob_minimum_cooldown_ms: 1000
transforms:
  cri:
    type: remap
    inputs: [logs]
    source: |
      line, err = parse_regex(.message, r'{expression}')
      if err == null {{
        .stream = line.stream
        .timestamp = line.time
        .tag = line.tag
        .message = line.log
      }}
{parse}sinks:
  out:
    inputs: [cri]
{sink}
"""
_EXPRESSION = r"^(?P<time>[^ ]+) (?P<stream>stdout|stderr) (?P<tag>[PF]) (?P<log>.*)$"
_PARSE = """\
      parsed, err = parse_json(.message)
      if err == null {
        .app = parsed
        del(.message)
      }
"""
_SEND = """\
    type: http
    uri: http://127.0.0.1:{port}/lines
    encoding: {{codec: json}}
    framing: {{method: newline_delimited}}
    acknowledgements: {{enabled: true}}
    batch: {{max_bytes: 1000000, timeout_secs: 1}}"""


def configure(path: str, work: Workload, ports: Ports, directory: Path) -> Sequence[str]:
    state = directory / "state"
    state.mkdir()
    sink = "    type: blackhole" if path == "null" else _SEND.format(port=ports.logging)
    parse = _PARSE if path == "parsed" else ""
    config = directory / "vector.yaml"
    config.write_text(
        _CONFIG.format(state=state, root=work.root, expression=_EXPRESSION, parse=parse, sink=sink)
    )
    return ["--quiet", "--config", str(config)]


PEER = Peer(
    "vector",
    "vector",
    ("--version",),
    configure,
    ("null", "lines", "parsed"),
    note="a regular expression takes off the header, parts are not joined",
)
