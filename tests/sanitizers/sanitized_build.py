"""Builds the row kernel with AddressSanitizer and UBSan, in a copy of the project of its own.

Two ways: `sanitized` for the venv's Python, with any C compiler and the runtime loaded before it;
and `guided` with clang, which also counts branches, beside a libFuzzer that has Python in it
(`embedding.c`). Each gives the environment for its processes; `Lacking` says what is not there.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = ROOT / "logship" / "rows"
HEADERS = sysconfig.get_paths()["include"]
WATCHED = ["-O1", "-g", "-fno-omit-frame-pointer", "-fno-sanitize-recover=undefined"]
LIMIT_SECS = 200


class Lacking(Exception):
    """What this machine has not, in words for the one who reads why a test was skipped."""


def copied(home: Path) -> Path:
    """The project without what was built of it, and the C of the kernel; where that is."""
    if shutil.which("cc") is None or not Path(HEADERS, "Python.h").exists():
        raise Lacking("there is no C compiler, or Python's headers are not installed")
    for name in ("logship", "plugins"):
        shutil.copytree(
            ROOT / name, home / name, ignore=shutil.ignore_patterns("*.so", "_kernel.c")
        )
    code = home / "_kernel.c"
    _run(sys.executable, "-m", "cython", "-3", str(ROWS / "_kernel.pyx"), "-o", str(code))
    return code


def sanitized(home: Path) -> dict[str, str]:
    """The environment of a Python in which the sanitized kernel is the compiled one."""
    code = copied(home)
    if not os.path.isabs(asan := _said("cc", "-print-file-name=libasan.so")):
        raise Lacking("the C compiler has no AddressSanitizer")
    _compile("cc", "address,undefined", code)
    return {**_environment(home), "LD_PRELOAD": asan}


def guided(home: Path) -> dict[str, str]:
    """The environment of `home/fuzz`, which is libFuzzer.

    Python has its own pools there, which is three times as fast; `kernel_target.py` says how what
    is read behind an object is seen nevertheless.
    """
    if shutil.which("clang") is None:
        raise Lacking("clang is not installed, so no fuzzing that is guided by branches")
    if not sysconfig.get_config_var("Py_ENABLE_SHARED"):
        raise Lacking(
            "this Python has no shared library that libFuzzer's program could be linked to"
        )
    if not os.path.isabs(
        _said("clang", f"-print-file-name=libclang_rt.fuzzer-{os.uname().machine}.a")
    ):
        raise Lacking("clang has no libFuzzer: install libclang-rt-dev")
    code = copied(home)
    library, where = sysconfig.get_config_vars("LDLIBRARY", "LIBDIR")
    _compile("clang", "fuzzer-no-link,address,undefined", code, "-Dmemcmp=watched_memcmp")
    _run(
        "clang", *WATCHED, "-fsanitize=fuzzer,address,undefined", "-rdynamic", f"-I{HEADERS}",
        f'-DPYTHON="{sys.executable}"', str(Path(__file__).with_name("embedding.c")),
        f"-L{where}", f"-l:{library}", f"-Wl,-rpath,{where}", "-o", str(home / "fuzz"),
    )  # fmt: skip
    environment = _environment(home)
    environment["ASAN_OPTIONS"] += ":intercept_memcmp=0"  # of Python: they are no words for rows
    return {**environment, "PYTHONMALLOC": "pymalloc"}


def _compile(compiler: str, sanitizers: str, code: Path, *more: str) -> None:
    built = code.parent / "logship" / "rows" / f"_kernel{sysconfig.get_config_var('EXT_SUFFIX')}"
    _run(
        compiler, *WATCHED, *more, f"-fsanitize={sanitizers}", "-fPIC", "-shared", f"-I{ROWS}",
        f"-I{HEADERS}", str(code), "-o", str(built),
    )  # fmt: skip


def _environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1:quarantine_size_mb=32",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONMALLOC": "malloc",  # else a read behind a small object is not seen
        "PYTHONPATH": f"{home}:{home / 'plugins'}:{ROOT}",
        "PYTHONHASHSEED": "0",
    }


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=LIMIT_SECS)
