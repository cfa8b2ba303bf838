"""What the pages on installing and migrating say to do works, as far as no cluster is needed."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import copytree, which

import msgspec
import pytest
import yaml

from logship.cli.positions.matching import Found
from tests.docs.command import REPOSITORY
from tests.docs.deploy.chart import HELM, in_files
from tests.docs.deploy.pages import INSTALL, MIGRATE, blocks
from tests.docs.manifests import AGENT, LOADER, config_text, workload
from tests.docs.test_manifests import NEWEST, OLDEST, needs_schemas

GCLOUD = which("gcloud")
BIN = Path(sys.executable).parent
PAGES = pytest.mark.parametrize("page", [INSTALL, MIGRATE], ids=lambda page: page.stem)


def names() -> dict[str, str]:
    """The variables of step 1, as the page has them."""
    first = blocks(INSTALL)[0].text
    script = f"{first}\nenv -0"
    done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True)
    values = dict(line.split("=", 1) for line in done.stdout.split("\0") if "=" in line)
    return {name: values[name] for name in re.findall(r"\b([A-Z_]+)=", first)}


def execute(text: str, directory: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text], cwd=directory, env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which all blocks that are marked (run) have been executed, in order."""
    directory = tmp_path_factory.mktemp("checkout")
    (directory / "daemonset.yaml").write_bytes(AGENT.read_bytes())
    copytree(REPOSITORY / "deploy", directory / "deploy")
    (directory / ".venv").mkdir()
    (directory / ".venv" / "bin").symlink_to(BIN)
    plugins = os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "plugins")))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": plugins, **names()}
    for page in (INSTALL, MIGRATE):
        for block in blocks(page):
            if block.mark == "run" and (HELM or "helm" not in block.text):
                execute(block.text, directory, environment)
    return directory


@PAGES
def test_every_block_says_how_far_it_was_tried(page: Path) -> None:
    assert [block.text for block in blocks(page) if not block.mark] == []
    text = page.read_text(encoding="utf-8")
    assert text.count("```sh\n") == len(blocks(page))


def test_every_step_of_the_installation_says_how_far_it_was_tried() -> None:
    titles = re.findall(r"^## (.*)$", INSTALL.read_text(encoding="utf-8"), re.M)
    assert len(titles) == 14
    assert [title for title in titles if not re.search(r" \((run|checked|not run)\)$", title)] == []


def test_nothing_is_left_to_edit_in_what_the_page_makes(done: Path) -> None:
    values = names()
    for name, account in (("my-logship.yaml", "ACCOUNT"), ("my-loader.yaml", "LOADER")):
        text = re.sub(r"#.*", "", (done / name).read_text(encoding="utf-8"))
        for placeholder in ("PROJECT_ID", "my-cluster", "image: logship"):
            assert placeholder not in text
        assert f"gcp-service-account: {values[account]}" in text
        assert workload(done / name).container.image.startswith(values["REGISTRY"])
    config = config_text(done / "my-logship.yaml")
    assert yaml.safe_load(config)["cluster"] == values["CLUSTER"]


@needs_schemas
@pytest.mark.parametrize("minor", [OLDEST, NEWEST])
def test_what_the_page_makes_fits_the_schemas_of_kubernetes(done: Path, minor: str) -> None:
    files = [str(done / "my-logship.yaml"), str(done / "my-loader.yaml")]
    checked = subprocess.run(
        [sys.executable, "-m", "kubernetes_validate", "--strict", "-k", minor, *files],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.skipif(HELM is None, reason="helm is not on PATH (.ci/deploy-tools fetches it)")
def test_helm_makes_what_the_edited_manifests_have(done: Path, tmp_path: Path) -> None:
    text = (done / "my-logship.yaml").read_text(encoding="utf-8")
    assert text.count("        logs: logship\n") == 1  # of migrate.md
    agent = tmp_path / "agent.yaml"
    agent.write_text(text.replace("        logs: logship\n", ""))
    made = in_files(agent, done / "my-loader.yaml")
    made.pop(("Namespace", "logship"))
    assert in_files(done / "rendered.yaml") == made


class Verdict(msgspec.Struct):
    command_string: str
    success: bool
    error_message: str | None = None


def commands_of(program: str) -> list[str]:
    every = [line for page in (INSTALL, MIGRATE) for b in blocks(page) for line in b.commands()]
    values = names()
    for name, value in values.items():
        every = [line.replace(f"${name}", value) for line in every]
    found = [part.strip() for line in every for part in re.split(r" \| | > ", line)]
    return [part for part in found if part.startswith(f"{program} ")]


@pytest.mark.skipif(GCLOUD is None, reason="gcloud is not installed")
def test_gcloud_knows_its_commands_and_flags(tmp_path: Path) -> None:
    assert GCLOUD is not None
    wrong = "gcloud container clusters update prod --loging=SYSTEM"
    file = tmp_path / "commands.json"
    asked = [{"command_string": command} for command in [*commands_of("gcloud"), wrong]]
    file.write_bytes(msgspec.json.encode(asked))
    words = ["meta", "lint-gcloud-commands", f"--commands-file={file}"]
    linted = subprocess.run(
        [GCLOUD, *words], capture_output=True, text=True, timeout=100, check=False
    )
    if linted.returncode != 0:
        pytest.skip(f"this gcloud cannot check commands: {linted.stderr[-200:]}")
    verdicts = msgspec.json.decode(linted.stdout, type=list[Verdict])
    refused = [(v.command_string, v.error_message) for v in verdicts if not v.success]
    assert [command for command, _ in refused] == [wrong], refused
    assert len(verdicts) >= 30


@PAGES
def test_files_that_commands_name_exist_or_are_made_by_a_step(page: Path, done: Path) -> None:
    for block in blocks(page):
        for command in block.commands():
            for name in re.findall(r"(?:-f|--patch-file) ([\w./-]+\.yaml)", command):
                assert (done / name).exists(), command


def test_the_page_explains_everything_that_import_says() -> None:
    text = MIGRATE.read_text(encoding="utf-8")
    for found in Found:
        assert f"\n| {found.value} |" in text
    assert "\n| kept: logship stands there already |" in text


def test_the_images_of_the_patches_are_those_of_the_manifests() -> None:
    image = workload(AGENT).container.image
    for file in sorted((REPOSITORY / "deploy" / "migrate").glob("*.yaml")):
        for found in re.findall(r"image: (\S+)", file.read_text(encoding="utf-8")):
            assert found == image
    assert workload(LOADER).container.image == image.replace("logship:", "logship-loader:")
