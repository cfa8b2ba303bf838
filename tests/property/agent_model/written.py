"""What was written: parts (physical lines) in files, files in logs. A log is an origin's."""

from dataclasses import dataclass, field
from pathlib import Path

LIMIT = 1024
"""`max_row_bytes` of the tests."""


@dataclass(eq=False)
class Part:
    """One line as the runtime writes it."""

    file: "WrittenFile"
    offset: int
    line: bytes
    text: str
    time: str
    stream: str
    tag: str
    at: float
    """When it was whole, in virtual seconds."""
    previous: "Part | None" = None
    """The part before it, of the same record."""
    following: "Part | None" = None

    @property
    def fragments(self) -> range:
        """Where rows of it begin: more than one in a line that is longer than a row may be."""
        return range(self.offset, self.offset + max(1, len(self.line) - 1), LIMIT)


@dataclass(eq=False)
class WrittenFile:
    """One physical file: a generation."""

    log: "Log"
    order: int
    path: Path
    made_at: float
    content: bytearray = field(default_factory=bytearray)
    parts: dict[int, Part] = field(default_factory=dict)
    """By every offset at which a row may begin."""
    compressed: bool = False
    compressing: bool = False
    exists: bool = True
    at_risk: bool = False
    """Its name went while no agent held it: what had not been delivered may be missing."""
    judged: bool = False
    """Whether an agent has started since."""

    @property
    def ends_open(self) -> bool:
        """Whether the record of a stream goes on in the next file."""
        last = {part.stream: part.tag for part in self.parts.values()}
        return "P" in last.values()

    def add(self, part: Part) -> None:
        for start in part.fragments:
            self.parts[start] = part


@dataclass(eq=False)
class Log:
    """Everything of one origin."""

    key: str
    directory: Path
    name: str
    files: list[WrittenFile] = field(default_factory=list)
    """In the order they were made."""
    removed_at: float | None = None

    @property
    def live(self) -> Path:
        return self.directory / self.name

    @property
    def current(self) -> WrittenFile:
        """What the runtime writes to."""
        return self.files[-1]

    def existing(self) -> list[WrittenFile]:
        return [file for file in self.files if file.exists]
