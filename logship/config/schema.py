"""The options of the configuration file. These classes are also its documentation.

Every option says what it means, with its unit, in its own Meta; the reference page and the JSON
Schema are generated from it. Options of a source, transform or sink stand in the `config` class of
the component.
"""

from typing import Annotated, ClassVar, Generic, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from logship.api import Component, ConfigError, Sink, Source, Transform
from logship.config.holding import DeadLettersConfig, HeldConfig, MemoryConfig, Options
from logship.delivery.terms import Terms
from logship.registry import Kind
from logship.routes.match import Match
from logship.routes.shed_options import Shed
from logship.routes.when import Condition
from logship.units import StartFrom

NAME_PATTERN = "^[a-z0-9][a-z0-9_-]{0,62}$"
_NAME_NOUN = "a name of lower-case letters, digits, `-` and `_`, at most 63"
Name: TypeAlias = Annotated[str, Meta(pattern=NAME_PATTERN, extra={"noun": _NAME_NOUN})]

DEFAULT_STATE_DIR = "/var/lib/logship"

C = TypeVar("C", bound=Component)


class ComponentConfig(msgspec.Struct, Generic[C], frozen=True, kw_only=True):
    """A source, transform or sink as configured: built as `component(options, context)`."""

    kind: ClassVar[Kind]
    noun: ClassVar[str]
    shared: ClassVar[type[msgspec.Struct] | None] = None  # options of all of the kind

    type_name: str
    options: msgspec.Struct
    component: type[C]


class SourceConfig(ComponentConfig[Source], frozen=True, kw_only=True):
    kind: ClassVar[Kind] = "source"
    noun: ClassVar[str] = "a source (a mapping with `type`)"


class TransformConfig(ComponentConfig[Transform], frozen=True, kw_only=True):
    kind: ClassVar[Kind] = "transform"
    noun: ClassVar[str] = "a transform (a mapping with `type`)"


class SinkConfig(ComponentConfig[Sink], frozen=True, kw_only=True):
    kind: ClassVar[Kind] = "sink"
    noun: ClassVar[str] = "a sink (a mapping with `type`)"
    shared: ClassVar[type[msgspec.Struct] | None] = Terms
    terms: Terms = Terms()


class RouteConfig(
    Options, frozen=True, kw_only=True, rename={"from_": "from", "continue_": "continue"}
):
    """Routes are tried from top to bottom; an origin goes to the first that matches."""

    noun: ClassVar[str] = "a route"

    name: Annotated[
        Name,
        Meta(
            description="Unique. Positions are kept under it, so routes can be reordered freely; "
            "to rename a route, say `was`.",
            examples=["app-events"],
        ),
    ]
    from_: Annotated[
        tuple[str, ...],
        Meta(min_length=1, description="The sources it reads.", examples=[["containers"]]),
    ]
    match: Annotated[
        Match | None, Meta(description="Which origins it takes, by their labels. Default: all.")
    ] = None
    when: Annotated[
        Condition | None,
        Meta(
            description="Which rows of these origins it takes. Rows that fail it fall through to "
            "the routes below. Default: all."
        ),
    ] = None
    continue_: Annotated[
        bool, Meta(description="Whether later routes may take the same origins too.")
    ] = False
    transforms: Annotated[
        tuple[TransformConfig, ...],
        Meta(description="Applied to each batch, in this order."),
    ] = ()
    to: Annotated[str, Meta(description="The sink it delivers to.", examples=["gcl"])]
    was: Annotated[
        Name | None,
        Meta(description="Its former name, whose positions it takes over."),
    ] = None
    start_from: Annotated[
        StartFrom | None,
        Meta(
            description="Where the route starts on origins it has no position for, at its first "
            "start: `now`, `beginning`, or how far back. Default: the source's `start_from`."
        ),
    ] = None
    on_unknown: Annotated[
        Literal["route", "skip"],
        Meta(
            description="When rotation would lose rows before the metadata that `match` needs is "
            "known: take them (`route`), or leave them to the routes below (`skip`)."
        ),
    ] = "route"
    shed: Shed = None


class AdminConfig(Options, frozen=True, kw_only=True):
    """The agent's own HTTP server: /healthz, /readyz, /status and /metrics, without a password."""

    listen: Annotated[
        str | None,
        Meta(
            pattern=r"^(\[[0-9a-fA-F:]+\]|[^:\[\]]*):[0-9]{1,5}$",
            extra={"noun": "HOST:PORT"},
            description="HOST:PORT to listen on; no HOST means all addresses. Default: no server.",
            examples=["127.0.0.1:9464"],
        ),
    ] = None

    reload: Annotated[
        bool,
        Meta(
            description="Whether `POST /-/reload` reads the configuration file again. Whoever "
            "reaches the address can do that; the file is watched, and SIGHUP works, without it."
        ),
    ] = False

    def __post_init__(self) -> None:
        if self.listen is not None and int(self.listen.rpartition(":")[2]) > 65535:
            raise ConfigError("listen", "a port is at most 65535")


class Config(Options, frozen=True, kw_only=True):
    """The configuration file."""

    sources: Annotated[
        dict[Name, SourceConfig], Meta(min_length=1, description="Where rows come from, by name.")
    ]
    routes: Annotated[
        tuple[RouteConfig, ...],
        Meta(min_length=1, description="Which rows go where; tried from top to bottom."),
    ]
    sinks: Annotated[
        dict[Name, SinkConfig], Meta(min_length=1, description="Where rows go, by name.")
    ]
    state_dir: Annotated[
        str,
        Meta(min_length=1, description="Directory of the positions; it must survive restarts."),
    ] = DEFAULT_STATE_DIR
    cluster: Annotated[
        str,
        Meta(
            description="Name of the cluster; part of every row's identity. Empty: found by the "
            "components that need it.",
            examples=["${CLUSTER_NAME}"],
        ),
    ] = ""
    node: Annotated[
        str, Meta(description="Name of this node, a label of origins.", examples=["${NODE_NAME}"])
    ] = ""
    memory: Annotated[MemoryConfig, Meta(description="Bounds of memory.")] = MemoryConfig()
    held: Annotated[
        HeldConfig, Meta(description="Bounds of deleted files that are not delivered yet.")
    ] = HeldConfig()
    drain_timeout_secs: Annotated[
        float,
        Meta(
            ge=0,
            description="How long a stopping agent goes on delivering what it has read. Keep it "
            "below the pod's terminationGracePeriodSeconds.",
        ),
    ] = 20.0
    admin: Annotated[AdminConfig, Meta(description="Health and status.")] = AdminConfig()
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="What the agent's own log shows."),
    ] = "info"
    dead_letters: Annotated[
        DeadLettersConfig, Meta(description="Rows that a sink refuses for good.")
    ] = DeadLettersConfig()

    @property
    def dead_letters_dir(self) -> str:
        return self.dead_letters.dir or f"{self.state_dir}/deadletters"
