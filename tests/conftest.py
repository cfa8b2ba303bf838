"""Shared by all tests: Hypothesis profiles, and that routes account for every row."""

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from tests import conservation

settings.register_profile(
    "ci",
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "300")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "quick", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci" if os.environ.get("CI") else "quick")
conservation.watch()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    conservation.begin()
    yield
    conservation.check()
