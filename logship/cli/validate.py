"""`logship validate`: whether the agent would start with this file."""

import argparse
import logging

from logship.build import Misconfigured
from logship.cli.configuration import read
from logship.pipeline import Pipeline
from logship.world import Clock, Disk, Offload, World


def run(options: argparse.Namespace) -> int:
    written = read(options.config, only_looks=True)
    if written is None:
        return 2
    offload = Offload()
    try:
        Pipeline(written.config, World(Clock(), Disk(offload), offload), logging.getLogger())
    except Misconfigured as error:
        written.explain(*error.problems)
        return 2
    finally:
        offload.close()
    routes = ", ".join(f"{route.name} -> {route.to}" for route in written.config.routes)
    place = f" ({written.place})" if written.place else ""
    print(f"{options.config}{place} is valid: {routes}")
    return 0
