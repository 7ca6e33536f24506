"""Text to tokens: CEL's lexical grammar, as far as the policy language uses it.

What CEL has and this language has not (division, bytes, maps, unsigned numbers, exponents) is refused here by name, so that
the author reads what to write instead and not "syntax error".
Source: CEL specification, "Syntax" (https://github.com/google/cel-spec/blob/master/doc/langdef.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NoReturn

from compliance.domain.values import SCALE
from compliance.policy.expression.errors import ExpressionError, ExpressionErrors
from compliance.policy.expression.tree import Span

MAX_LENGTH = 10_000
"""Longest expression, in characters."""

LIMIT = 10**9 * SCALE
"""Numbers lie below 10^9 in absolute value (engine.md, "Exactness"); in millionths."""


@dataclass(frozen=True, slots=True)
class Token:
    """`value` is the number in millionths, the text without quotes, or None."""

    kind: Literal["number", "text", "name", "operator", "end"]
    text: str
    span: Span
    value: int | str | None = None


_SPACE = re.compile(r"[ \t\r\n\f]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_OPERATOR = re.compile(r"&&|\|\||==|!=|<=|>=|[!<>+\-*?:.,()\[\]]")
_STRING_START = re.compile(r"([rRbB]{0,2})(['\"])")
_SIMPLE_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "?": "?", '"': '"', "'": "'", "`": "`",
}  # fmt: skip
_ESCAPE = re.compile(r"x[0-9A-Fa-f]{2}|X[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[0-3][0-7]{2}")

_NOT_IN_THE_LANGUAGE = {
    "/": (
        "There is no division (and no comment) in a policy expression, because a quotient cannot be kept exact.",
        "Multiply the other side: 'dose_mg <= limit * weight_kg' for 'dose_mg / weight_kg <= limit'; comments follow a '#'.",
    ),
    "%": ("There is no remainder ('%') in a policy expression.", "Say it with comparisons."),
    "{": ("There are no maps or records in braces in a policy expression.", "Name the values one by one."),
    "}": ("There are no maps or records in braces in a policy expression.", "Name the values one by one."),
    "=": ("One '=' is not a comparison.", "Write '=='."),
    "&": ("One '&' is not 'and'.", "Write '&&'."),
    "|": ("One '|' is not 'or'.", "Write '||'."),
    "≤": ("'≤' is not an operator here.", "Write '<='."),
    "≥": ("'≥' is not an operator here.", "Write '>='."),
    "≠": ("'≠' is not an operator here.", "Write '!='."),
    "“": ("Typographic quotes do not start a text.", "Use straight quotes, like 'this'."),
    "”": ("Typographic quotes do not end a text.", "Use straight quotes, like 'this'."),
    "‘": ("Typographic quotes do not start a text.", "Use straight quotes, like 'this'."),
    "’": ("Typographic quotes do not end a text.", "Use straight quotes, like 'this'."),
    "`": (
        "Back quotes are not used in a policy expression.",
        "Write names as they are, and texts in straight quotes.",
    ),
    ";": ("A semicolon has no meaning here; there is one expression.", "Join conditions with '&&'."),
    "\\": ("A backslash stands only inside quotes.", "Remove it."),
}


def fail(start: int, end: int, message: str, remedy: str = "") -> NoReturn:
    """Raise the one error after which nothing more can be read."""
    raise ExpressionErrors([ExpressionError(Span(start, end), message, remedy)])


def tokens(text: str) -> list[Token]:
    """All tokens of an expression, with an ``end`` token after the last.

    Raises ExpressionErrors where a character or literal is not of the language.
    """
    if len(text) > MAX_LENGTH:
        fail(
            MAX_LENGTH,
            len(text),
            f"The expression has {len(text):,} characters; at most {MAX_LENGTH:,} are allowed.",
            "Split the rule into several.",
        )
    found: list[Token] = []
    at = 0
    while at < len(text):
        if space := _SPACE.match(text, at):
            at = space.end()
            continue
        token = _token(text, at)
        found.append(token)
        at = token.span.end
    found.append(Token("end", "", Span(len(text), len(text))))
    return found


def _token(text: str, at: int) -> Token:
    if (start := _STRING_START.match(text, at)) is not None:
        return _string(text, at, start)
    if name := _NAME.match(text, at):
        return Token("name", name.group(), Span(at, name.end()))
    if text[at].isascii() and text[at].isdigit():
        return _number(text, at)
    if operator := _OPERATOR.match(text, at):
        if operator.group() == "." and text[at + 1 : at + 2].isdigit():
            end = at + 2
            while end < len(text) and text[end].isdigit():
                end += 1
            fail(at, end, "A number does not start with a point.", f"Write 0{text[at:end]}.")
        return Token("operator", operator.group(), Span(at, operator.end()))
    message, remedy = _NOT_IN_THE_LANGUAGE.get(
        text[at], (f"The character {text[at]!r} has no meaning in a policy expression.", "Remove it.")
    )
    fail(at, at + 1, message, remedy)


def _number(text: str, at: int) -> Token:
    match = _NUMBER.match(text, at)
    assert match is not None  # the caller saw a digit
    end = match.end()
    tail = _NAME.match(text, end)
    if tail is not None:
        written = text[at : tail.end()]
        if tail.group() in ("u", "U"):
            fail(
                at,
                tail.end(),
                "Unsigned numbers are not part of the policy language.",
                f"Write {match.group()}.",
            )
        if tail.group()[0] in "xXeE":
            fail(
                at,
                tail.end(),
                f"{written} is not a plain decimal number.",
                "Write the number out, such as 1500 or 0.25.",
            )
        fail(
            at,
            tail.end(),
            f"{written} is neither a number nor a name.",
            "Write an elapsed time as duration('2h'); other units are part of the field's name.",
        )
    if text[end : end + 1] == "." and not text[end + 1 : end + 2].isalpha():
        fail(
            at, end + 1, "A number does not end with a point.", f"Write {match.group()} or {match.group()}.0."
        )
    whole, _, fraction = match.group().partition(".")
    if len(fraction.rstrip("0")) > 6:
        fail(
            at,
            end,
            f"{match.group()} has more than 6 digits after the point, which cannot be kept exact.",
            "Use at most 6.",
        )
    if len(whole.lstrip("0")) > 9:
        fail(
            at,
            end,
            f"{match.group()} is too large: numbers lie below 1,000,000,000.",
            "Use a smaller number or another unit.",
        )
    value = int(whole) * SCALE + int(fraction.rstrip("0").ljust(6, "0"))
    return Token("number", match.group(), Span(at, end), value)


def _string(text: str, at: int, start: re.Match[str]) -> Token:
    prefix, quote = start.group(1).lower(), start.group(2)
    if "b" in prefix:
        fail(
            at,
            start.end(),
            "Byte strings are not part of the policy language.",
            "Leave out the letter b before the quote.",
        )
    if len(prefix) > 1:
        fail(at, start.end(), f"A text cannot start with {start.group(1)!r}.", "Write r'...' once.")
    if text.startswith(quote * 3, start.start(2)):
        fail(
            at,
            start.end() + 2,
            "Texts in three quotes are not part of the policy language.",
            "Use one quote on each side.",
        )
    pieces: list[str] = []
    index = start.end()
    while True:
        character = text[index : index + 1]
        if character in ("", "\n", "\r"):
            fail(at, index, "This text has no closing quote.", f"Close it with {quote} on the same line.")
        if character == quote:
            return Token("text", text[at : index + 1], Span(at, index + 1), "".join(pieces))
        if character == "\\" and not prefix:
            piece, index = _escape(text, index)
            pieces.append(piece)
        else:
            pieces.append(character)
            index += 1


def _escape(text: str, at: int) -> tuple[str, int]:
    letter = text[at + 1 : at + 2]
    if letter in _SIMPLE_ESCAPES:
        return _SIMPLE_ESCAPES[letter], at + 2
    match = _ESCAPE.match(text, at + 1)
    if match is None:
        fail(
            at,
            at + 2,
            f"A backslash followed by {letter!r} is not defined in a text.",
            r"Write '\\' for a backslash, or r'...' for a text in which backslashes stand for themselves.",
        )
    code = match.group()
    point = int(code, 8) if code[0].isdigit() else int(code[1:], 16)
    if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
        fail(at, match.end(), f"\\{code} is not a character.", "Use the number of a Unicode character.")
    return chr(point), match.end()
