"""Cases that were run as JUnit XML, for code hosts that count tests (the schema of Ant's JUnit task).

A rule (or a case file) is a suite, each of its cases a test. That schema has no place for a file and a line at a test: the file is a property of the
suite, and the text of a failure begins with both. What decided each case stands in the suite's `system-out`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree as ET

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, however it is written (2.2 of that standard)."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A case that was run: of which suite (a rule's id, a file's name), where it stands, how long it took in seconds."""

    suite: str
    name: str
    file: str
    line: int | None
    seconds: float
    failure: str  # what was expected and what came out; empty where it came out as expected
    decided: str  # what decided it, as far as that is known


def document(ran: Iterable[Ran], now: datetime) -> bytes:
    """The report, with the instant at which it was made."""
    suites: dict[tuple[str, str], list[Ran]] = {}
    for one in ran:
        suites.setdefault((one.suite, one.file), []).append(one)
    root = ET.Element("testsuites")
    for number, ((suite, file), cases) in enumerate(suites.items()):
        root.append(_suite(number, suite, file, cases, now))
    ET.indent(root)
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made + b"\n"


def _suite(number: int, suite: str, file: str, cases: list[Ran], now: datetime) -> ET.Element:
    element = ET.Element(
        "testsuite",
        {
            "package": "policies",
            "id": str(number),
            "name": _clean(suite),
            "timestamp": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "hostname": "localhost",  # required; which machine it was is nobody's business
            "tests": str(len(cases)),
            "failures": str(sum(bool(one.failure) for one in cases)),
            "errors": "0",
            "time": _seconds(sum(one.seconds for one in cases)),
        },
    )
    properties = ET.SubElement(element, "properties")
    ET.SubElement(properties, "property", {"name": "file", "value": _clean(file)})
    for one in cases:
        case = ET.SubElement(
            element,
            "testcase",
            {"name": _clean(one.name), "classname": _clean(suite), "time": _seconds(one.seconds)},
        )
        if one.failure:
            about = {"message": _clean(one.failure), "type": "case"}
            ET.SubElement(case, "failure", about).text = _clean("\n".join(_told(one)))
    said = [line for one in cases for line in _told(one)]
    ET.SubElement(element, "system-out").text = _clean("\n".join(said))
    ET.SubElement(element, "system-err")
    return element


def _told(one: Ran) -> list[str]:
    """Where a case stands, how it came out and what decided it."""
    place = one.file if one.line is None else f"{one.file}:{one.line}"
    told = [f"{place}: {one.name}: {one.failure or 'as expected'}"]
    return [*told, *(f"  {line}" for line in one.decided.splitlines())]


def _seconds(seconds: float) -> str:
    return f"{seconds:.4f}"


def _clean(text: str) -> str:
    """Text that XML can hold: what it cannot is shown as U+FFFD, the character for characters that cannot be shown."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
