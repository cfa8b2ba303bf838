"""The source `files`: log files that globs take, on any machine.

A JSON-lines file is `plain` too: rows are texts, and `parse_json` makes fields of them.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from logship.api import (
    Catalog,
    ConfigError,
    Context,
    Cutting,
    Finding,
    Labels,
    NotRead,
    Origin,
    Sample,
    Source,
    StartFrom,
)
from logship_tail.complaints import Complaints
from logship_tail.discovery import Discovery, Pace
from logship_tail.file_tree import FileScanner, FileTree
from logship_tail.globs import Glob
from logship_tail.multiline import JoinOption, joins_of
from logship_tail.watching import OpenInotify, Watcher


class FilesConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Log files by globs; each file is an origin, together with the files it is rotated to."""

    paths: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description="Absolute globs; `**` is any number of directories, `*` passes over names "
            "that begin with a dot.",
            examples=[["/var/log/nginx/*.log", "/srv/**/*.jsonl"]],
        ),
    ]
    exclude: Annotated[
        tuple[str, ...], Meta(description="Absolute globs of files that are not read.")
    ] = ()
    start_from: Annotated[
        StartFrom,
        Meta(
            description="Where reading starts on logs without a saved position at the first "
            "start: `now`, `beginning`, or how far back."
        ),
    ] = 600.0
    format: Annotated[
        Literal["plain", "cri", "docker"],
        Meta(
            description="`plain`: every line is a row. If it begins with a time in RFC 3339 with a "
            "zone, that is the row's: `2026-03-01T09:00:00.123Z`, `2026-03-01 09:00:00+01:00`, "
            "also as `[2026-03-01T09:00:00Z]`, with up to nine fraction digits. No other form is "
            "read; a row without a time has the time its file was last written to. `cri`, "
            "`docker`: the format of a container runtime."
        ),
    ] = "plain"
    rotated: Annotated[
        bool,
        Meta(
            description="Whether files whose names end as rotated files' do (`app.log.1`, "
            "`app.log-20260301`, `app.log.2.gz`; `app-20260301.log` where `app.log` is a file) "
            "belong to the log without this ending, if the globs take that too. If not, each is a "
            "log of its own."
        ),
    ] = True
    max_row_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            le=16 * 1024 * 1024,
            description="A longer record is cut into rows of this size.",
        ),
    ] = 256 * 1024
    join: JoinOption = ()
    roots: Annotated[
        tuple[str, ...],
        Meta(
            description="Directories that a file may be a link into, beside those that `paths` "
            "name before their first wildcard."
        ),
    ] = ()
    max_files: Annotated[
        int, Meta(ge=1, description="More files than this are not read, and that is said.")
    ] = 10_000
    scan_secs: Annotated[
        float,
        Meta(
            gt=0,
            description="How often everything is looked at, beside the events of inotify; every "
            "second where there are none.",
        ),
    ] = 5.0


class Files(Source):
    """Log files that globs take, with the files they are rotated to."""

    config = FilesConfig

    @classmethod
    def tells_metadata(cls, config: msgspec.Struct) -> bool:
        return False

    def __init__(
        self, config: FilesConfig, context: Context, open_inotify: OpenInotify | None = None
    ) -> None:
        super().__init__(config, context)
        self._watcher = Watcher(open_inotify) if open_inotify else Watcher()
        self._complaints = Complaints(context.log)
        self._pace = Pace(config.scan_secs, config.max_files)
        self._tree = FileTree(
            globs=_globs("paths", config.paths),
            exclude=_globs("exclude", config.exclude),
            cutting=Cutting(config.format, config.max_row_bytes, joins_of(config.join)),
            rotated=config.rotated,
            roots=config.roots,
        )

    async def run(self, catalog: Catalog) -> None:
        scanner = FileScanner(self._tree, self._watcher, self.context, self._complaints)
        discovery = Discovery(
            scanner, self._watcher, catalog, self.context, self._pace, self._complaints
        )
        await discovery.run()

    def check(self) -> Sequence[Finding]:
        from logship_tail.checking import Heard, check_logs, check_prefixes

        heard, disk = Heard(self.context.log), self.context.world.disk
        scanner = FileScanner(self._tree, self._watcher, self.context, heard)
        missing = check_prefixes([glob.prefix for glob in self._tree.globs], disk)
        return [*missing, *check_logs(scanner, disk, heard)]

    def sample(self, about: Labels) -> Sample:
        path = about.get("path")
        if not path:
            raise NotRead("a log of a source `files` needs its `path`")
        scanner = FileScanner(self._tree, self._watcher, self.context, self._complaints)
        seen = scanner.described(path)
        labels = Labels(seen.labels)
        return Sample(Origin(seen.key, labels), seen.log.cutting, labels)


def _globs(option: str, texts: tuple[str, ...]) -> tuple[Glob, ...]:
    globs = []
    for number, text in enumerate(texts):
        try:
            globs.append(Glob(text))
        except ValueError as error:
            raise ConfigError(f"{option}[{number}]", str(error)) from None
    return tuple(globs)
