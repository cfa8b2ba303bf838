"""A context for transforms: they use nothing of it but the name."""

from collections.abc import Iterator

import pytest

from logship.api import Context
from logship.testing import context


@pytest.fixture
def route() -> Iterator[Context]:
    made = context("a-route")
    yield made
    made.world.offload.close()
