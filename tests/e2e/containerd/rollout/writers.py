"""Pods that write numbered lines until they are told to end, and then say how many."""

from collections.abc import Iterator
from pathlib import Path

from tests.e2e.containerd.daemon import Containerd
from tests.e2e.waiting import wait_for

_FILLER = "what an application says in one line of its log, and nothing else " + "x" * 60
_LINES, _PAUSE_MS = 200, 50
_GRACE_SECS = 30
_WRITTEN_SECS = 20.0
_SCRIPT = """\
trap 'end=1' TERM
n=0
while [ -z "$end" ]; do
    awk -v n=$n 'BEGIN {{ for (i = n; i < n + {lines}; i++)
        if ({every} && i % {every} == 0) print "{app_head}" i "{app_tail}"
        else print "{name} " i " {filler}" }}'
    n=$((n + {lines}))
    usleep {pause_us}
done
echo "{name} said $n lines"
"""


class Writer:
    """Every `app_every`-th line is JSON with the field that the manifest's configuration asks for;
    0: none is.
    """

    def __init__(
        self, containerd: Containerd, logs: Path, name: str, *,
        namespace: str = "e2e", app_every: int = 0,
    ) -> None:  # fmt: skip
        self.name, self._every = name, app_every
        self.pod = containerd.pod(name, logs, namespace)
        head, tail = self._app_parts()
        quoted = [part.replace('"', '\\"') for part in (head, tail)]
        script = _SCRIPT.format(
            name=name, lines=_LINES, every=app_every, filler=_FILLER, app_head=quoted[0],
            app_tail=quoted[1], pause_us=_PAUSE_MS * 1000,
        )  # fmt: skip
        self.container = self.pod.start(script)
        self.lines = 0
        """Once it has ended; its last words are one more."""

    def _app_parts(self) -> tuple[str, str]:
        return f'{{"log_type":"app","pod":"{self.name}","number":', "}"

    def end(self) -> None:
        """As a pod that is deleted: SIGTERM; it says its last words and ends."""
        self.container.stop(_GRACE_SECS)
        self.lines = wait_for("last words", _WRITTEN_SECS, self._said)

    def _said(self) -> int | None:
        words = self.container.log.read_bytes().splitlines()[-1].split()
        return int(words[-2]) if words[-3:-2] == [b"said"] else None

    def unlink_log(self) -> None:
        """As the kubelet does about a second after the container's end, with its directories."""
        directory = self.container.log.parent
        for path in directory.iterdir():
            path.unlink()
        directory.rmdir()
        directory.parent.rmdir()

    def plain(self) -> Iterator[str]:
        """The texts that are not JSON."""
        for number in range(self.lines):
            if not self._is_app(number):
                yield f"{self.name} {number} {_FILLER}"
        yield f"{self.name} said {self.lines} lines"

    def app(self) -> Iterator[str]:
        """The texts that are."""
        head, tail = self._app_parts()
        for number in filter(self._is_app, range(self.lines)):
            yield f"{head}{number}{tail}"

    def _is_app(self, number: int) -> bool:
        return bool(self._every) and number % self._every == 0
