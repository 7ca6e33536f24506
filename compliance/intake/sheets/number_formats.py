"""What a number format does to a number that is shown in it (ECMA-376, part 1, 18.8.30 and 18.8.31).

People check a sheet by what it shows. A format may show a number divided by a thousand (``0.0,``), as a fraction, or with another unit (``0" ug"``): the
number that is stored is then not what anybody saw. Let through is what is known to show it: digits, groups of digits, an exponent, the field's own unit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_PIECE: Final = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.?)|\*(?P<filled>.?)|(?P<skipped>_.?)|\[\$(?P<symbol>[^\]-]*)[^\]]*\]?'
    r"|\[(?P<bracket>[^\]]*)\]?|(?P<end>;)|(?P<code>general|[0#?.,%/@]|e[+-])|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_LITERAL: Final = frozenset({"quoted", "escaped", "filled", "symbol", "other"})
_PLAIN: Final = re.compile(
    r"general|@|(?:[0#?]+(?:,[0#?]+)*\.?[0#?]*|\.[0#?]+)(?:e[+-][0#?]+)?", re.IGNORECASE
)
_MONEY: Final = frozenset("$€£¥")
_AROUND: Final = " \u00a0\u202f"
"""Spaces; they may stand anywhere."""


def shown_otherwise(pattern: str, digits: str, is_unit: Callable[[str], bool]) -> str | None:
    """Why a number (its digits, as a workbook stores them) is not shown as it is, in words that follow "the cell is shown"; None where it is.

    `is_unit` tells whether a text is the unit of the number's field.
    """
    sections, conditions = _sections(pattern)
    number = float(digits)
    if (
        conditions
    ):  # which section shows which number is the workbook's to say: all of them must show it as it is
        return next((why for section in sections if (why := _why(section, is_unit, signs=""))), None)
    if number < 0 and len(sections) > 1:
        return _why(sections[1], is_unit, signs="-()") or _unsigned(sections[1])
    return _why(sections[2] if number == 0 and len(sections) > 2 else sections[0], is_unit, signs="")


_Section = list[tuple[str, str]]
"""Runs of codes and of literal text, in turn: what each is, and its characters."""


def _sections(pattern: str) -> tuple[list[_Section], bool]:
    """The sections of a format, and whether conditions choose between them."""
    sections: list[_Section] = [[]]
    conditions = False
    for match in _PIECE.finditer(pattern):
        piece = match.lastgroup or ""
        if piece == "end":
            sections.append([])
        elif piece == "bracket":
            conditions = conditions or match[piece][:1] in {"<", ">", "="}
        elif piece == "code" or piece in _LITERAL:
            what = "code" if piece == "code" else "literal"
            text = (
                match[piece] if what == "code" else match[piece].translate(dict.fromkeys(map(ord, _AROUND)))
            )
            if not text:
                continue
            if sections[-1] and sections[-1][-1][0] == what:
                sections[-1][-1] = (what, sections[-1][-1][1] + text)
            else:
                sections[-1].append((what, text))
    return sections[:3] if len(sections) > 3 else sections, conditions


def _why(section: _Section, is_unit: Callable[[str], bool], *, signs: str) -> str | None:
    """Why a section does not show a number as it is; `signs` may stand around it."""
    code = "".join(text for what, text in section if what == "code")
    literals = [text for what, text in section if what == "literal"]
    if "%" in code:
        return "as a percentage"
    if _MONEY & set("".join(literals)):
        return "as an amount of money"
    if "/" in code:
        return "as a fraction"
    if not code:
        return "without its digits"
    if _PLAIN.fullmatch(code) is None:
        return "divided by thousands" if code.rstrip(".0#?").endswith(",") else "as another number"
    texts = [text for literal in literals if (text := literal.strip(signs))]
    if not texts or (len(texts) == 1 and is_unit(texts[0])):
        return None
    return "with a text that is not the field's own unit"


def _unsigned(section: _Section) -> str | None:
    """A section of its own for negative numbers shows the sign that is written in it, and no other."""
    said = "".join(text for what, text in section if what == "literal")
    return None if "-" in said or "(" in said else "without its sign"
