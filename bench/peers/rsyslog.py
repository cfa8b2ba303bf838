"""rsyslog: imfile, lines of JSON over TCP. Debian's package has no omhttp.

One thread reads, a queue in memory takes what it read (imfile's own limits hold it back when the
queue is full), batches of 1,024 go out. The CRI header stays in the text: taking it off is work
that this configuration spares it. https://www.rsyslog.com/doc/configuration/modules/imfile.html
"""

from collections.abc import Sequence
from pathlib import Path

from bench.destinations import Ports
from bench.peers import Peer
from bench.workload import Workload

_CONFIG = """\
global(workDirectory="{state}" maxMessageSize="64k")
module(load="imfile" mode="inotify")
template(name="json" type="list" option.jsonf="on") {{
  property(outname="file" name="$!metadata!filename" format="jsonf")
  property(outname="log" name="msg" format="jsonf")
}}
ruleset(name="ship" queue.type="LinkedList" queue.size="100000" queue.dequeueBatchSize="1024"
        queue.workerThreads="1") {{
  {action}
}}
input(type="imfile" file="{root}/*/*/*.log" tag="k8s" addMetadata="on" ruleset="ship"
      freshStartTail="off" maxLinesPerMinute="0" readTimeout="0")
"""
_SEND = (
    'action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" template="json" '
    'TCP_Framing="traditional" action.resumeRetryCount="-1")'
)
_NULL = (
    'action(type="omfile" file="/dev/null" template="json" flushOnTXEnd="off" ioBufferSize="64k")'
)


def configure(path: str, work: Workload, ports: Ports, directory: Path) -> Sequence[str]:
    state = directory / "state"
    state.mkdir()
    action = _NULL if path == "null" else _SEND.format(port=ports.lines)
    config = directory / "rsyslog.conf"
    config.write_text(_CONFIG.format(state=state, root=work.root, action=action))
    return ["-n", "-f", str(config), "-i", str(directory / "rsyslog.pid")]


PEER = Peer(
    "rsyslog",
    "rsyslogd",
    ("-v",),
    configure,
    ("null", "lines"),
    note="the header of the runtime stays in the text, parts are not joined; over TCP",
)
