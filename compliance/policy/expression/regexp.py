r"""Regular expressions for ``matches``: the subset of RE2 that means the same in Python's `re`.

CEL's ``matches`` is RE2 and searches anywhere in the text. What RE2 lacks (looking around, references back, possessive
repetition) is refused, and so is what RE2 and `re` read differently; the rest is translated where one sign differs (``$``, ``\z``,
``\s``). A repetition inside a repetition is refused too, because `re`, unlike RE2, can need exponential time for it.
Source: RE2 syntax (https://github.com/google/re2/wiki/Syntax).
"""

from __future__ import annotations

import re
from functools import lru_cache

_MAX_LENGTH = 500
_MAX_REPEAT = 1000  # RE2's own limit for {n,m}
_REPEAT = re.compile(r"\{([0-9]+)(?:(,)([0-9]*))?\}")
_GROUP = re.compile(r"\(\?(?:P?<([A-Za-z_][A-Za-z0-9_]*)>|:)")
_ESCAPES = {"z": r"\Z", "s": r"[\t\n\f\r ]", "S": r"[^\t\n\f\r ]"}
_SAME_ESCAPES = frozenset("AbBdDwWtnrfv")
_HEX = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})")
_CLASS_NAMES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "digit": "0-9", "lower": "a-z", "upper": "A-Z",
    "xdigit": "0-9A-Fa-f", "word": "0-9A-Za-z_", "space": r"\t\n\v\f\r ",
}  # fmt: skip


class PatternError(ValueError):
    """A pattern that cannot be used: `message` and `remedy`, for people."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern for Python's `re`, to be used with ``search``. Raises PatternError."""
    if len(pattern) > _MAX_LENGTH:
        raise PatternError(f"the pattern is longer than {_MAX_LENGTH} characters", "shorten it")
    translated = _Reader(pattern).translated()
    try:
        return re.compile(translated, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"the pattern cannot be read: {error}", "check brackets and repetitions") from None


class _Reader:
    """Reads a pattern once, left to right, and writes its translation."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._out: list[str] = []

    def translated(self) -> str:
        # For each open group: whether a repetition or an alternative stands in it, directly or deeper.
        open_groups: list[bool] = []
        varies = False  # the same of what is read at this level
        last = (
            ""  # what a repetition would repeat: "" nothing, "atom", "group", "varying group", "repetition"
        )
        while self._at < len(self._pattern):
            character = self._pattern[self._at]
            if character == "(":
                self._open()
                open_groups.append(varies)
                varies, last = False, ""
                if len(open_groups) > 30:
                    raise PatternError("the groups are nested too deeply", "write a simpler pattern")
            elif character == ")":
                if not open_groups:
                    raise PatternError(
                        "a closing parenthesis has no opening one", r"write \) for the character itself"
                    )
                self._copy(1)
                last = "varying group" if varies else "group"
                varies = open_groups.pop() or varies
            elif character == "|":
                self._copy(1)
                varies, last = True, ""
            elif character in "*+?" or (character == "{" and _REPEAT.match(self._pattern, self._at)):
                varies |= self._repetition(last)
                last = "repetition"
            else:
                self._atom(character)
                last = "" if character in "^$" else "atom"
        if open_groups:
            raise PatternError(
                "a parenthesis is not closed", r"add ')', or write \( for the character itself"
            )
        return "".join(self._out)

    def _copy(self, length: int) -> None:
        self._out.append(self._pattern[self._at : self._at + length])
        self._at += length

    def _open(self) -> None:
        if not self._pattern.startswith("(?", self._at):
            self._copy(1)
            return
        group = _GROUP.match(self._pattern, self._at)
        if group is None:
            raise PatternError(
                "'(?' starts something that policy expressions do not have (looking ahead or behind, flags, comments)",
                "use plain groups ( ) or (?: )",
            )
        self._out.append(f"(?P<{group.group(1)}>" if group.group(1) else "(?:")
        self._at = group.end()

    def _repetition(self, last: str) -> bool:
        """Copies one repetition and says whether the number of times is open."""
        if last == "":
            raise PatternError(
                f"{self._pattern[self._at]!r} repeats nothing",
                f"write \\{self._pattern[self._at]} for the character itself",
            )
        if last == "repetition":
            raise PatternError(
                "a repetition cannot follow a repetition", "put the first one in a group, or remove one"
            )
        start = self._at
        counted = _REPEAT.match(self._pattern, self._at)
        if counted is None:
            many = self._pattern[self._at] != "?"
            varying = True
            self._copy(1)
        else:
            low, high = int(counted.group(1)), int(counted.group(3) or counted.group(1))
            if max(low, high) > _MAX_REPEAT or high < low:
                raise PatternError(
                    f"{counted.group()} is not a number of times that can be used",
                    "use at most 1000, the smaller first",
                )
            many = (bool(counted.group(2)) and not counted.group(3)) or high > 10
            varying = counted.group(2) is not None
            self._copy(len(counted.group()))
        if many and last == "varying group":
            raise PatternError(
                f"{self._pattern[start : self._at]!r} repeats a group that itself varies, which can take very long",
                "write it without a repetition or alternative inside the repeated group",
            )
        if self._pattern.startswith("?", self._at):
            self._copy(1)  # the lazy form finds the same
        return varying

    def _atom(self, character: str) -> None:
        if character == "[":
            self._class()
        elif character == "\\":
            self._escape(in_class=False)
        elif character == "$":
            self._out.append(r"\Z")  # in RE2 without flags, the end of the text and nothing else
            self._at += 1
        elif character in "{}":
            raise PatternError(f"{character!r} stands alone", f"write \\{character} for the character itself")
        else:
            self._copy(1)

    def _escape(self, *, in_class: bool) -> None:
        letter = self._pattern[self._at + 1 : self._at + 2]
        if hexadecimal := _HEX.match(self._pattern, self._at + 1):
            point = int(hexadecimal.group(1) or hexadecimal.group(2), 16)
            if point > 0x10FFFF:
                raise PatternError(
                    f"\\{hexadecimal.group()} is not a character", "use the number of a Unicode character"
                )
            self._out.append(re.escape(chr(point)))
            self._at = hexadecimal.end()
        elif letter.isdigit():
            raise PatternError(
                f"\\{letter} refers back to a group, which policy expressions do not have",
                "write the text out",
            )
        elif in_class and letter in "sS":
            if letter == "S":
                raise PatternError(r"\S cannot stand inside [ ]", r"list the characters")
            self._out.append(r"\t\n\f\r ")
            self._at += 2
        elif not in_class and letter in _ESCAPES:
            self._out.append(_ESCAPES[letter])
            self._at += 2
        elif letter and (letter in (_SAME_ESCAPES - frozenset("AbB") if in_class else _SAME_ESCAPES)):
            self._copy(2)
        elif letter and letter.isascii() and not letter.isalnum() and letter != "_":
            self._out.append(re.escape(letter))
            self._at += 2
        else:
            raise PatternError(f"\\{letter} is not known in a pattern", r"write \\ for a backslash")

    def _class(self) -> None:
        self._copy(1)
        if self._pattern.startswith("^", self._at):
            self._copy(1)
        first = True
        while True:
            character = self._pattern[self._at : self._at + 1]
            if not character:
                raise PatternError(
                    "a bracket [ is not closed", r"add ']', or write \[ for the character itself"
                )
            if character == "]" and not first:
                self._copy(1)
                return
            if self._pattern.startswith("[:", self._at):
                self._named_class()
            elif character == "\\":
                self._escape(in_class=True)
            elif character in "[]&~|":
                self._out.append("\\" + character)  # `re` warns of future meanings of [[ && ~~ ||
                self._at += 1
            elif character == "-" and self._pattern.startswith("--", self._at):
                raise PatternError("'--' inside [ ] is unclear", r"write \- for a hyphen")
            else:
                self._copy(1)
            first = False

    def _named_class(self) -> None:
        end = self._pattern.find(":]", self._at)
        name = self._pattern[self._at + 2 : end] if end > 0 else ""
        if name not in _CLASS_NAMES:
            raise PatternError(
                "'[:' starts a class of characters that is not known",
                f"use one of {', '.join(sorted(_CLASS_NAMES))}",
            )
        self._out.append(_CLASS_NAMES[name])
        self._at = end + 2
