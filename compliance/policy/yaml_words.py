"""The YAML parser's complaints in plain words, for people who write policies and not parsers."""

from __future__ import annotations

from typing import Any, Final

from ruamel.yaml.error import MarkedYAMLError

from compliance.errors import Place, Problem
from compliance.policy.located import excerpt

_COLON: Final = (
    "a colon stands where no value may begin",
    "either the line is indented wrongly, or a text that contains ': ' needs quotes around it",
)
_INDENT: Final = (
    "this line is not indented like the lines it belongs to",
    "align it with its neighbours (two spaces for each level, never tabs)",
)

_CLOSING: Final = ("}", "]", "'", '"')
_KNOWN: Final[tuple[tuple[str, str, str], ...]] = (
    ("mapping values are not allowed", *_COLON),
    ("expected <block end>", *_INDENT),
    ("sequence entries are not allowed", "a list item ('- ') cannot begin here", "put it on a line of its own, indented below its field"),
    ("could not find expected ':'", "this line has no 'name: value'", "write the field's name, a colon, a space and its value"),
    ("unknown escape character", "this backslash escape does not exist", "in double quotes write \\\\ for a backslash, or use single quotes"),
    ("expected ',' or ']'", "a list that was opened with [ is not closed", "write ] at its end, commas between its items, and close every quote in it"),
    ("expected ',' or '}'", "a group that was opened with { is not closed", "write } at its end, commas between its fields, and close every quote in it"),
    ("expected the node content", "a value is missing here", "write the value, or put the text in quotes"),
)  # fmt: skip


def in_plain_words(error: MarkedYAMLError, source: str, lines: tuple[str, ...]) -> Problem:
    """What the parser found, where, and what to do."""
    mark: Any = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    said = str(error.problem or "")
    message, remedy = _words(said, str(error.context or ""), _character(lines, line, column))
    if "found '<scalar>'" in said and lines[line - 1][: column - 1].rstrip()[-1:] in _CLOSING:
        message, remedy = "text goes on behind a closing bracket or quote", "put the whole text in quotes"
    unclosed = "expected ','" in said or ("quoted scalar" in str(error.context or "") and "end of" in said)
    if unclosed and error.context_mark is not None:
        line, column = error.context_mark.line + 1, error.context_mark.column + 1
    return Problem(Place(source, line, column), message, remedy, "yaml", excerpt(lines, line, column, 1))


def _words(said: str, context: str, character: str) -> tuple[str, str]:
    if "cannot start any token" in said:
        if "\\t" in said or character == "\t":
            return "a tab is used for indentation", "use spaces: two for each level"
        return f"a value cannot begin with {character}", "put the text in quotes"
    if "quoted scalar" in context and "end of" in said:
        return (
            "a quote that is opened here is never closed",
            "close it; inside '...' a single quote is written twice: ''",
        )
    for part, message, remedy in _KNOWN:
        if part in said:
            return message, remedy
    return (
        f"this is not well-formed YAML: {said or context}",
        "compare it with the examples in the documentation",
    )


def _character(lines: tuple[str, ...], line: int, column: int) -> str:
    text = lines[line - 1] if line <= len(lines) else ""
    return text[column - 1 : column]
