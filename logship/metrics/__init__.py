"""What the agent shows of itself in Prometheus' text format."""
