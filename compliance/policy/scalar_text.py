"""How one value is written: without quotes where it needs none, else in one style, long text folded at blanks.

What is written here reads back as the same value, character by character, in every place: ``'1e3'`` and ``'no'`` keep their quotes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from compliance.policy.scalars import Digits, ScalarError, resolve_plain

# What a plain scalar cannot hold (YAML 1.2, 7.3.3): an indicator in front, blanks at an end, `: ` or ` #` within, what is no visible character.
_NOT_PLAIN: Final = re.compile(
    r"""\A[,\[\]{}#&*!|>'"%@`=]|\A[-?:](?:[\s,\[\]{}]|\Z)|\A[\s]|[\s]\Z|:[\s]|:\Z|\s\#|\A(?:---|\.\.\.)"""
    r"""|[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"""
)
_NOT_PLAIN_IN_FLOW: Final = re.compile(r"[,\[\]{}]|\A[?:-]|:\?")
# Text for us; a truth value, a count of minutes or an instant for readers of YAML 1.1. Dates are left as people write them.
_MISREAD: Final = re.compile(
    r"(?:y|n|yes|no|on|off)\Z|[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.\d*)?\Z|\d{4}-\d\d?-\d\d?[Tt ]",
    re.IGNORECASE | re.ASCII,
)
_ESCAPED: Final = re.compile(
    r"""["\\]|[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"""
)
_SHORT_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_NOT_IN_BLOCK: Final = re.compile(
    r"\A[ \n]|[ ](?:\n|\Z)|\n\n\Z"
    r"|[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_FOLD: Final = re.compile(r"(?<=[^ ]) (?=[^ ])")
_OPERATOR: Final = re.compile(r" (?=(?:&&|\|\||\?|:) )")


@lru_cache(maxsize=8192)
def key(name: str, *, flow: bool = False) -> str:
    """The name of a field; whatever it looks like, it is text."""
    plain = name and not _NOT_PLAIN.search(name) and not (flow and _NOT_PLAIN_IN_FLOW.search(name))
    return name if plain else _quoted(name)


def inline(value: Any, *, flow: bool = False) -> str:
    """A scalar on one line; `flow` where it stands within brackets or braces."""
    if isinstance(value, Digits):
        return value if "." in value else f"{value}."
    if isinstance(value, str):
        return _text(value, flow)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


@lru_cache(maxsize=8192)
def _text(value: str, flow: bool) -> str:
    return value if _is_plain(value, flow) else _quoted(value)


def _is_plain(value: str, flow: bool) -> bool:
    if _NOT_PLAIN.search(value) or _MISREAD.match(value) or (flow and _NOT_PLAIN_IN_FLOW.search(value)):
        return False
    try:
        return isinstance(read := resolve_plain(value), str) and not isinstance(read, Digits)
    except ScalarError:
        return False


def needs_quotes_in_flow(value: Any) -> bool:
    """Whether a text has to be quoted only because it stands within brackets or braces."""
    return (
        isinstance(value, str)
        and bool(value)
        and _is_plain(value, flow=False)
        and not _is_plain(value, flow=True)
    )


def _quoted(text: str) -> str:
    """In single quotes; in double ones what holds a single quote, or what only an escape can write."""
    special = {match.group() for match in _ESCAPED.finditer(text)}
    if not special - {'"', "\\"} and ("'" not in text or special):
        return "'" + text.replace("'", "''") + "'"
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def block(text: str, width: int) -> list[str] | None:
    """A text as a block scalar: its header, then its lines without indent, which are `width` wide where blanks allow it.

    None where a block cannot hold it, or would have one line only. Text of several short lines is written as it is, other text folded.
    """
    if not text or _NOT_IN_BLOCK.search(text):
        return None
    body = text.removesuffix("\n")
    chomp = "" if body != text else "-"
    lines = body.split("\n")
    if len(lines) > 1 and all(len(line) <= width and line[:1] != " " for line in lines):
        return [f"|{chomp}", *lines]
    folded = _folded(lines, width)
    return [f">{chomp}", *folded] if len(folded) > 1 or chomp == "" else None


def _folded(lines: list[str], width: int) -> list[str]:
    """A break between two lines that begin at the margin is a blank when it is read, so a real one takes an empty line more; beside
    a line that is set in, breaks stay as they are (YAML 1.2, 8.1.3)."""
    written: list[str] = []
    before = ""
    for line in lines:
        if line and before and " " not in (before[0], line[0]):
            written.append("")
        written.extend(_wrapped(line, width) if line[:1] not in ("", " ") else [line])
        before = line or before
    return written


def _wrapped(line: str, width: int) -> list[str]:
    """One long line as several, broken at single blanks; an expression before the operator that binds least, so that it reads as it is meant."""
    depths = _depths(line) if " && " in line or " || " in line else {}
    parts: list[str] = []
    start = 0
    while len(line) - start > width:
        within = [match.start() for match in _FOLD.finditer(line, start + 1, start + width + 1)]
        operators = [at for at in within if at in depths]
        if operators:
            lowest = min(depths[at] for at in operators)
            at = max(at for at in operators if depths[at] == lowest)
        elif within:
            at = within[-1]
        else:
            later = _FOLD.search(line, start + width)
            if later is None:
                break
            at = later.start()
        parts.append(line[start:at])
        start = at + 1
    return [*parts, line[start:]]


def _depths(line: str) -> dict[int, int]:
    """How deep in brackets each operator stands, by the place of the blank before it."""
    operators = {match.start() for match in _OPERATOR.finditer(line)}
    found: dict[int, int] = {}
    depth = 0
    for at, character in enumerate(line):
        depth += (character in "([{") - (character in ")]}")
        if at in operators:
            found[at] = depth
    return found
