"""A log of an application that no runtime writes: truncated in place, moved away, made anew."""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from tests.property.agent_model.agent import FILES, Choices
from tests.property.agent_model.stage import Stage
from tests.property.agent_model.written import Log, Part, WrittenFile

SETTLED_SECS = 1.5
"""After truncation nothing is written for so long: one that has grown again is not told apart."""


class Files(Stage):
    """One file that the source `files` reads."""

    truncates = False
    """Nobody truncates a file and moves it too."""

    @initialize(watched=st.booleans())
    def begin(self, watched: bool) -> None:
        self.first_start(Choices(watched=watched), FILES)
        path = self.root / "app.log"
        self.log = Log(f"n{path}", self.root, "app.log")
        self.ids.logs[self.log.key] = self.log
        self.count = 0
        self.make(reuse=False)

    def make(self, *, reuse: bool) -> None:
        self.tree.create(self.log.live, reuse=reuse)
        self.begin_file()

    def begin_file(self) -> None:
        files = self.log.files
        files.append(WrittenFile(self.log, len(files), self.log.live, self.now()))

    @rule(text=st.sampled_from(["", "hello", "x" * 90]), count=st.integers(1, 5))
    def write(self, text: str, count: int) -> None:
        for _ in range(count):
            self.count += 1
            row = f"{self.count}:{text};"
            file, line = self.log.current, f"{row}\n".encode()
            part = Part(file, len(file.content), line, row, "", "stdout", "F", self.now())
            self.tree.append(self.log.live, line)
            file.content += line
            file.add(part)

    @rule()
    def truncate(self) -> None:
        """As logrotate's copytruncate: what was not read is lost, and that is said."""
        file = self.log.current
        if not file.content or not self.truncates:
            return
        file.exists, file.at_risk = False, True
        self.tree.truncate(self.log.live)
        self.pass_time(SETTLED_SECS)
        self.begin_file()

    @rule(reuse=st.booleans())
    def replace(self, reuse: bool) -> None:
        """Deleted and made anew, perhaps with the same inode. (Nobody can tell what went between
        two files that are still there.)
        """
        file, alone = self.log.current, len(self.log.existing()) == 1
        if file.content and alone and not self.truncates and self.may_delete(file):
            file.exists = False
            self.tree.unlink(self.log.live)
            self.note_deleted()
            self.make(reuse=reuse)

    @rule(reuse=st.booleans())
    def move(self, reuse: bool) -> None:
        """As logrotate's create."""
        file = self.log.current
        if file.content and not self.truncates:
            file.path = self.root / f"app.log.{len(self.log.files)}"
            self.tree.rename(self.log.live, file.path)
            self.make(reuse=reuse)

    def write_more(self) -> None:
        self.write("more", 1)


class TruncatedFiles(Files):
    """A truncated file keeps its birth, which orders files without times: their ids do not sort."""

    truncates = True
    ordered = False
