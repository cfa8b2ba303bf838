"""A container that prints numbered lines when it is told to, so that a test knows what is where."""

from tests.e2e.containerd.numbered import program, text_of
from tests.e2e.containerd.pods import Container, Pod
from tests.e2e.waiting import wait_for

_SCRIPT = 'mkfifo /tmp/orders; while read -r order < /tmp/orders; do eval "$order"; done'
_WRITE_SECS = 20.0


class Speaker:
    def __init__(self, pod: Pod) -> None:
        self.container: Container = pod.start(_SCRIPT)
        self.said = 0
        """Lines; their numbers go on over rotations."""

    def say(self, count: int) -> list[str]:
        """The lines; they are in the live file when this returns."""
        self.order(program(count, first=self.said))
        texts = [text_of(number) for number in range(self.said, self.said + count)]
        self.said += count
        self.wait_written(texts[-1])
        return texts

    def order(self, command: str) -> None:
        """Run a shell command whose output is the container's."""
        quoted = command.replace("'", "'\\''")
        begun = "until [ -p /tmp/orders ]; do usleep 10000; done"
        self.container.execute(f"{begun}; printf '%s\\n' '{quoted}' > /tmp/orders")

    def wait_written(self, text: str) -> None:
        """Until the live file ends with this line."""
        end, log = f" {text}\n".encode(), self.container.log

        def written() -> bool:
            with log.open("rb") as file:
                file.seek(max(0, log.stat().st_size - len(end)))
                return file.read() == end

        wait_for(f"line {text[:30]!r} in {log.name}", _WRITE_SECS, written)
