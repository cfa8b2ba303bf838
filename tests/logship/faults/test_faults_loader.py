"""Faults found by review: each test failed before its fix."""

from logship.testing import texts_batch
from logship.testing.virtual_time import EPOCH_NS


def test_a_zone_that_does_not_exist_costs_only_the_event_time():
    from logship_gcp.bigquery.arrow import convert
    from logship_gcp.bigquery.extract import Extractor

    b = texts_batch(['{"time":"2026-01-01T00:00:00+99:99","msg":"x"}', "y"])
    assert convert(b, range(2), Extractor(), EPOCH_NS).refused == []


def test_old_years_are_written_with_four_digits():
    from logship.rows.address import time_text

    assert time_text(-50_000_000_000 * 10**9)[4] == "-"
