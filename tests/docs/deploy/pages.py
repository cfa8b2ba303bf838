"""The commands of the pages on installing and migrating, and how far each has been tried.

A block of `sh` has the mark that stands last before it: (run), (checked) or (not run).
"""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.docs.command import REPOSITORY

INSTALL, MIGRATE = (REPOSITORY / "docs" / name for name in ("install-gke.md", "migrate.md"))
_PART = re.compile(r"\((run|checked|not run)\)|^( *)```sh\n(.*?)^ *```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    mark: str
    text: str

    def commands(self) -> list[str]:
        """Its commands, each in one line."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line.split("  #")[0].strip() for line in lines if line.strip()]


def blocks(page: Path) -> list[Block]:
    found, mark = [], ""
    for part in _PART.finditer(page.read_text(encoding="utf-8")):
        if part[1]:
            mark = part[1]
            continue
        indent = len(part[2])
        text = "\n".join(line[indent:] for line in part[3].splitlines())
        found.append(Block(mark, text))
    return found
