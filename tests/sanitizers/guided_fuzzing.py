"""Runs libFuzzer over the compiled kernel, for a while or for a night.

    python -m tests.sanitizers.guided_fuzzing SECS [DIRECTORY]

DIRECTORY (`build/fuzz`) keeps what reached new branches, in `found`, and goes on with it the next
time. What crashed the kernel is printed, and kept beside `found` as `crash-...`: it belongs into
`corpus`, where the tests repeat it.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.sanitizers.sanitized_build import ROOT, Lacking, guided

HERE = Path(__file__).parent
OPTIONS = [
    f"-dict={HERE / 'kernel.dict'}", "-max_len=512", "-timeout=20",
    "-rss_limit_mb=1024", "-malloc_limit_mb=256",  # about 150 MB are resident
    "-detect_leaks=0",  # Python keeps what it likes, and each input would be run twice
    "-use_counters=0",  # new branches only: how often is a corpus too large for a short run
    "-print_final_stats=1",
]  # fmt: skip
STOP_SECS = 120
"""It stops by itself, but not while it reads a corpus, or where Python is slow to start."""


def bounded(command: Sequence[str | Path], secs: int) -> list[str | Path]:
    """The command, killed after so many seconds, with a peak of memory that is its own.

    libFuzzer bounds `ru_maxrss`, which Linux carries over execve(2): a process that another one
    starts begins with the peak of that one, in CI more than a GB of pytest's. timeout(1) forks once
    more, so what it runs begins with its 2 MB.
    """
    return ["timeout", "--signal=KILL", str(secs), *command]


def fuzz(fuzzer: Path, environment: dict[str, str], found: Path, secs: int) -> str | None:
    """What went wrong; None: nothing. `found` gets the inputs that reached new branches."""
    found.mkdir(parents=True, exist_ok=True)
    log = found.with_suffix(".log")
    command: list[str | Path] = [
        fuzzer, *OPTIONS, f"-max_total_time={secs}", f"-artifact_prefix={found.parent}/",
        found, HERE / "corpus",
    ]  # fmt: skip
    with log.open("wb") as to:
        run = subprocess.run(
            bounded(command, secs + STOP_SECS), env=environment, stdout=to, stderr=to, check=False
        )
    if run.returncode == 0:
        return None
    said = log.read_text(errors="backslashreplace")  # it begins with the seed, and what was held
    return f"{fuzzer} ended with {run.returncode}:\n{said[:2000]}\n[...]\n{said[-6000:]}"


def main(secs: int, directory: Path) -> None:
    with tempfile.TemporaryDirectory() as home:
        try:
            environment = guided(Path(home))
        except Lacking as error:
            raise SystemExit(str(error)) from None
        problem = fuzz(Path(home, "fuzz"), environment, directory / "found", secs)
    print(problem or (directory / "found.log").read_text(errors="backslashreplace")[-600:])
    if problem:
        raise SystemExit(f"kept in {directory}: put it into {HERE / 'corpus'}, and mend the kernel")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else ROOT / "build" / "fuzz")
