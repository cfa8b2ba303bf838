"""fluentd: in_tail with a CRI expression, out_http with a buffer in memory.

Chunks of 8 MB, four flushing threads, `overflow_action block` and no end of retries, so that it
waits rather than drops; the expression is that of its Kubernetes daemonset. One process: in_tail
does not work in several. https://docs.fluentd.org/input/tail
"""

from collections.abc import Sequence
from pathlib import Path

from bench.destinations import Ports
from bench.peers import Peer
from bench.workload import Workload

_CONFIG = """\
<system>
  log_level error
</system>
<source>
  @type tail
  path {root}/*/*/*.log
  pos_file {state}/tail.pos
  tag kube.*
  path_key file
  read_from_head true
  refresh_interval 5
  <parse>
    @type regexp
    expression /^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<logtag>[FP]) (?<log>.*)$/
    time_format %Y-%m-%dT%H:%M:%S.%N%:z
  </parse>
</source>
{filter}<match **>
{match}
</match>
"""
_PARSE = """\
<filter **>
  @type parser
  key_name log
  reserve_data true
  emit_invalid_record_to_error false
  <parse>
    @type json
  </parse>
</filter>
"""
_SEND = """\
  @type http
  endpoint http://127.0.0.1:{port}/lines
  content_type application/x-ndjson
  <format>
    @type json
  </format>
  <buffer>
    @type memory
    chunk_limit_size 8m
    total_limit_size 512m
    flush_mode interval
    flush_interval 1s
    flush_thread_count 4
    overflow_action block
    retry_forever true
  </buffer>"""


def configure(path: str, work: Workload, ports: Ports, directory: Path) -> Sequence[str]:
    match = "  @type null" if path == "null" else _SEND.format(port=ports.logging)
    parse = _PARSE if path == "parsed" else ""
    config = directory / "fluentd.conf"
    config.write_text(_CONFIG.format(root=work.root, state=directory, filter=parse, match=match))
    # Without a supervisor the one process that is measured does the work.
    return ["-c", str(config), "--no-supervisor"]


PEER = Peer(
    "fluentd",
    "fluentd",
    ("--version",),
    configure,
    ("null", "lines", "parsed"),
    note="a regular expression takes off the header, parts are not joined",
)
