"""The compiled kernel gets hostile bytes while AddressSanitizer and UBSan watch its memory.

In a process of its own: `fuzz_kernel.py` changes, doubles and takes out bytes of blocks, and holds
what comes of them against the pure kernel.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = ROOT / "logship" / "rows"
FLAGS = [
    "-O1", "-g", "-fPIC", "-shared", "-fsanitize=address,undefined",
    "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer",
]  # fmt: skip


def _runtime(name: str) -> str:
    found = subprocess.run(
        ["cc", f"-print-file-name={name}"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return found if os.path.isabs(found) else ""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of a process in which the sanitized kernel is the compiled one."""
    if shutil.which("cc") is None or not (asan := _runtime("libasan.so")):
        pytest.skip("there is no C compiler with AddressSanitizer")
    headers = sysconfig.get_paths()["include"]
    if not Path(headers, "Python.h").exists():
        pytest.skip("Python's headers are not installed")
    home = tmp_path_factory.mktemp("sanitized")
    for name in ("logship", "plugins"):
        shutil.copytree(
            ROOT / name, home / name, ignore=shutil.ignore_patterns("*.so", "_kernel.c")
        )
    code = home / "_kernel.c"
    subprocess.run(
        [sys.executable, "-m", "cython", "-3", str(ROWS / "_kernel.pyx"), "-o", str(code)],
        check=True, timeout=100,
    )  # fmt: skip
    built = home / "logship" / "rows" / f"_kernel{sysconfig.get_config_var('EXT_SUFFIX')}"
    subprocess.run(
        ["cc", *FLAGS, f"-I{ROWS}", f"-I{headers}", str(code), "-o", str(built)],
        check=True, timeout=100,
    )  # fmt: skip
    return {
        **os.environ,
        "LD_PRELOAD": asan,
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONMALLOC": "malloc",  # else a read behind a small object is not seen
        "PYTHONPATH": f"{home}:{home / 'plugins'}:{ROOT}",
        "PYTHONHASHSEED": "0",
    }


@pytest.mark.timeout(300)
def test_hostile_bytes_do_no_harm(environment: dict[str, str]) -> None:
    run = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("fuzz_kernel.py")), "3000"],
        env=environment, cwd="/", capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-4000:]
    assert "sanitized" in run.stdout
