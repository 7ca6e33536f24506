"""NDCs as FHIR resources write them, and the drugs that have them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

from compliance.domain.drugs import DRUGS
from compliance.domain.identifiers import NDC_LAYOUTS, ndc11
from compliance.domain.reading import Unreadable
from compliance.intake.scan import listed_ndcs

_HYPHENS: Final = {ord(sign): "-" for sign in "\u2010\u2011\u2012\u2013\u2212"}
_CLAIMS: Final = "5-4-2"  # the form of claims: eleven digits
_WRITTEN: Final = re.compile(
    r"(?<![0-9-])[0-9]{4,6}-[0-9]{3,4}(?:-[0-9]{1,2})?(?![0-9-])|\A[0-9]{11}\Z", re.ASCII
)
_EXAMPLES: Final = tuple(ndc.split("-") for drug in DRUGS.values() for ndc in drug.ndc_examples)
_LAYOUT_OF: Final = {
    labeler.zfill(5): f"{len(labeler)}-{len(product)}-{len(package)}"
    for labeler, product, package in _EXAMPLES
}
"""The layouts of the labelers of the drug list. Each labeler keeps to one (21 CFR 207.33(b))."""


@dataclass(frozen=True, slots=True)
class Ndcs:
    """The drugs of known products, each by the first nine of its 11 digits: labeler and product. The package says only how many are in the box."""

    products: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, known: Mapping[str, frozenset[str]]) -> Self:
        """Those of NDCs of 11 digits. Packages of one product that were given to different drugs are one NDC of several."""
        products: dict[str, frozenset[str]] = {}
        for digits, drugs in known.items():
            products[digits[:9]] = products.get(digits[:9], frozenset()) | drugs
        return cls(products)

    def drugs(self, said: str) -> frozenset[str]:
        """The drugs of an NDC, whether its package is named or not; none where it is not known, or no NDC."""
        return frozenset().union(*(self.products.get(digits, ()) for digits in _products(said)))

    def within(self, text: str) -> bool:
        """Whether a known NDC stands in a text, in segments, or is all of it in eleven digits."""
        plain = text.translate(_HYPHENS).strip()
        return any(self.drugs(found.group()) for found in _WRITTEN.finditer(plain))


def _products(said: str) -> Iterator[str]:
    """Labeler and product of what may be an NDC. Ten digits without hyphens do not show where the segments lie, so each layout is read,
    of a labeler of the drug list only its own."""
    text = said.translate(_HYPHENS).strip()
    segments = text.split("-")
    widths = "-".join(str(len(segment)) for segment in segments)
    if len(segments) == 2:
        if f"{widths}-2" in {*NDC_LAYOUTS, _CLAIMS}:
            yield from _products(f"{text}-00")
        return
    if len(segments) == 1 and len(text) == len("504580028"):  # as claims shorten the 11 digits
        yield text
        return
    for layout in NDC_LAYOUTS if widths in {str(len(text)), _CLAIMS} else (widths,):
        try:
            digits = ndc11(text, layout)
        except Unreadable:
            continue
        if len(text) != 10 or _LAYOUT_OF.get(digits[:5], layout) == layout:
            yield digits[:9]


LISTED: Final = Ndcs.of(listed_ndcs())
"""Those of the drug list."""
