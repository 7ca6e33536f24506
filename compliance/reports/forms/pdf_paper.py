"""Pages that are filled from the top down, and put into a PDF file when all are known: only then is it known how many there are.

Type is Vera, which comes with reportlab and is embedded; verbatim text is Courier. A character that the face does not have is shown by its number.
Measures are in points (1/72 inch), and grow upwards as in PDF. Pages are US Letter; what stands on them also fits A4 as it is printed.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import reportlab
from reportlab.lib.colors import Color, HexColor
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from compliance.reports.forms.plain import numbered, visible

LEFT: Final = 50.0
TOP: Final = 60.0
BOTTOM: Final = 60.0

INK: Final = "#16202A"
FAINT: Final = "#4F5B66"
HAIR: Final = "#C4CCD4"
SHADE: Final = "#E8ECF0"
WHITE: Final = "#FFFFFF"


@dataclass(frozen=True, slots=True)
class Format:
    """A page's width and height, and how long its lines may be: between margins that Letter and A4 both have."""

    width: float
    height: float
    line: float


PORTRAIT: Final = Format(612, 792, 495)
LANDSCAPE: Final = Format(792, 612, 692)


class Face:
    """A face of type: how wide its characters are, and which it has."""

    def __init__(self, name: str, widths: dict[int, float]) -> None:
        self.name = name
        self._widths = widths

    def has(self, text: str) -> str:
        """The text in characters that this face has, composed where it has the composed one; the others by their number."""
        text = unicodedata.normalize("NFC", visible(text))
        missing = {one for one in text if ord(one) not in self._widths} - {"\n", "\t"}
        return text.translate({ord(one): numbered(one) for one in missing}) if missing else text

    def advance(self, text: str) -> float:
        """How wide a text is at a size of one point."""
        widths = self._widths
        return sum([widths.get(ord(character), 0.0) for character in text])


@cache
def regular() -> Face:
    """The face of the text."""
    return _embedded("Vera")


@cache
def bold() -> Face:
    """The face of headings."""
    return _embedded("VeraBd")


@cache
def typewriter() -> Face:
    """The face of verbatim text: one width for all; its characters are those of Windows code page 1252."""
    codes = (bytes([code]).decode("cp1252", "ignore") for code in range(32, 256))
    return Face("Courier", {ord(code): 0.6 for code in codes if code and visible(code) == code})


def _embedded(name: str) -> Face:
    font = TTFont(name, str(Path(reportlab.__file__).parent / "fonts" / f"{name}.ttf"))
    pdfmetrics.registerFont(font)
    return Face(name, {code: font.face.charWidths[code] / 1000 for code in font.face.charToGlyph})


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text from `x` on, on the base line `y`."""

    x: float
    y: float
    text: str
    face: Face
    size: float
    colour: str = INK


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle above and to the right of a point."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points, dashed where `dash` says so (lengths of strokes and gaps)."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 0.5
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A rectangle that leads to a goal."""

    x: float
    y: float
    width: float
    height: float
    goal: str


Mark: TypeAlias = Text | Box | Stroke | Link


@dataclass(frozen=True, slots=True)
class Goal:
    """A place that links and bookmarks lead to: a title, the number of its page (from 1), and the height on it."""

    title: str
    page: int
    y: float


@dataclass(slots=True)
class Page:
    """A page and the marks on it."""

    format: Format
    marks: list[Mark] = field(default_factory=list)


class Paper:
    """The pages so far. `y` is how far the last one is filled: the next thing stands below it."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.goals: dict[str, Goal] = {}
        self.turn(PORTRAIT)

    @property
    def page(self) -> Page:
        """The page that is being filled."""
        return self.pages[-1]

    @property
    def width(self) -> float:
        """How long lines may be."""
        return self.page.format.line

    @property
    def room(self) -> float:
        """How much is left of this page."""
        return self.y - BOTTOM

    @property
    def whole(self) -> float:
        """How much an empty page of this format holds."""
        return self.page.format.height - TOP - BOTTOM

    def turn(self, to: Format | None = None) -> None:
        """Begin a page, of the format of the last one if none is given; in place of the last one, if nothing stands there."""
        following = Page(to or self.page.format)
        if self.pages and not self.page.marks:
            self.pages.pop()
        self.pages.append(following)
        self.y = following.format.height - TOP

    def need(self, height: float) -> None:
        """Begin a page where this one has no room for so much, and an empty one would have more."""
        if height > self.room and self.room < self.whole:
            self.turn()

    def skip(self, height: float) -> None:
        """Leave some room, but not at the top of a page."""
        if self.room < self.whole:
            self.y -= height

    def put(self, *marks: Mark) -> None:
        """Marks on this page."""
        self.page.marks.extend(marks)

    def goal(self, name: str, title: str) -> None:
        """Make a place here that links and bookmarks lead to."""
        self.goals[name] = Goal(title, len(self.pages), self.y)


@dataclass(frozen=True, slots=True)
class About:
    """What a PDF file says of itself."""

    title: str
    author: str
    subject: str


def printed(paper: Paper, about: About) -> bytes:
    """The pages as a PDF file, with a bookmark for each goal; the same pages give the same bytes."""
    file = io.BytesIO()
    canvas = Canvas(file, invariant=1, pageCompression=1, lang="en-US")
    canvas.setTitle(about.title)
    canvas.setAuthor(about.author)
    canvas.setSubject(about.subject)
    canvas.setCreator("compliance")
    canvas.setViewerPreference("DisplayDocTitle", "true")
    for number, page in enumerate(paper.pages, 1):
        canvas.setPageSize((page.format.width, page.format.height))
        for name, goal in paper.goals.items():
            if goal.page == number:
                canvas.bookmarkPage(name, fit="XYZ", left=0, top=goal.y, zoom=0)
                canvas.addOutlineEntry(goal.title, name)
        _shapes(canvas, page.marks)
        _texts(canvas, [mark for mark in page.marks if isinstance(mark, Text)])
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _shapes(canvas: Canvas, marks: Iterable[Mark]) -> None:
    """Everything but text, which stands on it."""
    for mark in marks:
        if isinstance(mark, Box):
            canvas.setFillColor(_colour(mark.colour))
            canvas.rect(mark.x, mark.y, mark.width, mark.height, stroke=0, fill=1)
        elif isinstance(mark, Stroke):
            canvas.setStrokeColor(_colour(mark.colour))
            canvas.setLineWidth(mark.width)
            canvas.setDash(list(mark.dash))
            path = canvas.beginPath()
            path.moveTo(*mark.points[0])
            for point in mark.points[1:]:
                path.lineTo(*point)
            canvas.drawPath(path)
        elif isinstance(mark, Link):
            around = (mark.x, mark.y, mark.x + mark.width, mark.y + mark.height)
            canvas.linkRect("", mark.goal, around, relative=0, thickness=0)


def _texts(canvas: Canvas, marks: Iterable[Text]) -> None:
    written = canvas.beginText()
    last: tuple[object, ...] = ()
    for mark in marks:
        look = (mark.face, mark.size, mark.colour)
        if look != last:
            written.setFont(mark.face.name, mark.size)
            written.setFillColor(_colour(mark.colour))
            last = look
        written.setTextOrigin(mark.x, mark.y)
        written.textOut(mark.text)
    canvas.drawText(written)


@cache
def _colour(name: str) -> Color:
    return HexColor(name)
