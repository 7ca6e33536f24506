"""What is offered in the fields of a step's event: what is usual, what earlier events of the session said, what follows from them.

Only an offer: whoever enters the event may say otherwise, and what is asked ahead of time is asked about the usual case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from compliance.domain.drugs import DRUGS
from compliance.domain.time import format_date, format_instant, local_date
from compliance.domain.vocabulary import KINDS
from compliance.session_found import named
from compliance.session_progress import MINUTE, high_reading
from compliance.session_steps import Seen, Step


@dataclass(frozen=True, slots=True)
class Session:
    """Which session: one visit of a patient to a site, for one drug. `zone` is the site's IANA zone; `doses` how many are ordered."""

    patient: str
    session: str
    drug: str
    site: str
    zone: str
    doses: int


def body_of(
    step: Step, about: Session, seen: Seen, actor: str, event_id: str, *, intent: str = "performed"
) -> dict[str, Any]:
    """The event of a step as far as it can be offered, as JSON: what tells it, what is usual, what is taken over, what follows."""
    envelope = {
        "id": event_id, "kind": step.kind, "intent": intent, "occurred_at": format_instant(seen.now, about.zone), "site": about.site,
        "actor": actor, "patient": about.patient, "session": about.session,
    }  # fmt: skip
    if intent == "performed":
        del envelope["intent"]
    drug = {"drug": about.drug} if _of_one_drug(step.kind) else {}
    carried = {name: value for name in step.carries if (value := _last_said(name, seen)) is not None}
    mine = dict.fromkeys(step.by_actor, actor)
    follows = _FOLLOWS.get(step.kind, _nothing)(step, about, seen)
    assumed = step.expected if intent == "proposed" else {}
    return {**envelope, **drug, **step.usual, **assumed, **mine, **carried, **follows, **step.tells}


def _of_one_drug(kind: str) -> bool:
    """Whether the kind is about one drug that must be named; elsewhere it says nothing more."""
    drug = KINDS[kind].fields.get("drug")
    return drug is not None and drug.required


def _last_said(name: str, seen: Seen) -> Any:
    """The value of a field in the session's last event that has it."""
    return next((event.body[name] for event in reversed(seen.events) if name in event.body), None)


def _nothing(_: Step, __: Session, ___: Seen) -> Mapping[str, Any]:
    return {}


def _of_order(_: Step, about: Session, seen: Seen) -> Mapping[str, Any]:
    rems = DRUGS[about.drug].is_rems
    standing = {"product_type": "approved_labelled", "off_label": False, "route": "intranasal"}
    other = {"product_type": "approved_off_label", "off_label": True}
    return {
        "order": named("ORD-", about.session, 64),
        "signed_at": format_instant(seen.now, about.zone),
        **(standing if rems else other),
    }


def _of_decision(_: Step, __: Session, seen: Seen) -> Mapping[str, Any]:
    reading = high_reading(seen)
    return {} if reading is None else {"concerns_event": reading.id}


def _of_preparation(_: Step, about: Session, __: Seen) -> Mapping[str, Any]:
    strength = DRUGS[about.drug].strength_mg_per_ml
    known = {} if strength is None else {"source_strength_mg_per_ml": strength}
    return {"preparation": named("PREP-", about.session, 64), **known}


def _of_dose(step: Step, about: Session, seen: Seen) -> Mapping[str, Any]:
    drug = DRUGS[about.drug]
    if drug.is_rems:
        return {
            "device_number": step.number,
            "dose_mg": drug.strength_mg_per_unit,
            "completed_at": format_instant(seen.now, about.zone),
        }
    order = next(reversed(seen.of("order")), None)
    dose = {} if order is None else {"dose_mg": order.body["dose_mg"], "route": order.body["route"]}
    return {"quantity_unit": drug.stock_unit, **dose, **_as_infused(seen)}


def _as_infused(seen: Seen) -> Mapping[str, Any]:
    """An infusion as a dose: from its start to its stop, with what the pump says was delivered."""
    started, stopped = seen.of("infusion", phase="start"), seen.of("infusion", phase="stop")
    if not started or not stopped:
        return {}
    times = {"occurred_at": started[0].body["occurred_at"], "completed_at": stopped[-1].body["occurred_at"]}
    delivered = stopped[-1].body.get("delivered_mg")
    drawn = seen.of("preparation")
    if delivered is None or not drawn:
        return times
    quantity = Decimal(delivered) / Decimal(drawn[-1].body["source_strength_mg_per_ml"])
    return {
        **times,
        "dose_mg": delivered,
        "quantity": f"{quantity.quantize(Decimal('0.000001')).normalize():f}",
    }


def _of_form(_: Step, about: Session, seen: Seen) -> Mapping[str, Any]:
    """The form's figures as the session has them; what is not on record stays to be asked."""
    given = seen.of("administration")
    if not given:
        return {}
    ended = seen.of("observation", phase="end")
    read = {
        f"{place}_{side}_mmhg": readings[-1].body[f"{side}_mmhg"]
        for place, point in _ON_FORM.items()
        if (readings := seen.of("vital_signs", point=point))
        for side in ("systolic", "diastolic")
        if f"{side}_mmhg" in readings[-1].body
    }
    minutes = {} if not ended else {"total_min": (ended[-1].occurred_at - given[0].occurred_at) // MINUTE}
    judged = {
        f"acceptable_{place}": readings[-1].values["acceptable"]
        for place, point in (("before", "pre_dose"), ("end", "pre_discharge"))
        if (readings := seen.of("vital_signs", point=point)) and "acceptable" in readings[-1].values
    }
    vitals = {"vitals": {**read, **judged}} if len(read) == 6 and len(judged) == 2 else {}
    return {
        "treatment_on": format_date(local_date(given[0].occurred_at, about.zone)),
        "submitted_at": format_instant(seen.now, about.zone),
        "dose_mg": f"{sum(Decimal(dose.body['dose_mg']) for dose in given):f}",
        "lots": list(dict.fromkeys(dose.body["lot"] for dose in given if "lot" in dose.body)),
        **_enrolled(seen), **_effects(seen), **_concomitant(seen), **minutes, **vitals,
    }  # fmt: skip


def _of_stop(_: Step, about: Session, seen: Seen) -> Mapping[str, Any]:
    if not seen.doses:
        return {"stage": "cancelled_before_dose"}
    used = len(seen.of("administration"))
    devices = {"devices_prepared": used, "devices_used": used} if DRUGS[about.drug].is_rems else {}
    return {"stage": "stopped_during", **devices}


_ON_FORM: Final = {"pre": "pre_dose", "mid": "about_40_min", "end": "pre_discharge"}
_EFFECTS: Final = ("sedation", "dissociation", "respiratory_depression")


def _enrolled(seen: Seen) -> Mapping[str, Any]:
    looked_up = seen.of("patient_enrollment", step="verified")
    return {} if not looked_up else {"enrolled": looked_up[-1].values.get("result") == "active"}


def _effects(seen: Seen) -> Mapping[str, Any]:
    """Seen at any time of the session, gone again or not; nothing, where nobody assessed all three."""
    found = {name: [e.values[name] for e in seen.of("assessment") if name in e.values] for name in _EFFECTS}
    if not all(found.values()):
        return {}
    return {"effects": {name: bool({"present", "resolved"} & set(said)) for name, said in found.items()}}


def _concomitant(seen: Seen) -> Mapping[str, Any]:
    asked = seen.of("medication_reconciliation")
    names = ("benzodiazepine", "sedative_hypnotic", "opioid", "psychostimulant", "maoi")
    return {} if not asked else {"concomitant": {name: asked[-1].values[name] for name in names}}


_FOLLOWS: Final[Mapping[str, Callable[[Step, Session, Seen], Mapping[str, Any]]]] = MappingProxyType(
    {
        "order": _of_order, "clinical_decision": _of_decision, "preparation": _of_preparation, "administration": _of_dose,
        "monitoring_form": _of_form, "session_stop": _of_stop,
    }
)  # fmt: skip
