"""Pages of a PDF, read and drawn, for the tests of that form."""

from __future__ import annotations

from dataclasses import replace

import pypdfium2
from PIL import Image, ImageChops

from compliance.reports.page import Level, Report, Section, Table
from tests.reports.sample import NASTY, SAMPLE

NUMBERED = NASTY.replace("\u202e", "[U+202E]").replace("\u4f60", "[U+4F60]")
SIDE, TOP, BOTTOM = 49, 30, 28
"""Where nothing is printed, in points: left, above the head of a page, below its foot."""


def texts(made: bytes) -> list[str]:
    """What can be copied out of each page."""
    document = pypdfium2.PdfDocument(made)
    return [page.get_textpage().get_text_range() for page in document]


def squeezed(said: str) -> str:
    """Text without white space: where lines are broken is for the eye."""
    return "".join(said.split())


def of_sections(*sections: Section) -> Report:
    """The sample with other sections."""
    return replace(SAMPLE, sections=sections)


def of_table(table: Table) -> Report:
    """A report of one table."""
    return of_sections(Section("s", "Only a table", Level.NOTICE, "A table.", tables=(table,)))


def drawn(made: bytes, page: int = 0) -> Image.Image:
    """A page as it looks, a pixel for each point."""
    image: Image.Image = pypdfium2.PdfDocument(made)[page].render(scale=1).to_pil().convert("RGB")
    return image


def between_margins(made: bytes) -> list[bool]:
    """For each page, whether all of its text stands between the margins."""
    inside = []
    for page in pypdfium2.PdfDocument(made):
        bounds = {
            "left": SIDE,
            "bottom": BOTTOM,
            "right": page.get_width() - SIDE,
            "top": page.get_height() - TOP,
        }
        text = page.get_textpage()
        inside.append(squeezed(text.get_text_bounded(**bounds)) == squeezed(text.get_text_range()))
    return inside


def ink(image: Image.Image) -> tuple[int, int, int, int]:
    """The smallest rectangle with everything that is printed."""
    box = ImageChops.difference(image, Image.new("RGB", image.size, "white")).getbbox()
    assert box, "a blank page"
    return box
