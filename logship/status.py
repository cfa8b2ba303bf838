"""What the agent is doing now, as a value: `/status` shows it."""

from logship.pipeline import Pipeline
from logship.routes.lag import RouteLag, total
from logship.routes.route import Route


async def status(pipeline: Pipeline) -> dict[str, object]:
    """JSON-ready; sizes in bytes. Nothing of what applications wrote is in it.

    It reads some bytes of each log that has something unread, to say how old that is.
    """
    origins, world = pipeline.origins, pipeline.world
    lags = [(route, await route.lag(world)) for route in pipeline.routes]
    saved_at = pipeline.checkpoint.saved_at
    now_ns = world.clock.wall_ns()
    return {
        "origins": len(origins.entries),
        "origins_unmatched": origins.unmatched,
        "origins_undecided": len(origins.undecided()),
        "origins_decided_without_metadata": origins.unknown_decided,
        "checkpoint_age_secs": None if saved_at is None else world.clock.now() - saved_at,
        "deleted_files_held": pipeline.held.files,
        "deleted_bytes_held": pipeline.held.bytes,
        "lag": total(lag.all for _, lag in lags).as_dict(now_ns),
        "sources": {name: t.as_dict(now_ns) for name, t in pipeline.source_trouble.items()},
        "sinks": {name: t.as_dict(now_ns) for name, t in pipeline.sink_trouble.items()},
        "routes": {route.name: _of_route(route, lag, now_ns) for route, lag in lags},
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
        **route.counters.as_dict(),
    }
