"""Every configuration that a reader can copy would start, and does what it says.

examples/, the manifests, README.md and docs/*.md: each has a file of tests, for `logship test`.
Those of the pages are in blocks/, because a page has no room for them.
"""

import re
import socket
from pathlib import Path

import pytest

from logship.cli import main
from tests.docs.command import ENVIRONMENT, REPOSITORY, check, unknown_variables
from tests.docs.manifests import AGENT, AUTOPILOT, LOADER

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.yaml"))
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
_FENCED = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def configurations(page: str) -> list[str]:
    """The yaml blocks of a page that are whole configurations."""
    return [block for block in _FENCED.findall(page) if re.search(r"^sources:", block, re.M)]


TESTED = {
    **{file: file.parent / "tests" / file.name for file in EXAMPLES},
    **{file: REPOSITORY / "deploy" / "tests" / file.name for file in (AGENT, LOADER)},
    AUTOPILOT: REPOSITORY / "deploy" / "tests" / AGENT.name,
}
_IN_BLOCKS = Path(__file__).parent / "blocks"
_PIECE = re.compile(r"<!-- example: (\w+) -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)

BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(configurations(page.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_is_valid(file: Path) -> None:
    check(file, file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_says_what_it_is_for(file: Path) -> None:
    assert file.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("block", BLOCKS)
def test_a_configuration_in_the_docs_is_valid(block: str, tmp_path: Path) -> None:
    file = tmp_path / "logship.yaml"
    file.write_text(block)
    check(file, block)


@pytest.fixture
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of tests names what its configuration needs; there is no network."""

    def refuse(*_: object) -> None:
        raise AssertionError("`logship test` uses the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for name in (*ENVIRONMENT, "KUBERNETES_SERVICE_HOST", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("nothing_else")
@pytest.mark.parametrize("file", TESTED, ids=lambda file: file.stem)
def test_an_example_passes_its_tests(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["test", "-c", str(file), str(TESTED[file])])
    seen = capsys.readouterr()
    assert (code, seen.err) == (0, ""), seen.out + seen.err


@pytest.mark.usefixtures("nothing_else")
@pytest.mark.parametrize("block", [block for block in BLOCKS if "testing" not in str(block.id)])
def test_a_configuration_in_the_docs_passes_its_tests(
    block: str, request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "logship.yaml"
    file.write_text(block)
    tests = _IN_BLOCKS / f"{request.node.callspec.id}.yaml"
    assert tests.exists(), f"write tests for this configuration:\n{block}"
    code = main(["test", "-c", str(file), str(tests)])
    seen = capsys.readouterr()
    assert (code, seen.err) == (0, ""), seen.out + seen.err


@pytest.mark.usefixtures("nothing_else")
def test_the_page_about_tests_shows_what_the_command_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (REPOSITORY / "docs" / "testing-configs.md").read_text(encoding="utf-8")
    pieces = dict(_PIECE.findall(page))
    (tmp_path / "logship.yaml").write_text(pieces["configuration"])
    (tmp_path / "tests.yaml").write_text(pieces["tests"])
    monkeypatch.chdir(tmp_path)
    command, _, wanted = pieces["output"].partition("\n")
    words = command.removeprefix("$ logship ").split()
    assert main(words) == 1
    seen = capsys.readouterr()
    assert (seen.out, seen.err) == (wanted, "")


def test_there_are_examples_and_configurations_in_the_docs() -> None:
    assert len(EXAMPLES) >= 5
    assert BLOCKS


def test_a_block_is_found_if_it_is_a_whole_configuration() -> None:
    page = "a\n```yaml\nsources: {}\n```\nb\n```yaml\nroutes: []\n```\n```\nsources:\n```\n"
    assert configurations(page) == ["sources: {}\n"]


def test_a_variable_that_is_not_in_the_table_is_found() -> None:
    assert unknown_variables("a: ${PROJECT_ID} $${TEXT} ${NEW} ${OLD:-x}") == {"NEW"}
