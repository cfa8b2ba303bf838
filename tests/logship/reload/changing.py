"""Routes that tests of a changed configuration share, and texts of rows."""

from tests.logship.reload.reload_stage import Options

REST: Options = {"name": "rest", "to": "a"}
ERRORS: Options = {"name": "errors", "when": {"stream": "stderr"}, "to": "b"}


def rows(start: int, stop: int) -> list[str]:
    return [f"row {number}" for number in range(start, stop)]
