"""The compiled kernel and texts that are larger than its numbers might be."""

import subprocess
import sys

import pytest

from logship.rows import kernel


@pytest.mark.skipif(not kernel.BUILT, reason="the compiled kernel was not built")
def test_a_text_of_360_mb_that_grows_sixfold_does_not_overflow() -> None:
    """In a process of its own: it took the process with it. 6 * 358e6 is more than 31 bits."""
    code = """
from logship.rows import _kernel
size = 358_000_000
table = _kernel.scan(b"2026-01-01T00:00:00Z stdout F " + b"\\x01" * size + b"\\n")
middles = (b'","textPayload":"',) * 2
try:
    found = _kernel.entries(table, 0, b"p" * 32, 0, middles, middles, [], {}, None)
except MemoryError:
    raise SystemExit(0)
assert len(found) > 6 * size
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)
