"""Which origins a route takes: `match` of the configuration, evaluated on an origin's labels.

A match is a conjunction: every key it names must hold. A key holds if the label's value fits one
of its globs (fnmatch rules, case sensitive; `*` crosses slashes); an absent label fits no glob.
Pod labels and annotations may arrive later than the first rows. Until they are known the answer
can be UNKNOWN, by Kleene's logic: only if the missing keys could still change it, and an answer
of YES or NO never changes when they arrive. Pure: no clock, no I/O; called once per origin and
label change, never per row.
"""

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import cached_property
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from logship.origin import is_metadata

_OneGlob = Annotated[str, Meta(extra={"noun": "a glob"})]
Globs: TypeAlias = _OneGlob | Annotated[tuple[_OneGlob, ...], Meta(min_length=1)]
"""One glob or several, of which one must fit."""

LabelKey: TypeAlias = Annotated[str, Meta(min_length=1)]
_Glob = Annotated[
    Globs | None, Meta(description="Its value fits this glob, or one of these globs.")
]


class Verdict(Enum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True,
            rename={"not_": "not"}):  # fmt: skip
    """Every key given must hold; a label that is absent fits no glob."""

    namespace: Annotated[_Glob, Meta(examples=["team-*"])] = None
    pod: _Glob = None
    container: _Glob = None
    node: _Glob = None
    path: Annotated[_Glob, Meta(description="The path of the log file fits; `*` crosses `/`.")] = (
        None
    )
    source: Annotated[_Glob, Meta(description="The name of the source fits.")] = None
    labels: Annotated[
        dict[LabelKey, Globs],
        Meta(description="Labels of the pod; each must fit.", examples=[{"app": "web-*"}]),
    ] = {}
    annotations: Annotated[
        dict[LabelKey, Globs],
        Meta(description="Annotations of the pod; each must fit.",
             examples=[{"logship/route": "app"}]),
    ] = {}  # fmt: skip
    owner_kind: Annotated[
        _Glob,
        Meta(description="The kind of what runs the pod fits: Deployment, StatefulSet, DaemonSet, "
             "Job, CronJob...", examples=["CronJob"]),
    ] = None  # fmt: skip
    owner_name: Annotated[_Glob, Meta(description="Its name fits.", examples=["cart"])] = None
    namespace_labels: Annotated[
        dict[LabelKey, Globs],
        Meta(description="Labels of the pod's namespace; each must fit. They are known where the "
             "source has `metadata: {namespace_labels: true}`.", examples=[{"team": "retail"}]),
    ] = {}  # fmt: skip
    not_: Annotated["Match | None", Meta(description="The same keys; they must not all hold.")] = (
        None
    )

    @cached_property
    def _tests(self) -> tuple[tuple[str, Callable[[str], bool]], ...]:
        places = (
            "namespace", "pod", "container", "node", "path", "source", "owner_kind", "owner_name",
        )  # fmt: skip
        globs = {key: value for key in places if (value := getattr(self, key)) is not None}
        globs |= {f"label:{key}": value for key, value in self.labels.items()}
        globs |= {f"annotation:{key}": value for key, value in self.annotations.items()}
        globs |= {f"namespace_label:{key}": value for key, value in self.namespace_labels.items()}
        return tuple((key, compile_globs(value)) for key, value in globs.items())

    @property
    def needs_metadata(self) -> bool:
        """Whether the answer can depend on labels, annotations or the owner of the pod."""
        own = any(is_metadata(key) for key, _ in self._tests)
        return own or (self.not_ is not None and self.not_.needs_metadata)

    @property
    def needs_namespace_labels(self) -> bool:
        """Whether it asks for labels of the pod's namespace."""
        own = bool(self.namespace_labels)
        return own or (self.not_ is not None and self.not_.needs_namespace_labels)

    def names(self, key: str, value: str) -> bool:
        """Whether it says something about this value of this label."""
        own = any(name == key and fits(value) for name, fits in self._tests)
        return own or (self.not_ is not None and self.not_.names(key, value))

    def evaluate(self, labels: Mapping[str, str], *, known: bool) -> Verdict:
        """`labels` as in `Labels`; `known` is false as long as the metadata has not arrived."""
        verdicts = [_verdict(labels, key, fits, known) for key, fits in self._tests]
        if self.not_ is not None:
            verdicts.append(_NEGATED[self.not_.evaluate(labels, known=known)])
        if Verdict.NO in verdicts:
            return Verdict.NO
        return Verdict.UNKNOWN if Verdict.UNKNOWN in verdicts else Verdict.YES


_NEGATED = {
    Verdict.YES: Verdict.NO,
    Verdict.NO: Verdict.YES,
    Verdict.UNKNOWN: Verdict.UNKNOWN,
}


def _verdict(
    labels: Mapping[str, str], key: str, fits: Callable[[str], bool], known: bool
) -> Verdict:
    value = labels.get(key)
    if value is not None:
        return Verdict.YES if fits(value) else Verdict.NO
    return Verdict.UNKNOWN if not known and is_metadata(key) else Verdict.NO


def compile_globs(globs: Globs) -> Callable[[str], bool]:
    """Whether a value fits one of the globs; without wildcards that is one set lookup."""
    patterns = (globs,) if isinstance(globs, str) else globs
    if not any(wild in pattern for pattern in patterns for wild in "*?["):
        return frozenset(patterns).__contains__
    fits = _regex(patterns).match
    return lambda value: fits(value) is not None


def _regex(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns))
