"""The drug list: the products that the vocabulary names, with strength, stock unit and standing.

Strengths are of the base. NDCs stand here only where FDA's directory or the label gives them; others come with a `product` event.
The codes are closed: an event's ``drug`` is one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Drug:
    """One product row. Strengths are exact decimal text, in mg of base per stock unit or per mL; `stock_unit` says what ``quantity`` counts."""

    code: str
    generic: Literal["esketamine", "ketamine"]
    form: str
    route: str
    is_rems: bool
    is_compounded: bool
    stock_unit: Literal["ml", "device", "unit"]
    schedule: str = "III"
    dea_code: str = "7285"  # 21 CFR 1308.13(c): ketamine, its salts, isomers and salts of isomers
    strength_mg_per_unit: str | None = None
    strength_mg_per_ml: str | None = None
    units_per_dose: tuple[int, ...] = ()
    indications: tuple[str, ...] = ()
    ndc_examples: tuple[str, ...] = ()
    note: str = ""


REFERENCE_LIST: Final = (
    Drug(
        code="esketamine_nasal_28mg",
        generic="esketamine",
        form="nasal spray device",
        route="intranasal",
        is_rems=True,
        is_compounded=False,
        stock_unit="device",
        strength_mg_per_unit="28",
        units_per_dose=(2, 3),
        indications=("trd", "mdd_acute_si"),
        ndc_examples=("50458-028-00", "50458-028-02", "50458-028-03"),
        note="Two sprays of 14 mg in 0.2 mL in all; -02 is the 2-device kit, -03 the 3-device kit, -00 one device",
    ),
    Drug(
        code="ketamine_inj_10mg_ml",
        generic="ketamine",
        form="injection",
        route="iv_im",
        is_rems=False,
        is_compounded=False,
        stock_unit="ml",
        strength_mg_per_ml="10",
        indications=("anaesthesia",),
    ),
    Drug(
        code="ketamine_inj_50mg_ml",
        generic="ketamine",
        form="injection",
        route="iv_im",
        is_rems=False,
        is_compounded=False,
        stock_unit="ml",
        strength_mg_per_ml="50",
        indications=("anaesthesia",),
    ),
    Drug(
        code="ketamine_inj_100mg_ml",
        generic="ketamine",
        form="injection",
        route="iv_im",
        is_rems=False,
        is_compounded=False,
        stock_unit="ml",
        strength_mg_per_ml="100",
        indications=("anaesthesia",),
        note="Not for IV use undiluted",
    ),
    Drug(
        code="ketamine_troche_compounded",
        generic="ketamine",
        form="troche",
        route="sublingual",
        is_rems=False,
        is_compounded=True,
        stock_unit="unit",
        note="Strength per troche is on the prescription and the product event; no NDC",
    ),
    Drug(
        code="ketamine_nasal_compounded",
        generic="ketamine",
        form="nasal spray",
        route="intranasal",
        is_rems=False,
        is_compounded=True,
        stock_unit="ml",
        note=(
            "Strength and volume per spray are on the prescription and the product event; "
            "never stands in for esketamine"
        ),
    ),
)

DRUGS: Final[Mapping[str, Drug]] = MappingProxyType({drug.code: drug for drug in REFERENCE_LIST})
"""The reference list by code."""
