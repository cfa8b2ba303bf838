"""What the agent is doing now, as a value: `/status` shows it."""

from logship.pipeline import Pipeline


def status(pipeline: Pipeline) -> dict[str, object]:
    """JSON-ready; sizes in bytes. Nothing of what applications wrote is in it."""
    origins = pipeline.origins
    saved_at = pipeline.checkpoint.saved_at
    age = None if saved_at is None else pipeline.world.clock.now() - saved_at
    return {
        "origins": len(origins.entries),
        "origins_unmatched": origins.unmatched,
        "origins_undecided": len(origins.undecided()),
        "origins_decided_without_metadata": origins.unknown_decided,
        "checkpoint_age_secs": age,
        "routes": {
            route.name: {
                "origins": len(route.bindings),
                "waiting_bytes": route.waiting_bytes(),
                "held_bytes": route.budget.held,
                "max_held_bytes": route.budget.max_bytes,
                "writes_in_flight": route.sender.in_flight,
                "paused_secs": route.sender.paused_secs,
                **route.counters.as_dict(),
            }
            for route in pipeline.routes
        },
    }
