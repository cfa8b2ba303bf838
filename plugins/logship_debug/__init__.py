"""Sinks for eyes and tests: null, stdout, file."""
