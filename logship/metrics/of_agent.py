"""The metrics of the whole agent."""

import importlib.metadata
import platform
from collections.abc import Callable
from typing import TYPE_CHECKING

from logship.metrics.family import AgentNow, Family, Kind, Samples
from logship.origin import PROBLEMS
from logship.reload.record import RESULTS
from logship.rows import kernel

if TYPE_CHECKING:
    from logship.pipeline import Pipeline


def _one(
    kind: Kind, name: str, help: str, number: "Callable[[Pipeline], float | None]"
) -> Family[AgentNow]:
    return Family(name, kind, (), help, lambda now: [((), number(now.pipeline))])


def _build(now: AgentNow) -> Samples:
    version = importlib.metadata.version("logship")
    return [((version, platform.python_version(), kernel.in_use()), 1)]


def _complaints(now: AgentNow) -> Samples:
    return [((name,), trouble.count) for name, trouble in now.pipeline.sink_trouble.items()]


def _reloads(now: AgentNow) -> Samples:
    return [((result,), now.pipeline.reloads.results[result]) for result in RESULTS]


def _problems(now: AgentNow) -> Samples:
    counts = now.pipeline.origins.wishes.counts
    return [((reason,), counts[reason]) for reason in PROBLEMS]


OF_AGENT: tuple[Family[AgentNow], ...] = (
    Family("logship_build_info", "gauge", ("version", "python", "kernel"),
           "1; the labels say which agent this is, and which row kernel it uses.", _build),
    _one("gauge", "logship_start_time_seconds", "When the process started, Unix time.",
         lambda agent: agent.started_ns / 1e9),
    _one("gauge", "logship_ready", "1: all sources have looked at what is there.",
         lambda agent: not agent.origins.absent.untold(agent.sources)),
    _one("gauge", "logship_origins", "Logs known now.", lambda agent: len(agent.origins.entries)),
    _one("gauge", "logship_origins_undecided",
         "Logs that stay unread because labels or annotations are not known yet.",
         lambda agent: len(agent.origins.undecided())),
    _one("counter", "logship_origins_unmatched_total", "Logs that no route took.",
         lambda agent: agent.origins.unmatched),
    _one("counter", "logship_origins_excluded_total",
         "Logs that are not read because their pod's annotations say so.",
         lambda agent: agent.origins.excluded),
    _one("counter", "logship_origins_decided_without_metadata_total",
         "Logs for which `on_unknown` had to decide.",
         lambda agent: agent.origins.unknown_decided),
    Family("logship_annotation_problems_total", "counter", ("reason",),
           "Annotations of pods that are ignored because they are wrong, at most one an hour for"
           " each pod and problem: see the label `reason`.", _problems),
    _one("gauge", "logship_checkpoint_age_seconds",
         "Since the positions were last saved. Absent: they never were.",
         lambda agent: agent.checkpoint.age_secs),
    _one("gauge", "logship_deleted_files_held",
         "Deleted files that are held open because some route has not delivered them.",
         lambda agent: agent.held.files),
    _one("gauge", "logship_deleted_files_held_bytes", "Bytes of them that are not delivered.",
         lambda agent: agent.held.bytes),
    _one("gauge", "logship_open_log_files", "Files of logs that are open.",
         lambda agent: agent.origins.descriptors.open),
    _one("gauge", "logship_open_log_files_limit", "How many may be.",
         lambda agent: agent.origins.descriptors.most),
    _one("gauge", "logship_waiting_for_state_dir",
         "1: another agent holds the state directory; logs are held open, nothing is shipped.",
         lambda agent: agent.lock.waiting),
    _one("gauge", "logship_config_last_reload_successful",
         "0: the configuration file was refused, and an older one is in force; see `problems` in"
         " `/status`.",
         lambda agent: agent.reloads.successful),
    _one("gauge", "logship_config_last_reload_success_timestamp_seconds",
         "When the configuration in force was read, Unix time.",
         lambda agent: agent.reloads.success_ns / 1e9),
    Family("logship_config_reloads_total", "counter", ("result",),
           "Times that the configuration file was read again, since it had changed or somebody"
           " asked: applied, unchanged, refused.", _reloads),
    Family("logship_sink_complaints_total", "counter", ("sink",),
           "Warnings and errors that a sink, or a route about its sink, has logged.", _complaints),
)  # fmt: skip
