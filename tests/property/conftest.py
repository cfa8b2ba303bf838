"""Tests here choose row kernels; each test finds the one that is in use by default."""

from collections.abc import Iterator

import pytest

from logship.rows import kernel


@pytest.fixture(scope="module", autouse=True)
def kernel_is_given_back() -> Iterator[None]:
    before = kernel.in_use()
    yield
    kernel.choose(before)
