"""A case as it stands in a rule's file: its YAML, and the file's text with it behind the last case.

What `fill` adds to an event need not be written, so it is left out; the case must come out the same without.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from compliance.errors import InputError
from compliance.policy.documents import read_text
from compliance.policy.expression.tree import Type
from compliance.policy.fill import fill
from compliance.policy.located import Document
from compliance.policy.model import Case
from compliance.policy.names import field_types
from compliance.policy.scalar_text import inline

_WHOLE_MINUTE: Final = re.compile(r"(T\d\d:\d\d):00(?=[+-]|Z)")
_AT_THE_END: Final = ("occurred_at",)


def case_yaml(case: Case, indent: int = 2) -> str:
    """The case as an item of a rule's ``cases:``, whose dash stands behind so many blanks; ends with a line break."""
    lines = [f"- name: {inline(case.name)}"]
    if case.history:
        lines.append("  history:")
        lines += [f"    - {_event(event)}" for event in case.history]
    lines.append(f"  event: {_event(case.event)}")
    if case.now is not None:
        lines.append(f"  now: {inline(_minutes(case.now))}")
    lines.append(f"  expect: {case.expect}")
    return "".join(f"{' ' * indent}{line}\n" for line in lines)


def _event(event: Mapping[str, Any]) -> str:
    kind = str(event["kind"])
    return _group(event, field_types(kind), first="kind")


def _group(record: Mapping[str, Any], types: Mapping[str, Type], first: str = "") -> str:
    names = sorted(record, key=lambda name: (name != first, name in _AT_THE_END))
    return "{" + ", ".join(f"{name}: {_value(record[name], types.get(name))}" for name in names) + "}"


def _value(value: Any, kind: Type | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return _group(value, dict(kind.fields) if kind is not None else {})
    if isinstance(value, list | tuple):
        element = None if kind is None else kind.element
        return f"[{', '.join(_value(item, element) for item in value)}]"
    if kind is not None and kind.name == "number":
        return str(value)
    text = str(value)
    return inline(_minutes(text) if kind is not None and kind.name == "instant" else text, flow=True)


def _minutes(instant: str) -> str:
    return _WHOLE_MINUTE.sub(r"\1", instant)


def shortened(case: Case, kept: Collection[str]) -> Case:
    """The case without ids that nothing names, and without fields that are filled in alike, but for those to be `kept`: what a case depends on
    stands in it."""
    bodies = (*case.history, case.event)
    named = [text for body in bodies for text in _texts({**body, "id": None})]
    short = [_short(body, named, kept) for body in bodies]
    return replace(case, history=tuple(short[:-1]), event=short[-1])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _short(body: Mapping[str, Any], named: list[str], kept: Collection[str]) -> dict[str, Any]:
    short = {name: value for name, value in body.items() if name != "id" or value in named}
    for name in set(short).difference(kept, ("kind", "occurred_at", "id")):
        without = {other: value for other, value in short.items() if other != name}
        if fill(without).get(name) == short[name]:
            short = without
    return short


def with_case(text: str, source: str, case: Case) -> str:
    """The text of a rule's file with a case behind its last one; all else is as it was, byte for byte.

    Raises InputError where that cannot be done: the file cannot be read any more, or its cases are not written one below the other.
    """
    document = read_text(text, source)
    if not isinstance(document, Document):
        raise InputError(
            f"{source} cannot be read any more", "Mend it; `compliance policy check` says where."
        )
    cases = document.value.get("cases") if isinstance(document.value, dict) else None
    first = document.marks.get(("cases", 0))
    if not isinstance(cases, list) or first is None or not _one_below_the_other(document):
        raise InputError(
            f"the cases of {source} are not written one below the other",
            "Paste the case into the file yourself.",
        )
    written = case_yaml(case, first.column - 3)
    added = read_text(f"cases:\n{written}", source)
    assert isinstance(added, Document)  # it is our own
    wanted = {**document.value, "cases": [*cases, *added.value["cases"]]}
    for end in _line_ends(text, document):
        before = text[:end] if text[:end].endswith("\n") else text[:end] + "\n"
        made = before + written + text[end:]
        read = read_text(made, source)
        if isinstance(read, Document) and read.value == wanted and list(read.value) == list(document.value):
            return made
    raise InputError(
        f"there is no plain end of the cases in {source}", "Paste the case into the file yourself."
    )


def _one_below_the_other(document: Document) -> bool:
    """Whether each case begins behind a dash on a line of its own."""
    marks = [document.marks[("cases", number)] for number in range(len(document.value["cases"]))]
    columns = {mark.column for mark in marks}
    dashes = {document.lines[mark.line - 1][: mark.column - 1].strip() for mark in marks}
    return len(columns) == 1 and dashes == {"-"} and marks[0].column >= 3


def _line_ends(text: str, document: Document) -> Iterator[int]:
    """The ends of lines behind which the next case may stand: that of the last value, and those of what closes its brackets."""
    ends = [mark.end for path, mark in document.marks.items() if path[:1] == ("cases",) and len(path) > 1]
    at = max(ends)
    while at > 0 and text[at - 1] in "\r\n":
        at -= 1
    for _ in range(8):
        line_end = text.find("\n", at)
        at = len(text) if line_end < 0 else line_end + 1
        yield at
        if at == len(text):
            return
