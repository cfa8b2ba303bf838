"""Delays of rows, from being written to being taken by a destination."""

from array import array

import msgspec


class Delays(msgspec.Struct):
    """In seconds."""

    rows: int
    p50: float
    p99: float
    max: float


def percentiles(nanos: "array[int]") -> Delays:
    ordered = sorted(nanos)
    last = len(ordered) - 1
    p50, p99 = ordered[last // 2], ordered[last * 99 // 100]
    return Delays(len(ordered), p50 / 1e9, p99 / 1e9, ordered[last] / 1e9)
