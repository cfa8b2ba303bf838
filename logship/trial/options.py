"""What a file of tests says; docs/testing-configs.md explains it."""

from typing import Annotated, ClassVar, Literal

import msgspec
import orjson
from msgspec import Meta

from logship.api import ConfigError, is_time
from logship.config.holding import Options

_Count = Annotated[int, Meta(ge=0)]
Stream = Literal["stdout", "stderr"]
START = "2026-01-01T00:00:00Z"


def _is_json(value: object) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


class Written(Options, frozen=True, kw_only=True):
    """Something that an application wrote; a plain text is one on the stream of its log."""

    noun: ClassVar[str] = "a text"

    text: Annotated[str | None, Meta(description="A newline ends a line, as it does there.")] = None
    json: Annotated[
        dict[str, object] | None,
        Meta(description="In place of `text`: an object, in one line."),
    ] = None
    stream: Annotated[Stream | None, Meta(description="Default: that of the log.")] = None
    time: Annotated[str | None, Meta(description="Of the runtime. Default: goes on by 1 s.")] = None

    def __post_init__(self) -> None:
        if (self.text is None) == (self.json is None):
            raise ConfigError("", "one of `text` and `json` is needed")
        if self.json is not None and not _is_json(self.json):
            raise ConfigError("json", "it cannot be written as JSON: a number has over 64 bits")
        if self.time is not None and not is_time(self.time):
            raise ConfigError("time", f"{self.time!r} is no time such as {START}")


class Given(Options, frozen=True, kw_only=True):
    """A log: where it comes from, and what is in it."""

    noun: ClassVar[str] = "a log"

    source: Annotated[str | None, Meta(description="Default: the only source there is.")] = None
    namespace: Annotated[str | None, Meta(min_length=1)] = None
    pod: Annotated[str | None, Meta(min_length=1)] = None
    container: Annotated[str | None, Meta(min_length=1)] = None
    uid: Annotated[str | None, Meta(min_length=1)] = None
    restart: _Count | None = None
    node: Annotated[str | None, Meta(min_length=1)] = None
    path: Annotated[str | None, Meta(min_length=1, description="For `files`.")] = None
    labels: Annotated[dict[str, str], Meta(description="Of the pod.")] = msgspec.field(
        default_factory=dict
    )
    annotations: Annotated[dict[str, str], Meta(description="Of the pod.")] = msgspec.field(
        default_factory=dict
    )
    namespace_labels: Annotated[
        dict[str, str],
        Meta(description="Of the pod's namespace, if the source knows such labels."),
    ] = msgspec.field(default_factory=dict)
    owner_kind: Annotated[
        str | None, Meta(min_length=1, description="Of what runs the pod, with `owner_name`.")
    ] = None
    owner_name: Annotated[str | None, Meta(min_length=1)] = None
    metadata: Annotated[
        Literal["known", "unknown"],
        Meta(description="`unknown`: labels and annotations did not come in time."),
    ] = "known"
    stream: Annotated[Stream, Meta(description="Of texts that say none.")] = "stdout"
    texts: Annotated[
        tuple[str | Written, ...], Meta(description="What the application wrote.")
    ] = ()
    lines: Annotated[
        tuple[str, ...], Meta(description="In place of `texts`: lines as they stand in the file.")
    ] = ()

    def __post_init__(self) -> None:
        if bool(self.texts) == bool(self.lines):
            raise ConfigError("", "one of `texts` and `lines` is needed")
        if (self.owner_kind is None) != (self.owner_name is None):
            raise ConfigError("", "an owner has both: `owner_kind` and `owner_name`")


class Row(Options, frozen=True, kw_only=True):
    """A row, by what is said of it; a plain text stands for a row of this text."""

    noun: ClassVar[str] = "a row"

    text: Annotated[str | None, Meta(description="After the transforms.")] = None
    contains: Annotated[
        str | tuple[str, ...] | None, Meta(description="What the text has in it.")
    ] = None
    json: Annotated[
        dict[str, object] | None,
        Meta(description="Fields of the row's JSON object; `null`: there is no such field."),
    ] = None
    stream: Stream | None = None
    time: Annotated[str | None, Meta(description="As the runtime wrote it.")] = None
    severity: Annotated[str | None, Meta(description="As the sink sends it.")] = None
    labels: Annotated[
        dict[str, str | None], Meta(description="As the sink sends them; `null`: not there.")
    ] = msgspec.field(default_factory=dict)
    sent: Annotated[
        dict[str, object] | None, Meta(description="What the sink sends: a part of it.")
    ] = None


Rows = Annotated[tuple[str | Row, ...], Meta(description="These, in this order, and no others.")]


class Expected(Options, frozen=True, kw_only=True):
    """Rows at a place: of a route, at a sink, or of a route at a sink."""

    noun: ClassVar[str] = "an expectation"

    route: str | None = None
    sink: str | None = None
    rows: Rows | None = None
    count: Annotated[_Count | None, Meta(description="So many rows, whatever is in them.")] = None

    def __post_init__(self) -> None:
        if self.route is None and self.sink is None:
            raise ConfigError("", "a `route`, a `sink` or both are needed")
        if (self.rows is None) == (self.count is None):
            raise ConfigError("", "one of `rows` and `count` is needed")


class Case(Options, frozen=True, kw_only=True):
    """One test. All rows have to be accounted for: what is not expected is a failure."""

    noun: ClassVar[str] = "a test"

    name: Annotated[str, Meta(min_length=1)]
    given: Annotated[tuple[Given, ...], Meta(min_length=1)]
    expect: tuple[Expected, ...] = ()
    dropped: Annotated[
        _Count | Rows, Meta(description="Rows that transforms drop, or how many. Default: none.")
    ] = 0
    unmatched: Annotated[
        _Count | Rows, Meta(description="Rows that no route takes, or how many. Default: none.")
    ] = 0
    unread: Annotated[
        _Count, Meta(description="Logs that their source does not read. Default: none.")
    ] = 0


class Tests(Options, frozen=True, kw_only=True):
    """A file of tests."""

    env: Annotated[
        dict[str, str], Meta(description="Variables that the configuration names in `${...}`.")
    ] = msgspec.field(default_factory=dict)
    tests: Annotated[tuple[Case, ...], Meta(min_length=1)]
