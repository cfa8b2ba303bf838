"""logship: a log shipping agent. Start with docs/architecture.md, then logship/api.py."""
