"""`logship version`."""

import argparse
import platform
from importlib.metadata import version

from logship.rows import kernel


def run(options: argparse.Namespace) -> int:
    python = platform.python_version()
    print(f"logship {version('logship')} (row kernel: {kernel.in_use()}; Python {python})")
    return 0
