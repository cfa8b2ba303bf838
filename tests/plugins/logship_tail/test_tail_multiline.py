"""The option `join` and the annotations that overrule it."""

import asyncio
import json
from pathlib import Path

import pytest
from logship_debug.null import Null
from logship_tail.annotations import MULTILINE, wish_of
from logship_tail.files import Files, FilesConfig
from logship_tail.kubernetes import Kubernetes, KubernetesConfig, MetadataConfig
from logship_tail.multiline import JoinConfig, joins_of
from logship_tail.pods import annotations_of

from logship.api import ConfigError, Cutting, Joins, Labels
from logship.config.loading import load
from logship.config.problems import ConfigErrors
from logship.registry import Registry
from logship.testing import context
from tests.plugins.logship_tail.recording import container, running

EXCEPTIONS = ("java", "python", "go", "nodejs", "ruby", "php", "dotnet", "rust")


def loaded(join: str) -> object:
    registry = Registry()
    for name, component in [("files", Files), ("null", Null)]:
        registry.add(name, component)
    text = (
        f"sources: {{s: {{type: files, paths: [/x], join: {join}}}}}\n"
        "routes: [{name: r, from: [s], to: n}]\nsinks: {n: {type: 'null'}}\n"
    )
    return load(text, file="logship.yaml", env={}, registry=registry).sources["s"].options


@pytest.mark.parametrize(
    ("join", "wanted"),
    [
        ("[]", None),
        ("[exceptions]", Joins(EXCEPTIONS)),
        ("[go, java, go]", Joins(("java", "go"))),
        ("{languages: [exceptions], max_rows: 50}", Joins(EXCEPTIONS, max_rows=50)),
        (r"{first_line: '^\d{4}-', wait_secs: 500ms}", Joins((), r"^\d{4}-", wait_secs=0.5)),
    ],
)
def test_the_option_says_what_is_joined(join: str, wanted: Joins | None) -> None:
    options = loaded(join)
    assert isinstance(options, FilesConfig)
    assert joins_of(options.join) == wanted


@pytest.mark.parametrize(
    ("join", "words"),
    [
        ("[cobol]", ["join[0]", "cobol", "java"]),
        ("{first_line: '('}", ["join.first_line", "'('", "RE2"]),
        ("{first_line: '(?=a)b'}", ["join.first_line", "'(?=a)b'", "RE2"]),
        ("{first_line: a, languages: [java]}", ["not both"]),
        ("{max_rows: 5}", ["nothing is joined"]),
        ("{first_line: a, wait_secs: 2m}", ["wait_secs"]),
        ("java", ["join"]),
    ],
)
def test_a_wrong_option_is_refused_with_its_place(join: str, words: list[str]) -> None:
    with pytest.raises(ConfigErrors) as caught:
        loaded(join)
    for word in words:
        assert word in str(caught.value)


def test_nothing_is_joined_unless_it_is_asked_for() -> None:
    assert joins_of(KubernetesConfig().join) is None
    assert joins_of(FilesConfig(paths=("/x",)).join) is None


def told(annotations: dict[str, str], default: Joins | None = None) -> Joins | None:
    values = {
        f"annotation:{key}": value for key, value in annotations_of(annotations, "app").items()
    }
    labels = Labels({"namespace": "shop", "pod": "web-0", "container": "app", **values})
    cutting = wish_of(labels, Cutting(joins=default)).cutting
    assert cutting is not None
    return cutting.joins


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("exceptions", Joins(EXCEPTIONS)),
        ("python, java", Joins(("java", "python"))),
        ("none", None),
        (r"first-line:^\d{4}, \d", Joins((), r"^\d{4}, \d")),
    ],
)
def test_an_annotation_says_what_is_joined(value: str, wanted: Joins | None) -> None:
    assert told({MULTILINE: value}, Joins(("go",))) == wanted
    assert told({MULTILINE: value}) == wanted


def test_bounds_are_those_of_the_source() -> None:
    assert told({MULTILINE: "java"}, Joins(("go",), max_rows=7, wait_secs=3)) == Joins(
        ("java",), max_rows=7, wait_secs=3
    )


def test_the_containers_own_annotation_goes_before_the_pods() -> None:
    both = {MULTILINE: "none", f"app.{MULTILINE}": "java", f"other.{MULTILINE}": "go"}
    assert told(both) == Joins(("java",))


@pytest.mark.parametrize(
    "value", ["cobol", "", "java,", "first-line:", "first-line:(", "first-line:(?=a)b"]
)
def test_a_wrong_annotation_is_a_problem_and_has_no_other_effect(value: str) -> None:
    labels = Labels({"namespace": "shop", f"annotation:{MULTILINE}": value})
    cutting = Cutting(joins=Joins(("go",)))
    wish = wish_of(labels, cutting)
    assert wish.cutting == cutting
    (problem,) = wish.problems
    assert (problem.reason, problem.annotation, problem.value) == ("wrong_value", MULTILINE, value)
    if "(" not in value:
        for word in ("expected", "exceptions", "none", "first-line:"):
            assert word in problem.advice


def kubernetes(root: Path, **metadata: str) -> Kubernetes:
    options = MetadataConfig(**metadata)  # type: ignore[arg-type]
    config = KubernetesConfig(root=str(root), join=("python",), metadata=options)
    return Kubernetes(config, context("containers"))


def test_a_log_with_metadata_is_cut_as_its_pod_says(tmp_path: Path) -> None:
    directory = container(tmp_path / "pods", "shop_web_u1")
    (directory / "0.log").touch()
    path = tmp_path / "pods.json"
    pod = {"namespace": "shop", "name": "web", "annotations": {MULTILINE: "java"}}
    path.write_text(json.dumps({"pods": [pod]}))

    async def scenario() -> None:
        source = kubernetes(tmp_path / "pods", from_="file", path=str(path))
        async with running(source) as catalog:
            key = "test/u1/app/0"
            await catalog.until(lambda: key in catalog.keys and catalog.labels[key].known)
            log = catalog.logs[key]
            assert log.wish is not None
            wished = log.wish(catalog.labels[key]).cutting
            assert wished is not None
            assert wished.joins == Joins(("java",))
            assert log.wish(Labels({})).cutting == log.cutting
            assert log.cutting.joins == Joins(("python",))

    asyncio.run(scenario())


def test_without_metadata_a_log_waits_for_none(tmp_path: Path) -> None:
    (container(tmp_path, "shop_web_u1") / "0.log").touch()

    async def scenario() -> None:
        async with running(kubernetes(tmp_path, from_="none")) as catalog:
            await catalog.until_keys("test/u1/app/0")
            log = catalog.logs["test/u1/app/0"]
            assert log.wish is None
            assert log.cutting.joins == Joins(("python",))

    asyncio.run(scenario())


def test_a_mapping_without_anything_to_join_is_an_error() -> None:
    with pytest.raises(ConfigError):
        JoinConfig()
