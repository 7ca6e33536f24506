"""How the page looks: colours that can be told from what they stand on."""

from __future__ import annotations

import re

import pytest

from compliance.reports.forms.style import STYLE
from compliance.reports.page import Level

# How it looks


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_can_be_told_from_what_they_stand_on(scheme):
    """Text at least 4.5 to 1 and drawings 3 to 1, on the page, on a sheet, and on the tint of a level (WCAG 2.2, 1.4.3 and 1.4.11)."""
    assert contrast("#ffffff", "#000000") == 21
    found = re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", STYLE)
    names = [name for name, _ in found]
    starts = [at for at, name in enumerate(names) if name == "ground"]
    colours = dict(found[starts[scheme] : starts[scheme + 1]])
    for on in ("ground", "sheet", "notice-on"):
        assert all(contrast(colours[text], colours[on]) >= 4.5 for text in ("ink", "quiet", "link")), on
    for level in Level:
        assert contrast(colours[level], colours[f"{level}-on"]) >= 4.5
        assert contrast(colours["ink"], colours[f"{level}-on"]) >= 4.5
    assert all(contrast(colours[f"s{number}"], colours["ground"]) >= 3 for number in range(6))
