"""Pub/Sub: the sink that publishes rows or blocks, and the source that leases them."""
