"""Whether words or codes name a drug of ours: ketamine or esketamine, whoever makes it and however it is written.

Words never choose a product. They raise a hand, so that what names a drug of ours is rejected where its code is not known, and never passed
over. So they are read generously: a hand raised in vain costs a look, one that stays down a dose.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

_SEPARATING: Final = {ord(sign): " " for sign in "™®©℠"} | {ord("ı"): "i"}
"""Signs behind a name, which NFKD would make letters of it (TM); the dotless i of a Turkish keyboard, which has no decomposition."""

_LEFT_OUT: Final = frozenset({"Mn", "Me", "Cf"})
"""Accents, enclosing marks, and what is not seen: soft hyphens, joiners, marks of direction."""

_NAMED: Final = re.compile(
    r"(?<!nor)ketami+n"  # ketamin, ketamine, ketamina, ketaminum; es-, s-, ar-, rac- before it, any salt behind it
    r"|(?<![a-z])(?:es|s|ar)?ket[^a-z0-9]+amin"  # as labels break it
    r"|(?<![a-z])(?:es)?[ck]h?etamina(?![a-z])"  # Portuguese, Spanish, Italian; not acetaminophen
    r"|spravato|ketalar|ketanest|ketaject|(?<![a-z])ketaset(?![a-z])"
)
"""Generic names and brands. Norketamine is what a body makes of ketamine: a laboratory measures it and nobody gives it."""


def names_ours(text: str) -> bool:
    """Whether a text names ketamine or esketamine, by generic name or brand."""
    return _NAMED.search(folded(text)) is not None


def folded(text: str) -> str:
    """A text without what is written differently and means the same: case, width, accents, entities of HTML, what is not seen."""
    if "&" in text:
        text = html.unescape(text)
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKD", text.translate(_SEPARATING))
    return "".join(sign for sign in plain if unicodedata.category(sign) not in _LEFT_OUT).casefold()
