"""What a workbook says of its sheets, before any row is read: their names, which are hidden, the formats of cells, the shared texts, the merged cells.

openpyxl writes our workbooks; it does not read those of others. In its streaming mode it knows nothing of merged cells and either formulas or their
values, and it fills gaps between rows with empty ones before anybody could ask how many. What its knowledge is needed for (which formats are dates,
how the two calendars of Excel count) is asked of it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from openpyxl.styles.numbers import builtin_format_code

from compliance.intake.sheets.cells import LAST_COLUMN, LAST_ROW, column_of
from compliance.intake.sheets.package import Elements, Package, local

MOST_SHEETS: Final = 255
MOST_TEXTS: Final = 2_000_000
LONGEST_TEXTS: Final = 64 * 1024 * 1024
"""Characters of all shared texts together."""
LONGEST_TEXT: Final = 32_767
"""Characters of a cell (ECMA-376, as Excel keeps it)."""
MOST_MERGED: Final = 10_000

_CHARACTER: Final = re.compile("_x([0-9A-Fa-f]{4})_")
_MERGED: Final = re.compile(rb"<(?:[\w.-]+:)?mergeCell\s[^<>]*?\bref\s*=\s*[\"']([^\"']{1,40})[\"']")
_RANGE: Final = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})(?::\$?([A-Z]{1,3})\$?([0-9]{1,7}))?")
_GENERAL: Final = "General"
NOT_SAID: Final = "?"
"""The format of a cell of which the workbook does not say it: the number in it may be shown as anything."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook: its name, the part that holds it, whether people see it."""

    name: str
    part: str
    visible: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """Cells that were merged into one, from the first to the last row."""

    ref: str
    first: int
    last: int
    column: int


class Workbook:
    """A workbook's sheets, its calendar (`since_1904`), the formats of cells by number, its shared texts. Raises InputError for a file that is none."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.since_1904 = False
        main = self._related("", "officeDocument").get("officeDocument", "")
        if main not in package:
            package.refuse("is no .xlsx workbook")
        parts = self._related(main, "")
        self._found: list[tuple[str, str, bool]] = []
        package.small(main, Elements(self._of_workbook))
        self.sheets = tuple(
            Sheet(name, parts[related], visible)
            for name, related, visible in self._found[:MOST_SHEETS]
            if parts.get(related, "") in package
        )
        self.formats = self._formats(parts.get("styles", ""))
        self.texts = self._texts(parts.get("sharedStrings", ""))

    def _related(self, part: str, only: str) -> dict[str, str]:
        """What a part refers to: parts by the id of the relationship, and by the last word of its type."""
        folder, name = posixpath.split(part)
        where = posixpath.join(folder, "_rels", f"{name}.rels")
        found: dict[str, str] = {}

        def started(element: str, attributes: dict[str, str]) -> None:
            if element != "Relationship" or attributes.get("TargetMode") == "External":
                return
            target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/")
            kind = attributes.get("Type", "").rpartition("/")[2]
            if not only or kind == only:
                found.setdefault(kind, target)
                found[attributes.get("Id", "")] = target

        if where in self.package:
            self.package.small(where, Elements(started))
        return found

    def _of_workbook(self, element: str, attributes: dict[str, str]) -> None:
        if element == "workbookPr":
            self.since_1904 = attributes.get("date1904", "0") in {"1", "true", "on"}
        elif element == "sheet":
            by_name = {local(name): value for name, value in attributes.items()}
            visible = by_name.get("state", "visible") == "visible"
            self._found.append((by_name.get("name", ""), by_name.get("id", ""), visible))

    def _formats(self, part: str) -> tuple[str, ...]:
        """The number format of each cell style."""
        own: dict[str, str] = {}
        used: list[str] = []
        inside = [""]

        def started(element: str, attributes: dict[str, str]) -> None:
            if element in {"cellXfs", "cellStyleXfs", "dxfs"}:
                inside[0] = element
            elif element == "numFmt" and inside[0] != "dxfs":
                own[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
            elif element == "xf" and inside[0] == "cellXfs":
                used.append(attributes.get("numFmtId", "0"))

        if part in self.package:
            self.package.small(part, Elements(started))
        return tuple(own.get(number) or _builtin(number) for number in used)

    def format(self, style: str) -> str:
        """The number format of a cell by its style."""
        if style == "0" and not self.formats:
            return _GENERAL
        number = counted(style)
        return self.formats[number] if 0 <= number < len(self.formats) else NOT_SAID

    def _texts(self, part: str) -> tuple[str, ...]:
        if part not in self.package:
            return ()
        texts = _Texts(self.package)
        self.package.whole(part, texts)
        return tuple(texts.texts)

    def merged(self, sheet: Sheet) -> tuple[Merged, ...]:
        """The merged cells of a sheet, which stand behind its rows; looked for in its bytes, since rows are handed on as they come.

        The sheet is unpacked to its end on the way: a damaged one is refused before any of its rows is taken.
        """
        found: list[Merged] = []
        for ref in _matches(self.package.chunks(sheet.part)):
            match = _RANGE.fullmatch(ref)
            if match is None:
                continue
            first, last = int(match[2]), int(match[4] or match[2])
            found.append(Merged(ref, first, last, column_of(match[1])))
            if len(found) > MOST_MERGED:
                self.package.refuse(
                    f"has more than {MOST_MERGED:,} merged cells", "Unmerge the cells of the table."
                )
        return tuple(sorted(found, key=lambda one: one.first))


def _matches(chunks: Iterator[bytes]) -> Iterator[str]:
    """The references of merged cells in the bytes of a sheet."""
    tail = b""
    for chunk in chunks:
        text = tail + chunk
        end = 0
        for match in _MERGED.finditer(text):
            end = match.end()
            yield match.group(1).decode("ascii", "replace")
        tail = text[max(end, len(text) - 1024) :]


def _builtin(number: str) -> str:
    # What 27 to 36 and 50 to 58 look like depends on the language of the program, which the workbook does not say.
    return builtin_format_code(counted(number)) or NOT_SAID


def counted(text: str) -> int:
    """A whole number of at most 7 digits; -1 for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 7 else -1


def unescaped(text: str) -> str | None:
    """A text of a workbook with ``_x000D_`` as the character that it stands for (ECMA-376, ST_Xstring); None where that is half of one."""
    if "_x" not in text:
        return text
    try:
        plain = _CHARACTER.sub(lambda match: chr(int(match.group(1), 16)), text)
        return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        return None


class _Texts:
    """A target that gathers the shared texts: runs joined, readings aids (``rPh``) left out, each cut where no cell could hold it."""

    def __init__(self, package: Package) -> None:
        self.texts: list[str] = []
        self._package = package
        self._said: list[str] = []
        self._length = self._all = 0
        self._in_text = False
        self._aside = 0

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        """An element begins."""
        element = local(tag)
        if element == "si":
            self._said, self._length = [], 0
        elif element == "rPh":
            self._aside += 1
        self._in_text = element == "t" and not self._aside

    def data(self, text: str) -> None:
        """Text within an element."""
        if self._in_text and self._length <= LONGEST_TEXT:
            self._said.append(text)
            self._length += len(text)

    def end(self, tag: str) -> None:
        """An element ends."""
        element = local(tag)
        self._in_text = False
        if element == "rPh":
            self._aside -= 1
        elif element == "si":
            self.texts.append("".join(self._said))
            self._all += self._length
            if len(self.texts) > MOST_TEXTS or self._all > LONGEST_TEXTS:
                self._package.refuse(
                    "has more texts than a table of events holds",
                    "Save its rows as several workbooks, or as CSV.",
                )

    def close(self) -> None:
        """The part ends."""


def within_a_sheet(row: int, column: int) -> bool:
    """Whether a sheet has such a cell."""
    return 1 <= row <= LAST_ROW and 1 <= column <= LAST_COLUMN
