"""One person's figure against those of the others, robustly: by median and median absolute deviation, which a second outlier does not hide."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from statistics import median, quantiles
from typing import Final, NamedTuple

from compliance.domain.quantity import format_decimal
from compliance.domain.values import SCALE

LEAST_PERSONS: Final = 4
"""Fewer are no group: with two others nobody can say what is usual."""

TIMES: Final = 2
"""How many times the upper quartile of the others a figure must be. Where half of them do a kind of work and half do not, everybody of the one
half lies far above the median, and nobody stands out."""

_FAR: Final = Fraction(35, 10)
"""So many robust standard deviations above the median (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993: 3.5)."""

_TO_DEVIATION: Final = Fraction(14826, 10000)
"""From median absolute deviation to the standard deviation of a normal distribution."""


class Apart(NamedTuple):
    """A person whose figure lies far above those of the `others` (how many): their median, least and most."""

    person: str
    own: Fraction
    median: Fraction
    least: Fraction
    most: Fraction
    others: int


def apart(figures: Mapping[str, Fraction]) -> list[Apart]:
    """Those whose figure lies far above the others', in the order of their ids; nobody, where there are fewer than `LEAST_PERSONS`."""
    if len(figures) < LEAST_PERSONS:
        return []
    found = []
    for person, own in sorted(figures.items()):
        others = sorted(figure for other, figure in figures.items() if other != person)
        middle = median(others)
        spread = median(abs(other - middle) for other in others)
        upper = quantiles(others, n=4, method="inclusive")[2]
        if own >= TIMES * upper and own > middle + _FAR * _TO_DEVIATION * spread:
            found.append(Apart(person, own, middle, others[0], others[-1], len(others)))
    return found


def shown(figure: Fraction, digits: int = 1) -> str:
    """A figure as a decimal with at most so many digits after the point, rounded to the nearest."""
    return format_decimal(int(round(figure, digits) * SCALE))


def percent(part: int, whole: int) -> str:
    """A share in words: ``85 %``."""
    return f"{round(Fraction(100 * part, whole))} %"
