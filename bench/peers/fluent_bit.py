"""Fluent Bit: tail with the built-in CRI parser, which joins the runtime's parts; out_http.

Buffers as large as its documentation allows for throughput (the default of 32 KB halves it), no
disk buffer, no retry limit, so that it loses nothing it was given.
https://docs.fluentbit.io/manual/data-pipeline/inputs/tail
"""

from collections.abc import Sequence
from pathlib import Path

from bench.destinations import Ports
from bench.peers import Peer
from bench.workload import Workload

_CONFIG = """\
service:
  flush: 1
  log_level: error
  parsers_file: {parsers}
pipeline:
  inputs:
    - name: tail
      path: {root}/*/*/*.log
      tag: kube.*
      path_key: file
      multiline.parser: cri
      read_from_head: true
      buffer_chunk_size: 512k
      buffer_max_size: 5m
      mem_buf_limit: 50m
      skip_long_lines: on
      refresh_interval: 5
{filters}  outputs:
{output}
"""
_PARSE = """\
  filters:
    - name: parser
      match: kube.*
      key_name: log
      parser: app_json
      reserve_data: true
"""
_PARSERS = """\
[PARSER]
    Name   app_json
    Format json
"""
_SEND = """\
    - name: http
      match: '*'
      host: 127.0.0.1
      port: {port}
      uri: /lines
      format: json_lines
      workers: 2
      retry_limit: no_limits"""


def configure(path: str, work: Workload, ports: Ports, directory: Path) -> Sequence[str]:
    parsers, config = directory / "parsers.conf", directory / "fluent-bit.yaml"
    parsers.write_text(_PARSERS)
    output = "    - {name: 'null', match: '*'}"
    if path != "null":
        output = _SEND.format(port=ports.logging)
    filters = _PARSE if path == "parsed" else ""
    config.write_text(
        _CONFIG.format(root=work.root, parsers=parsers, filters=filters, output=output)
    )
    return ["-c", str(config)]


PEER = Peer(
    "fluent-bit",
    "fluent-bit",
    ("--version",),
    configure,
    ("null", "lines", "parsed"),
    note="its own parser, which joins parts",
)
