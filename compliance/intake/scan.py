"""What a scanner reads off a package: a GS1 element string, as NDC, lot, expiry and serial number.

Packages of prescription drugs carry these four in a DataMatrix (21 U.S.C. 360eee(14), 360eee-1(b)(2)(A)): application identifiers (01) GTIN,
(10) lot, (17) expiry, (21) serial number, by the GS1 General Specifications. A GTIN that holds an NDC is a packaging digit, 03, the ten digits
of the NDC and a check digit. Which of those ten are labeler, product and package it does not say: 5045802802 could be 5045-8028-02,
50458-028-02 or 50458-0280-2. Only an NDC that is known decides that; where two known ones fit, neither is taken.

A field of variable length ends with the character GS (0x1D), unless it is the last. A scanner that leaves GS out makes one field swallow the
next; where what was swallowed can be seen, the string is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from compliance.domain.drugs import DRUGS
from compliance.domain.identifiers import ndc11
from compliance.domain.reading import Unreadable, echo
from compliance.errors import InputError

if TYPE_CHECKING:
    from biip.gs1_element_strings import GS1ElementString

GS: Final = "\x1d"
"""What a scanner sends for FNC1 after a field of variable length (ISO/IEC 16022, 15417)."""

_TEN_DIGITS: Final = ("4-4-2", "5-3-2", "5-4-1")
_WITH_MESSAGE: Final = frozenset({"]C1", "]d2", "]e0", "]Q3", "]J1"})
"""Symbology identifiers of symbols that hold element strings (GS1 General Specifications, "Symbology identifiers")."""

_LABELLED: Final = re.compile(r"\([0-9]{2,4}\)", re.ASCII)
_GTIN_FIRST: Final = re.compile(r"01[0-9]{14}", re.ASCII)
_READ: Final = {"01": "GTIN", "10": "lot", "17": "expiry", "21": "serial number"}
_SWALLOWED: Final = {
    "10": re.compile("10[!-~]"),
    "17": re.compile("17[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9]", re.ASCII),
    "21": re.compile("21[!-~]"),
}
_BY_HAND: Final = "scan it again, or type what is printed beside the symbol"


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a symbol says; None where it does not. `level` is the GTIN's packaging digit (0 the package that the NDC names, 1 to 8 what
    holds several of those); `expires_on` the last day of use, where the symbol gives a month only its last."""

    ndc11: str | None = None
    drug: str | None = None
    level: int = 0
    lot: str | None = None
    expires_on: str | None = None
    serial: str | None = None

    def values(self) -> dict[str, str]:
        """The same as fields of events: the serial number is the container's handle."""
        said = {
            "drug": self.drug, "ndc11": self.ndc11, "lot": self.lot, "expires_on": self.expires_on, "container": self.serial,
        }  # fmt: skip
        return {name: value for name, value in said.items() if value is not None}


def looks_scanned(text: str) -> bool:
    """Whether somebody who was asked for a lot or a container scanned the package instead."""
    return (
        text[:3] in _WITH_MESSAGE
        or GS in text
        or _LABELLED.match(text) is not None
        or _GTIN_FIRST.match(text) is not None
    )


def listed_ndcs() -> dict[str, frozenset[str]]:
    """The NDCs of the drug list (11 digits), each with its drugs."""
    found: dict[str, frozenset[str]] = {}
    for drug in DRUGS.values():
        for raw in drug.ndc_examples:
            layout = "-".join(str(len(part)) for part in raw.split("-"))
            digits = ndc11(raw, layout)
            found[digits] = found.get(digits, frozenset()) | {drug.code}
    return found


def read_scan(text: str, known: Mapping[str, frozenset[str]]) -> Scanned:
    """What a scanned symbol says. `known` are NDCs of 11 digits with the drugs that have them.

    Raises `Unreadable` where it is no element string, a check digit is wrong, the GTIN holds no NDC or none that is known, or two readings
    are possible; InputError where the extra `gs1` is not installed.
    """
    elements = _elements(text)
    unclear = sorted({ai for ai in elements if elements[ai] is None})
    if unclear:
        named = " and ".join(_READ[ai] for ai in unclear)
        raise Unreadable(f"the symbol gives two different values for {named}", _BY_HAND)
    said = {ai: one for ai, one in elements.items() if one is not None}
    if not said:
        raise Unreadable(
            "the symbol holds neither NDC, lot, expiry nor serial number", "scan the symbol with the lot"
        )
    digits, drug, level = _product(said["01"], known) if "01" in said else (None, None, 0)
    expiry = said.get("17")
    return Scanned(
        digits,
        drug,
        level,
        said["10"].value if "10" in said else None,
        expiry.date.isoformat() if expiry is not None and expiry.date is not None else None,
        said["21"].value if "21" in said else None,
    )


def _elements(text: str) -> dict[str, GS1ElementString | None]:
    """The element strings that matter here, by application identifier; None where the symbol contradicts itself."""
    parts = _parsed(text.strip(" \t\r\n"))
    found: dict[str, GS1ElementString | None] = {}
    for part in parts:
        ai = part.ai.ai
        if ai in _READ:
            before = found.get(ai, part)
            found[ai] = part if before is not None and before.value == part.value else None
    return found


def _parsed(text: str) -> list[GS1ElementString]:
    biip = _biip()
    if not text.isascii():
        raise Unreadable("the symbol holds characters that GS1 data never has", _BY_HAND)
    if text.startswith("]"):
        if text[:3] not in _WITH_MESSAGE:
            raise Unreadable(
                f"the symbol is of type {echo(text[:3])}, which holds no GS1 data",
                "scan the DataMatrix or the GS1-128 of the package",
            )
        text = text[3:]
    try:
        if text.startswith("("):
            return list(biip.GS1Message.parse_hri(text).element_strings)
        parts = [list(biip.GS1Message.parse(field).element_strings) for field in text.split(GS) if field]
    except (biip.ParseError, ValueError):
        raise Unreadable("this is no GS1 element string, or a damaged one", _BY_HAND) from None
    for fields in parts:
        for one, following in pairwise(fields):
            if one.ai.separator_required:
                raise Unreadable(
                    f"the field ({one.ai.ai}) is longer than it may be, from ({following.ai.ai}) on",
                    "set the scanner to send the separator GS (FNC1) after fields of variable length",
                )
    read = [one for fields in parts for one in fields]
    if GS not in text:
        _nothing_swallowed(read)
    return read


def _nothing_swallowed(read: Iterable[GS1ElementString]) -> None:
    """Refuse a field of variable length in which one that is missing may lie, where the scanner sent no separator at all."""
    read = list(read)
    missing = _SWALLOWED.keys() - {one.ai.ai for one in read}
    for one in read:
        inside = [ai for ai in sorted(missing) if _SWALLOWED[ai].search(one.value, 1)]
        if one.ai.separator_required and inside:
            what = " or ".join(f"the {_READ[ai]} ({ai})" for ai in inside)
            raise Unreadable(
                f"the field ({one.ai.ai}) may hold {what} as well: the scanner sent no separator",
                f"set the scanner to send GS (FNC1) after fields of variable length, or write it as (01)…(17)…(10)…; {_BY_HAND}",
            )


def _product(gtin: GS1ElementString, known: Mapping[str, frozenset[str]]) -> tuple[str, str, int]:
    """The NDC that a GTIN holds, the drug that has it, and the packaging digit."""
    if gtin.gtin is None:
        raise Unreadable(f"the check digit of GTIN {echo(gtin.value)} is wrong", _BY_HAND)
    if gtin.value[1:3] != "03" or gtin.value[0] == "9":  # 9: of variable measure
        raise Unreadable(
            f"GTIN {echo(gtin.value)} holds no NDC: it does not go on with 03 after its first digit",
            "scan the drug's own package",
        )
    ten, level = gtin.value[3:13], int(gtin.value[0])
    fitting = sorted({digits for layout in _TEN_DIGITS if (digits := ndc11(ten, layout)) in known})
    if not fitting:
        raise Unreadable(
            f"NDC {ten} (ten digits) is neither on the drug list nor in a product event of this log",
            "enter the product first (`compliance events add product`), or type what is printed beside the symbol",
        )
    if len(fitting) > 1:
        raise Unreadable(
            f"NDC {ten} (ten digits) may be {' or '.join(fitting)}", "type the NDC with its hyphens"
        )
    drugs = sorted(known[fitting[0]])
    if len(drugs) > 1:
        raise Unreadable(
            f"NDC {fitting[0]} stands for {' and for '.join(drugs)} in this log",
            "correct the product event that is wrong; type the drug meanwhile",
        )
    return fitting[0], drugs[0], level


def _biip() -> Any:
    try:
        import biip  # noqa: PLC0415 - an optional extra
        from biip import gs1_messages  # noqa: PLC0415
    except ImportError as problem:
        raise InputError(
            "reading scanned symbols needs the package biip, which is not installed",
            "Install it: pip install 'compliance-engine[gs1]'; or type what is printed beside the symbol.",
        ) from problem
    return _Biip(gs1_messages.GS1Message, biip.ParseError)


@dataclass(frozen=True, slots=True)
class _Biip:
    """What is used of the package."""

    GS1Message: Any
    ParseError: type[Exception]
