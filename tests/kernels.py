"""Runs the tests of a directory with each row kernel: import `each_kernel` in its conftest.

The pure one is the reference; where the compiled one was not built, its half is skipped.
"""

from collections.abc import Iterator

import pytest

from logship.rows import kernel


@pytest.fixture(params=["pure", "compiled"], scope="module", autouse=True)
def each_kernel(request: pytest.FixtureRequest) -> Iterator[str]:
    before = kernel.in_use()
    try:
        kernel.choose(request.param)
    except ValueError as error:
        pytest.skip(str(error))
    yield request.param
    kernel.choose(before)
