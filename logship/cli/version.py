"""`logship version`."""

import argparse
import platform
from importlib.metadata import version


def run(options: argparse.Namespace) -> int:
    print(f"logship {version('logship')} (row kernel: pure Python; {platform.python_version()})")
    return 0
