"""The results of `logship test` as JUnit's XML, which systems of CI show. Pure.

A file of tests is a suite. What a failed test says is what a person sees of it in a terminal.
Characters that XML cannot hold, not even escaped, stand as `\\uXXXX`.
"""

import re
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from logship.cli.results import tell
from logship.trial.reading import Loaded
from logship.trial.running import Result

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""https://www.w3.org/TR/xml/#charsets"""


def report(results: Sequence[tuple[Result, Loaded]]) -> bytes:
    """Of all files, in the order in which they were run."""
    root = Xml.Element("testsuites", _counts([result for result, _ in results]))
    for file in dict.fromkeys(loaded.file for _, loaded in results):
        mine = [(result, loaded) for result, loaded in results if loaded.file == file]
        counts = _counts([result for result, _ in mine])
        suite = Xml.SubElement(root, "testsuite", {"name": _held(file), **counts})
        for result, loaded in mine:
            _case(suite, result, loaded)
    Xml.indent(root)
    document: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _counts(results: Sequence[Result]) -> dict[str, str]:
    failed = sum(not result.passed for result in results)
    return {"tests": str(len(results)), "failures": str(failed), "errors": "0"}


def _case(suite: Xml.Element, result: Result, loaded: Loaded) -> None:
    file = _held(loaded.file)
    about = {"classname": file, "name": _held(result.case.name), "file": file}
    case = Xml.SubElement(suite, "testcase", {**about, "line": str(loaded.line(result.path))})
    if not result.passed:
        _, *lines = map(_held, tell(result, loaded, show=False))
        failure = Xml.SubElement(case, "failure", {"message": lines[0].strip()})
        failure.text = "\n".join(["", *lines, ""])


def _held(text: str) -> str:
    """As XML can hold it."""
    return _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
