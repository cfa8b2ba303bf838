"""The option `shed` of a route: when it drops rows under pressure, and which. Values only.

Severities that may be named stand in the order in which they are dropped. DEFAULT is what says no
severity of its own: such a row may be anything, an access log or a stack trace, so it goes after
all that its writer called harmless, and before what its writer called a warning. ERROR and above
cannot be named.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, TypeAlias, get_args

import msgspec
from msgspec import Meta

from logship.outcome import ConfigError
from logship.routes.match import Match

Sheddable: TypeAlias = Literal["DEBUG", "INFO", "NOTICE", "DEFAULT", "WARNING"]
ORDER: Sequence[Sheddable] = get_args(Sheddable)


class ShedRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first rule that fits a row decides about it; a row that none fits is never dropped."""

    noun: ClassVar[str] = "a rule of shedding"

    name: Annotated[
        str,
        Meta(
            pattern="^[a-z0-9][a-z0-9_-]{0,62}$",
            extra={"noun": "a name of lower-case letters, digits, `-` and `_`, at most 63"},
            description="Unique in the route. What it drops is counted under it, as `shed:NAME`.",
            examples=["debug"],
        ),
    ]
    match: Annotated[
        Match | None,
        Meta(
            description="Which origins it is for, by their labels, in the grammar of the route's "
            "`match`. While labels that it needs are not known it does not fit. Default: all."
        ),
    ] = None
    severity: Annotated[
        Sheddable | Annotated[tuple[Sheddable, ...], Meta(min_length=1)],
        Meta(
            description="Rows of this severity, or of one of these: what the row itself says, in "
            "a field of its JSON object (by the sink's `severity_keys`, if it has that option) or "
            "in the prefix that glog writes; its stream says nothing. `DEFAULT` are the rows that "
            "say none. ERROR and above are never dropped.",
            examples=[["DEBUG", "INFO"]],
        ),
    ]
    keep_one_in: Annotated[
        int | None,
        Meta(
            ge=2,
            description="Keep one row in so many, chosen by the row's id, so that it is the same "
            "one when it is read again. Default: drop all.",
        ),
    ] = None

    @property
    def severities(self) -> tuple[Sheddable, ...]:
        return (self.severity,) if isinstance(self.severity, str) else self.severity


class ShedConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When rows would be lost, or wait for a quota too long, drop what matters least.

    Severities go one after the other, as long as the pressure lasts: DEBUG, INFO, NOTICE, DEFAULT,
    WARNING, those of them that rules name. What is dropped is counted by rule, and rows that say
    how many there were are delivered in its place.
    """

    rules: Annotated[
        tuple[ShedRule, ...],
        Meta(min_length=1, max_length=100, description="What may be dropped."),
    ]
    rotation_risk_secs: Annotated[
        float | None,
        Meta(
            gt=0,
            description="Begin when rotation is going to delete unread rows within this time, if "
            "rates stay as they are. `null`: not for that reason.",
        ),
    ] = 120.0
    throttled_secs: Annotated[
        float | None,
        Meta(
            ge=1,
            description="Begin when the destination has asked for less (429, RESOURCE_EXHAUSTED; "
            "503 of Cloud Logging too) for so long, and rows wait for it. Default: not for that "
            "reason.",
            examples=["5m"],
        ),
    ] = None
    escalate_after_secs: Annotated[
        float,
        Meta(ge=1, description="Go on to the next severity when the pressure lasts so long."),
    ] = 30.0
    calm_secs: Annotated[
        float,
        Meta(
            ge=1,
            description="Go back by one severity, and in the end stop, when there was no pressure "
            "for so long. As long as it sheds, twice `rotation_risk_secs` still is pressure.",
        ),
    ] = 60.0

    def __post_init__(self) -> None:
        if self.rotation_risk_secs is None and self.throttled_secs is None:
            raise ConfigError(
                "rotation_risk_secs",
                "without `rotation_risk_secs` and without `throttled_secs` it would never begin: "
                "give one of them, or leave out `shed`",
            )
        names: dict[str, int] = {}
        for number, rule in enumerate(self.rules):
            if (first := names.setdefault(rule.name, number)) != number:
                reason = f"the name `{rule.name}` is taken by rules[{first}]"
                raise ConfigError(f"rules[{number}].name", reason)
            if (cover := _cover(rule, self.rules[:number])) is not None:
                raise ConfigError(
                    f"rules[{number}]",
                    f"it never drops a row: `{cover.name}` above it is for the same origins and "
                    "severities, and the first rule that fits decides",
                )

    @property
    def stages(self) -> tuple[Sheddable, ...]:
        """The severities that rules name, in the order in which they go."""
        named = {severity for rule in self.rules for severity in rule.severities}
        return tuple(severity for severity in ORDER if severity in named)


Shed: TypeAlias = Annotated[
    ShedConfig | None,
    Meta(description="What it may drop rather than lose, under pressure. Default: nothing, ever."),
]


def _cover(rule: ShedRule, above: Sequence[ShedRule]) -> ShedRule | None:
    """A rule above that leaves nothing to this one."""
    for earlier in above:
        same = earlier.match is None or earlier.match == rule.match
        if same and set(rule.severities) <= set(earlier.severities):
            return earlier
    return None
