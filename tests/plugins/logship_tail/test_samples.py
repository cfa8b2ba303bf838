"""A log that is described (`logship test`) is the one that the sources find on the disk."""

import asyncio
from pathlib import Path

import orjson
import pytest
from logship_tail.files import Files, FilesConfig
from logship_tail.kubernetes import Kubernetes, KubernetesConfig, MetadataConfig

from logship.api import Cutting, Joins, Labels, NotRead, Source, Wish
from logship.testing import context
from tests.plugins.logship_tail.recording import Recorder, container, running

POD = {
    "namespace": "shop", "name": "cart-0", "labels": {"app": "cart"},
    "annotations": {"logship/multiline": "python"}, "owner_kind": "Job", "owner_name": "bill",
}  # fmt: skip
NAMESPACE = {"name": "shop", "labels": {"team": "retail"}}
ABOUT = {
    "namespace": "shop", "pod": "cart-0", "uid": "uid-1", "container": "cart", "restart": "2",
    "label:app": "cart", "annotation:logship/multiline": "python", "owner_kind": "Job",
    "owner_name": "bill", "namespace_label:team": "retail",
}  # fmt: skip


def found(source: Source, known: bool = True) -> tuple[str, Labels, Cutting]:
    """Key, labels and cutting of the only log that the source finds."""

    async def run() -> tuple[str, Labels, Cutting]:
        async with running(source) as recorder:
            await recorder.until(lambda: _is_known(recorder, known))
            ((key, log),) = recorder.logs.items()
            labels = recorder.labels[key]
            wish = log.wish(labels) if log.wish else Wish()
            return key, labels, wish.cutting or log.cutting

    return asyncio.run(run())


def _is_known(recorder: Recorder, known: bool) -> bool:
    return bool(recorder.logs) and all(each.known == known for each in recorder.labels.values())


def sampled(source: Source, about: dict[str, str]) -> tuple[str, Labels, Cutting]:
    sample = source.sample(Labels(about))
    assert sample.labels == sample.origin.labels
    return sample.origin.key, sample.origin.labels, sample.cutting


@pytest.mark.parametrize("format", ["auto", "cri", "docker"])
def test_a_container(tmp_path: Path, format: str) -> None:
    log = container(tmp_path, "shop_cart-0_uid-1", "cart") / "2.log"
    log.write_text("{" if format == "docker" else "2026-03-01T10:00:00Z stdout F a\n")
    (tmp_path / "pods.json").write_bytes(orjson.dumps({"pods": [POD], "namespaces": [NAMESPACE]}))
    config = KubernetesConfig(
        root=str(tmp_path),
        format=format,  # type: ignore[arg-type]
        metadata=MetadataConfig(from_="file", path=str(tmp_path / "pods.json")),
    )
    source = Kubernetes(config, context("containers"))
    shown = sampled(source, ABOUT)
    assert shown == found(source)
    assert shown[2].joins == Joins(("python",))


def test_a_container_of_which_no_metadata_is_ever_known(tmp_path: Path) -> None:
    container(tmp_path, "shop_cart-0_uid-1", "cart").joinpath("2.log").write_text("")
    options = KubernetesConfig(root=str(tmp_path), metadata=MetadataConfig(from_="none"))
    source = Kubernetes(options, context("containers"))
    assert sampled(source, ABOUT) == found(source)


def test_a_container_whose_metadata_has_not_come() -> None:
    source = Kubernetes(KubernetesConfig(), context("containers"))
    labels = source.sample(Labels(ABOUT, known=False)).labels
    assert not labels.known
    assert not labels.prefixed("label:")
    source.context.world.offload.close()


def test_what_is_not_said_of_a_container_is_made_up() -> None:
    source = Kubernetes(KubernetesConfig(), context("containers"))
    labels = source.sample(Labels({})).labels
    shown = [labels.get(name) for name in ("namespace", "pod", "container", "restart")]
    assert shown == ["default", "pod-0", "app", "0"]
    source.context.world.offload.close()


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"namespace": "kube-system"}, "`exclude_namespaces` takes the namespace kube-system"),
        ({"pod": "a_b/c"}, "does not fit the kubelet's pattern"),
        ({"container": "a/b"}, "does not fit the kubelet's pattern"),
    ],
)
def test_a_container_that_is_not_read(about: dict[str, str], why: str) -> None:
    source = Kubernetes(KubernetesConfig(), context("containers"))
    with pytest.raises(NotRead, match=why):
        source.sample(Labels(about))
    source.context.world.offload.close()


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("a\n")
    config = FilesConfig(paths=(f"{tmp_path}/*.log",), join=("java",))
    source = Files(config, context("logs"))
    assert sampled(source, {"path": str(tmp_path / "app.log")}) == found(source)
    assert sampled(source, {"path": str(tmp_path / "app.log.1")}) == sampled(
        source, {"path": str(tmp_path / "app.log")}
    )


@pytest.mark.parametrize(
    ("path", "why"),
    [("", "needs its `path`"), ("/var/log/b", "no glob of `paths`"), ("/logs/d.log", "`exclude`")],
)
def test_a_file_that_is_not_read(path: str, why: str) -> None:
    config = FilesConfig(paths=("/logs/*.log",), exclude=("/logs/d*",))
    source = Files(config, context("logs"))
    with pytest.raises(NotRead, match=why):
        source.sample(Labels({"path": path} if path else {}))
    source.context.world.offload.close()
