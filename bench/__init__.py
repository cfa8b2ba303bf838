"""Benchmarks: `python -m bench --help`. Figures are of whole processes, on workloads made here."""
