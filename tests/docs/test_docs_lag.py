"""The page on lag names every field, and its example is what the code works out."""

import re

from logship.origin import Rotation
from logship.routes.lag import WORST, Lag, RouteLag
from logship.tail.rotation import KeptFile, Rates, risk_secs
from logship.trouble import Trouble
from tests.docs.command import REPOSITORY

PAGE = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
SECTION = PAGE.split("\n## Lag and rotation risk\n", 1)[1].split("\n## ", 1)[0]
MIB = 1 << 20


def test_the_page_names_every_field_of_a_lag() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", SECTION, re.M)
    assert rows == list(Lag().as_dict(0))
    assert RouteLag({}).as_dict(0).keys() - {*rows} == {"namespaces", "other_namespaces"}
    assert f"the {WORST} with the most unread bytes" in SECTION


def test_the_page_names_every_field_of_trouble() -> None:
    for field in Trouble().as_dict(0):
        assert f"`{field}`" in PAGE


def test_the_example_of_a_risk_is_right() -> None:
    risk = risk_secs([KeptFile(3 * MIB, 5 * MIB)], True, Rotation(10 * MIB, 5), Rates(MIB, 0))
    assert f"= {risk:.0f} seconds" in SECTION.replace("\n", " ")
