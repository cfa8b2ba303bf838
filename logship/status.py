"""What the agent is doing now, as a value: `/status` shows it."""

from logship.loudest import loudest
from logship.pipeline import Pipeline
from logship.routes.lag import RouteLag, total
from logship.routes.route import Route
from logship.said import Said


async def status(pipeline: Pipeline) -> dict[str, object]:
    """JSON-ready; sizes in bytes. Nothing of what applications wrote is in it.

    It reads some bytes of each log that has something unread, to say how old that is.
    """
    origins, world = pipeline.origins, pipeline.world
    lags = [(route, await route.lag(world)) for route in pipeline.routes]
    now_ns = world.clock.wall_ns()
    return {
        "config": pipeline.reloads.as_dict(now_ns),
        "waiting_for_state_dir": pipeline.lock.waiting,
        "ready": not origins.absent.untold(pipeline.sources),
        "origins": len(origins.entries),
        "origins_unmatched": origins.unmatched,
        "origins_excluded": origins.excluded,
        "origins_undecided": len(origins.undecided()),
        "origins_decided_without_metadata": origins.unknown_decided,
        "checkpoint_age_secs": pipeline.checkpoint.age_secs,
        "deleted_files_held": pipeline.held.files,
        "deleted_bytes_held": pipeline.held.bytes,
        "lag": total(lag.all for _, lag in lags).as_dict(now_ns),
        "loudest_pods": _loudest(pipeline.routes),
        "annotation_problems": origins.wishes.as_dict(now_ns),
        "sources": {name: t.as_dict(now_ns) for name, t in pipeline.source_trouble.items()},
        "sinks": {name: _of_sink(pipeline, name, now_ns) for name in pipeline.sink_trouble},
        "routes": {route.name: _of_route(route, lag, now_ns) for route, lag in lags},
    }


def _loudest(routes: list[Route]) -> list[dict[str, object]]:
    found = loudest(route.counters.loudest for route in routes)
    return [{"namespace": ns, "pod": pod, "bytes": size} for (ns, pod), size in found]


def _of_sink(pipeline: Pipeline, name: str, now_ns: int) -> dict[str, object]:
    routes = pipeline.assembly.routes.values()
    errors = [built.route.counters.sink_error for built in routes if built.config.to == name]
    last = max(errors, key=lambda error: error.at_ns, default=Said())
    return {
        **pipeline.sink_trouble[name].as_dict(now_ns),
        "last_error": last.text,
        "last_error_age_secs": last.age_secs(now_ns),
    }


def _of_route(route: Route, lag: RouteLag, now_ns: int) -> dict[str, object]:
    return {
        "origins": len(route.bindings),
        "waiting_bytes": lag.all.unread_bytes,
        "held_bytes": route.budget.held,
        "max_held_bytes": route.budget.max_bytes,
        "writes_in_flight": route.sender.in_flight,
        "paused_secs": route.sender.paused_secs,
        "lag": lag.as_dict(now_ns),
        "shedding": None if route.shedding is None else route.shedding.as_dict(),
        **route.counters.as_dict(),
    }
