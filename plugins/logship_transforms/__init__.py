"""Transforms: verbs on batches. Pure: no clock, no I/O, no state."""
