"""`logship plugins`: what can stand behind `type:` in a configuration."""

import argparse

from logship.registry import Registry


def run(options: argparse.Namespace) -> int:
    for plugin in Registry.installed().summaries():
        text = plugin.summary or f"(not usable: {plugin.problem})"
        print(f"{plugin.kind:10} {plugin.name:14} {text}")
    return 0
