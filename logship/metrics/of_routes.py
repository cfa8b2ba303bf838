"""The metrics of routes. To add one: a field in `RouteCounters`, a line here, and `make docs`."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from logship.counters import Losses, Read
from logship.metrics.family import Family, Label, RouteNow, Samples
from logship.metrics.histogram import Histogram
from logship.routes.lag import Lag, total

if TYPE_CHECKING:
    from logship.routes.route import Route


def _counter(name: str, help: str, number: "Callable[[Route], float]") -> Family[RouteNow]:
    return Family(name, "counter", ("route",), help, lambda n: [((n.route.name,), number(n.route))])


def _gauge(name: str, help: str, number: "Callable[[Route], float]") -> Family[RouteNow]:
    return Family(name, "gauge", ("route",), help, lambda n: [((n.route.name,), number(n.route))])


def _of_sink(name: str, help: str, number: "Callable[[Route], float]") -> Family[RouteNow]:
    """Counted for the sink that the route writes to."""

    def values(now: RouteNow) -> Samples:
        return [((now.route.name, now.sink), number(now.route))]

    return Family(name, "counter", ("route", "sink"), help, values)


def _latency(name: str, help: str, number: "Callable[[Route], Histogram]") -> Family[RouteNow]:
    def values(now: RouteNow) -> Samples:
        return [((now.route.name, now.sink), number(now.route))]

    return Family(name, "histogram", ("route", "sink"), help, values)


def _by(
    label: Label, name: str, help: str, counts: "Callable[[Route], Mapping[str, int]]"
) -> Family[RouteNow]:
    """Counted by one more name."""

    def values(now: RouteNow) -> Samples:
        return [((now.route.name, key), count) for key, count in counts(now.route).items()]

    return Family(name, "counter", ("route", label), help, values)


def _read(name: str, help: str, number: Callable[[Read], float]) -> Family[RouteNow]:
    def values(now: RouteNow) -> Samples:
        by = now.route.counters.read_by
        return [((now.route.name, namespace), number(read)) for namespace, read in by.items()]

    return Family(name, "counter", ("route", "namespace"), help, values)


def _lost(name: str, help: str, number: Callable[[Losses], float]) -> Family[RouteNow]:
    def values(now: RouteNow) -> Samples:
        lost = now.route.counters.lost
        return [
            ((now.route.name, namespace, reason.value), number(losses))
            for (namespace, reason), losses in lost.items()
        ]

    return Family(name, "counter", ("route", "namespace", "reason"), help, values)


def _lag(name: str, help: str, number: Callable[[Lag, int], float | None]) -> Family[RouteNow]:
    def values(now: RouteNow) -> Samples:
        return [
            ((now.route.name, namespace), number(lag, now.now_ns))
            for namespace, lag in _by_namespace(now)
        ]

    return Family(name, "gauge", ("route", "namespace"), help, values)


def _by_namespace(now: RouteNow) -> Iterable[tuple[str, Lag]]:
    """Under the names that counters have, of which the number is bounded."""
    found: dict[str, list[Lag]] = {}
    for namespace, lag in now.lag.namespaces.items():
        found.setdefault(now.route.counters.named(namespace), []).append(lag)
    return [(name, total(lags)) for name, lags in found.items()]


def _age_secs(lag: Lag, now_ns: int) -> float:
    return 0.0 if lag.oldest_ns is None else max(0.0, (now_ns - lag.oldest_ns) / 1e9)


def _stage(route: "Route") -> int:
    return 0 if route.shedding is None else route.shedding.stage


def _parked(route: "Route") -> int:
    return 0 if route.shedding is None else len(route.shedding.parked)


OF_ROUTES: tuple[Family[RouteNow], ...] = (
    _read("logship_read_rows_total", "Rows read for the first time, after joining.",
          lambda read: read.rows),
    _read("logship_read_bytes_total", "Bytes of log, uncompressed, read for the first time.",
          lambda read: read.bytes),
    _counter("logship_reread_rows_total", "Rows read again after they were given back.",
             lambda route: route.counters.reread_rows),
    _counter("logship_made_rows_total",
             "Rows that the agent wrote itself: what it shed, which annotation is wrong.",
             lambda route: route.counters.made_rows),
    _counter("logship_taken_bytes_total", "Bytes of log read, those that are read again too.",
             lambda route: route.counters.taken_bytes),
    _of_sink("logship_delivered_rows_total", "Rows that the destination has confirmed.",
             lambda route: route.counters.delivered_rows),
    _of_sink("logship_delivered_bytes_total",
             "Bytes of log of delivered batches, with what was dropped from them.",
             lambda route: route.counters.delivered_bytes),
    _by("rule", "logship_dropped_rows_total",
        "Rows dropped by a rule: a transform, by its type, or a rule of `shed`, as `shed:NAME`.",
        lambda route: route.counters.dropped_rows),
    _gauge("logship_shedding_severities",
           "How many severities the route drops now by its option `shed`; 0: it does not shed.",
           _stage),
    _gauge("logship_shedding_parked_origins",
           "Logs that are not read on while the route sheds, since what must be kept of them finds"
           " no room.",
           _parked),
    _counter("logship_passed_rows_total", "Rows left to other routes by `when`.",
             lambda route: route.counters.passed_rows),
    _of_sink("logship_dead_letter_rows_total", "Refused rows, written to the dead letters.",
             lambda route: route.counters.dead_rows),
    _of_sink("logship_released_rows_total",
             "Rows given back undelivered because the sink fails: they are read again.",
             lambda route: route.counters.released_rows),
    _gauge("logship_held_rows", "Rows in memory, on their way.",
           lambda route: route.counters.held_rows),
    _gauge("logship_unaccounted_rows",
           "Rows that are nowhere: read + reread + made - delivered - dropped - passed - dead"
           " letters - released - held. Anything but 0 is a bug.",
           lambda route: route.counters.unaccounted),
    _by("reason", "logship_altered_rows_total",
        "Rows delivered, but not as they were written: see the label `reason`.",
        lambda route: route.counters.altered_rows),
    _lost("logship_losses_total", "Times that bytes were gone before they were read.",
          lambda losses: losses.events),
    _lost("logship_lost_bytes_total", "Bytes of log lost, at least.", lambda losses: losses.bytes),
    _gauge("logship_route_origins", "Logs that the route reads.",
           lambda route: len(route.bindings)),
    _lag("logship_origins_behind", "Logs with unread bytes.", lambda lag, now_ns: lag.origins),
    _lag("logship_unread_bytes", "Bytes of log, uncompressed, that are in no batch: the lag.",
         lambda lag, now_ns: lag.unread_bytes),
    _lag("logship_in_flight_bytes", "Bytes of log in batches that are not settled.",
         lambda lag, now_ns: lag.in_flight_bytes),
    _lag("logship_oldest_unread_age_seconds", "Age of the oldest unread row; 0: none is known.",
         _age_secs),
    _lag("logship_rotation_risk_seconds",
         "In so many seconds rotation deletes unread bytes if rates stay as they are. Absent: no"
         " risk is known.",
         lambda lag, now_ns: lag.risk_secs),
    _of_sink("logship_writes_total", "Writes to the sink, each try for itself.",
             lambda route: route.counters.writes),
    _of_sink("logship_retries_total", "Writes of which something has to be sent again.",
             lambda route: route.counters.retries),
    _of_sink("logship_released_batches_total", "Batches given back because the sink fails.",
             lambda route: route.counters.released),
    _by("reason", "logship_write_results_total",
        "Writes by what they came to: delivered, partial, throttled, failed, timed_out, bug,"
        " given_up.",
        lambda route: route.counters.writes_by_result),
    _of_sink("logship_throttled_total", "Times that the destination asked for less.",
             lambda route: route.counters.throttled),
    _of_sink("logship_backoff_seconds_total", "Writes have waited so long for their next try.",
             lambda route: route.counters.backoff_secs),
    _of_sink("logship_waited_for_sink_seconds_total",
             "Nothing was read for so long because the sink failed or took no more writes.",
             lambda route: route.counters.waited_for_sink_secs),
    _counter("logship_waited_for_memory_seconds_total",
             "Nothing was read for so long because `memory.max_bytes` was used up.",
             lambda route: route.counters.waited_for_memory_secs),
    _of_sink("logship_waited_for_rate_seconds_total",
             "Writes have waited so long because of `max_bytes_per_sec`.",
             lambda route: route.counters.waited_for_rate_secs),
    _latency("logship_write_duration_seconds", "How long a write took, failed ones too.",
             lambda route: route.counters.write_latency),
    _gauge("logship_writes_in_flight", "Writes that have not ended.",
           lambda route: route.sender.in_flight),
    _gauge("logship_write_window", "Writes that may be in flight at once, now.",
           lambda route: route.counters.window),
    _gauge("logship_paused_seconds", "More than 0: the sink fails, and nothing is read so long.",
           lambda route: route.sender.paused_secs),
    _gauge("logship_memory_held_bytes", "Memory charged for batches that are not settled.",
           lambda route: route.budget.held),
    _gauge("logship_memory_limit_bytes", "What the route may hold.",
           lambda route: route.budget.max_bytes),
    _counter("logship_bugs_total", "Errors that nobody foresaw. Please report them.",
             lambda route: route.counters.bugs),
)  # fmt: skip
