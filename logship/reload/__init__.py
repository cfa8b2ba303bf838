"""Another configuration for a running agent: see `reloader`, which is the entry."""
