"""Fills the required fields of a case's event that do not matter, so that the event is valid and the case stays short.

The same field is filled alike in every event of a case: events share site, patient and session unless the case says otherwise. What a
case depends on must stand in it; nothing here is chosen to make a rule pass or fail.

>>> fill({"kind": "discharge", "occurred_at": "2026-03-02T11:06:00-06:00"})["session"]
'T1'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compliance.domain.drugs import REFERENCE_LIST
from compliance.domain.vocabulary import KINDS, FieldSpec

OCCURRED_AT: Final = "2026-03-02T12:00:00-06:00"
DRUG: Final = "ketamine_inj_50mg_ml"
ZONE: Final = "America/Chicago"
USUAL: Final = {"site": "S1", "actor": "A1", "patient": "PT1", "session": "T1"}
"""What cases call the site, the person who acts, the patient and the session, where it does not matter."""
_STOCK_UNITS: Final = {drug.code: drug.stock_unit for drug in REFERENCE_LIST}
_TRUE_IS_USUAL: Final = frozenset({
    "accepted", "complete", "counsellor_licensed", "enrolled", "holds_stock", "holds_true", "in_person", "no_driving_explained", "on_premises",
    "passed", "reached", "succeeded",
})  # fmt: skip
"""Yes/no fields that are true on an ordinary day; the others ask for something out of the ordinary."""


def fill(body: Mapping[str, Any], number: int = 1) -> dict[str, Any]:
    """The event as JSON with its missing required fields; `number` makes its id where it has none. KeyError for an unknown kind."""
    filled = dict(body)
    filled.setdefault("occurred_at", OCCURRED_AT)
    filled.setdefault("id", f"case-{number}")
    _fill(filled, KINDS[filled["kind"]].fields, str(filled["occurred_at"]), filled.get("drug"))
    return filled


def _fill(record: dict[str, Any], fields: Mapping[str, FieldSpec], occurred_at: str, drug: Any) -> None:
    for name, spec in fields.items():
        if spec.required and not spec.derived and name not in record:
            record[name] = _plausible(name, spec, occurred_at, record.get("drug", drug))
        elif spec.fields and isinstance(record.get(name), dict):
            record[name] = dict(record[name])
            _fill(record[name], spec.fields, occurred_at, drug)
        elif spec.element and spec.element.fields and isinstance(record.get(name), list):
            record[name] = [dict(line) if isinstance(line, dict) else line for line in record[name]]
            for line in record[name]:
                if isinstance(line, dict):
                    _fill(line, spec.element.fields, occurred_at, drug)


def _plausible(name: str, spec: FieldSpec, occurred_at: str, drug: Any) -> Any:
    if name in USUAL:
        return USUAL[name]
    if name == "quantity_unit":
        return _STOCK_UNITS.get(str(drug), "ml")
    if spec.listed:
        return DRUG if spec.listed == "drug" else ZONE
    if name.endswith("sha256"):
        return "0" * 64
    match spec.type:
        case "enum":
            return spec.values[0]
        case "boolean":
            return name in _TRUE_IS_USUAL
        case "integer":
            return 1
        case "decimal":
            return "1"
        case "instant":
            return occurred_at
        case "date":
            return occurred_at[:10]
        case "duration":
            return "1h"
        case "list":
            assert spec.element is not None  # every list has one
            return (
                [] if spec.element.type == "record" else [_plausible(name, spec.element, occurred_at, drug)]
            )
        case "record":
            made: dict[str, Any] = {}
            _fill(made, spec.fields or {}, occurred_at, drug)
            return made
        case _:
            return f"{name.upper().replace('_', '-')}-1"
