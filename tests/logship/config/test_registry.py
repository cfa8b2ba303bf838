"""Plugins: found by entry points of real distributions, loaded late, explained when broken."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from logship.api import Component
from logship.registry import Registry, Unavailable, UnknownType

PLUGIN = '''
import msgspec
from logship.api import Sink, Transform

class Options(msgspec.Struct): ...

class Good(Sink):
    """Delivers to nowhere.

    More about it.
    """
    config = Options

class Bare(Sink):
    """Has no options class."""

class Changer(Transform):
    """Changes."""
    config = Options
'''

METADATA = """\
Metadata-Version: 2.1
Name: shipper-plugins
Version: 1.0
Provides-Extra: dev
Provides-Extra: arrow
Requires-Dist: notinstalled-thing>=1; extra == "dev"
Requires-Dist: notinstalled-thing-storage>=1; extra == 'arrow'
"""

ENTRY_POINTS = """\
[logship.sinks]
good = shipper_plugins_x:Good
bare = shipper_plugins_x:Bare
changer = shipper_plugins_x:Changer
gone = shipper_plugins_x:Gone
needy = shipper_plugins_needy:Sink
lost = shipper_plugins_lost:Sink
crash = shipper_plugins_crash:Sink
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    modules = {
        "x": PLUGIN,
        "needy": "import notinstalled.thing_storage",
        "lost": "import quite_unrelated_module",
        "crash": "raise RuntimeError('boom')",
    }
    for name, text in modules.items():
        (tmp_path / f"shipper_plugins_{name}.py").write_text(text)
    _distribution(tmp_path, "shipper_plugins", METADATA, ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in modules:
        sys.modules.pop(f"shipper_plugins_{name}", None)


def _distribution(root: Path, name: str, metadata: str, entry_points: str) -> None:
    folder = root / f"{name}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(metadata)
    (folder / "entry_points.txt").write_text(entry_points)


def _reason(name: str) -> tuple[str, str]:
    with pytest.raises(Unavailable) as raised:
        Registry.installed().find("sink", name)
    return raised.value.reason, raised.value.hint


def test_an_installed_plugin_is_found(place: Path) -> None:
    assert Registry.installed().find("sink", "good").__name__ == "Good"


def test_nothing_is_imported_until_a_type_is_used(place: Path) -> None:
    registry = Registry.installed()
    assert "good" in registry.names("sink")
    assert "shipper_plugins_x" not in sys.modules
    registry.find("sink", "good")
    assert "shipper_plugins_x" in sys.modules


def test_an_unknown_type_is_told(place: Path) -> None:
    with pytest.raises(UnknownType):
        Registry.installed().find("source", "good")


def test_a_missing_extra_is_named(place: Path) -> None:
    reason, hint = _reason("needy")
    assert reason == (
        "needs the packages of shipper-plugins[arrow]: the Python module notinstalled is missing"
    )
    assert hint == "pip install 'shipper-plugins[arrow]'"


def test_a_missing_module_of_no_extra_names_the_package(place: Path) -> None:
    reason, hint = _reason("lost")
    assert reason == (
        "shipper-plugins cannot be imported: the Python module quite_unrelated_module is missing"
    )
    assert hint == "reinstall shipper-plugins"


def test_a_plugin_that_crashes_on_import_is_told(place: Path) -> None:
    reason, _ = _reason("crash")
    assert reason == "shipper-plugins cannot be imported: RuntimeError: boom"


def test_a_class_that_is_not_there_is_told(place: Path) -> None:
    assert "AttributeError" in _reason("gone")[0]


def test_a_class_of_another_kind_is_refused(place: Path) -> None:
    assert _reason("changer")[0] == "shipper-plugins offers 'changer', which is not a sink"


def test_a_class_without_options_is_refused(place: Path) -> None:
    assert _reason("bare")[0] == "sink 'bare' of shipper-plugins has no class of options"


def test_two_packages_with_one_name_are_in_conflict(place: Path) -> None:
    metadata = "Metadata-Version: 2.1\nName: rival\nVersion: 1.0\n"
    _distribution(place, "rival", metadata, "[logship.sinks]\ngood = shipper_plugins_x:Good\n")
    reason, hint = _reason("good")
    assert reason.endswith("both offer the sink 'good'")
    assert {"rival", "shipper-plugins"} <= set(reason.split())
    assert hint == "uninstall one of them"


def test_summaries_tell_what_can_be_used(place: Path) -> None:
    found = {s.name: s for s in Registry.installed().summaries() if s.package == "shipper-plugins"}
    assert (found["good"].kind, found["good"].summary) == ("sink", "Delivers to nowhere.")
    assert found["needy"].problem.endswith("; pip install 'shipper-plugins[arrow]'")


def test_a_class_can_be_added_directly(registry: Registry) -> None:
    component = registry.find("transform", "grep")
    other = Registry()
    other.add("mine", component)
    assert other.names("transform") == ("mine",)
    assert issubclass(other.find("transform", "mine"), Component)
