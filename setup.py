"""Builds the compiled row kernel where there is a compiler; everything else is in pyproject.toml.

Without one the installation succeeds too: the pure twin does the same work at a third of the speed,
and `logship version` and the agent's first log line say which of the two is in use.
"""

from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


class BuildIfPossible(build_ext):
    """Failing to build is a notice, not an error."""

    def run(self) -> None:
        try:
            super().run()
        except Exception as error:  # no Cython, no compiler, no headers: each has its own class
            print(f"logship: the compiled row kernel is not built ({error}); pure Python is used")


setup(
    ext_modules=[
        Extension(
            "logship.rows._kernel",
            ["logship/rows/_kernel.pyx"],
            depends=sorted(map(str, Path("logship/rows").glob("_*.[hp]*"))),
            extra_compile_args=["-O3"],
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildIfPossible},
)
