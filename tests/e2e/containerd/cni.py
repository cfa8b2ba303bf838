"""A network plugin for pods with a network of their own: nothing but loopback, and up.

The runtime starts it as a program (CNI specification 0.4, section 3). What a pod needs of outside
comes through doors (`rollout.doors`). The answer has to name an address: it is loopback's.
"""

import json
from pathlib import Path

from tests.e2e.containerd.image import BUSYBOX

_VERSION = "0.3.1"
_PROGRAM = f"""\
#!/bin/sh
case "$CNI_COMMAND" in
ADD)
    {BUSYBOX} nsenter --net="$CNI_NETNS" {BUSYBOX} ip link set lo up || exit 1
    echo '{{"cniVersion": "{_VERSION}",' \\
        '"interfaces": [{{"name": "'"$CNI_IFNAME"'", "sandbox": "'"$CNI_NETNS"'"}}],' \\
        '"ips": [{{"version": "4", "address": "127.0.0.1/8", "interface": 0}}]}}' ;;
VERSION) echo '{{"cniVersion": "{_VERSION}", "supportedVersions": ["{_VERSION}"]}}' ;;
esac
"""
_NAMES = ("loopback", "alone")
"""containerd asks for `loopback` by itself, and for what the configuration names."""


def install(directory: Path) -> None:
    """Plugins and configuration, into a directory that is not there yet."""
    directory.mkdir()
    for name in _NAMES:
        (directory / name).write_text(_PROGRAM)
        (directory / name).chmod(0o755)
    network = {"cniVersion": _VERSION, "name": "alone", "plugins": [{"type": "alone"}]}
    (directory / "alone.conflist").write_text(json.dumps(network))
