"""The words in which kinds of events are declared: types of fields, `must` and `may`, and what an event is about.

A kind is a plain class of annotations; it costs next to nothing to load, since every command needs the vocabulary and few
need a validator. From the declarations come the vocabulary (`compliance.domain.vocabulary`), a pydantic model for each
kind when it is first met (`models`), the converters to engine values and the JSON Schema. There is no second list of fields.

Modules of this package do without ``from __future__ import annotations``: the annotations are read as values.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, NamedTuple


class Reads(NamedTuple):
    """A type of the vocabulary by name, and a closed list that a text must be on (``drug`` codes, time ``zone`` names)."""

    type: str
    listed: str = ""


Id = Annotated[str, Reads("id")]
Text = Annotated[str, Reads("text")]
DrugCode = Annotated[str, Reads("text", "drug")]
ZoneName = Annotated[str, Reads("text", "zone")]
Integer = Annotated[int, Reads("integer")]
Amount = Annotated[Decimal, Reads("decimal")]
YesNo = Annotated[bool, Reads("boolean")]
Instant = Annotated[datetime, Reads("instant")]
Day = Annotated[date, Reads("date")]

Route = Literal["iv_infusion", "iv_bolus", "im", "sc", "intranasal", "oral", "sublingual"]
IndicationClass = Literal[
    "trd", "mdd_acute_si", "mdd", "bipolar", "anxiety", "ptsd", "ocd", "sud", "pain", "anaesthesia", "other"
]
OutcomeInstrument = Literal["phq9", "gad7", "qids_sr16", "madrs", "pcl5", "audit_c", "dast10"]
EffectState = Literal["absent", "resolved", "present", "not_assessed"]
YesNoUnknown = Literal["yes", "no", "unknown"]
DoneOrNot = Literal["done", "not_indicated"]
StockType = Literal["office", "patient_specific"]
StockUnit = Literal["ml", "device", "unit"]


class Says(NamedTuple):
    """What a field says, its unit, and whether the event can be understood without it."""

    says: str
    unit: str | None
    required: bool


def must(says: str, *, unit: str | None = None) -> Any:
    """A field that the event cannot be understood without."""
    return Says(says, unit, required=True)


def may(says: str, *, unit: str | None = None) -> Any:
    """A field that may be left out. Null is no way to leave it out."""
    return Says(says, unit, required=False)


class Record:
    """Named fields, and no others: a line of a count, the vitals of a form."""


class Envelope(Record):
    """What every event carries. The docstring of a kind says what it is."""

    kind: ClassVar[str]
    group: ClassVar[str]
    key: ClassVar[tuple[str, ...]] = ()
    """The fields that identify one continuing thing; empty where each event stands alone."""

    id: Id = must("Unique id chosen by the sender; sending it twice records it once")
    intent: Literal["performed", "proposed"] = may("It happened, or permission is asked")
    occurred_at: Instant = must(
        "When it truly happened (reading taken, decision made, report sent, patient left), or is meant to happen"
    )
    site: Id = must("Site where it happened")
    actor: Id = must(
        "Staff or service id of the one who did it; "
        "a kind has its own field where the doer may differ from the one signed in"
    )
    patient: Id = may("Pseudonymous patient id; needed where patient is marked required")
    session: Id = may("Treatment session: one visit, from first check to discharge")
    entered_at: Instant = may("When the source system took it, as it claims; lateness is judged by it")
    proposal: Id = may("On a performed event: the proposed event that it carries out")
    reason: Text = may("Why: required on correction and void, on late entries and on stops")
    source: Text = may("System, device or paper form the entry came from")


# The uses of the envelope stand before `Envelope` among a kind's bases and override it:
# ``class Administration(AboutPatient, InSession, AboutDrug, Envelope)`` needs a patient, a session and a drug.


class AboutPatient(Record):
    """Nobody could say whom the event is about without a patient."""

    patient: Id = must("Pseudonymous patient id; needed where patient is marked required")


class InSession(Record):
    """The event belongs to one treatment session."""

    session: Id = must("Treatment session: one visit, from first check to discharge")


class AboutDrug(Record):
    """The event is about one drug of the list. Kinds without this or `MayNameDrug` have no ``drug`` at all."""

    drug: DrugCode = must("Code from the drug list; allowed only where the kind is about one drug")


class MayNameDrug(Record):
    """The event may be about one drug of the list."""

    drug: DrugCode = may("Code from the drug list; allowed only where the kind is about one drug")


class Corrective(Record):
    """The event changes how an earlier one stands, and says why. No other kind has ``corrects``."""

    corrects: Id = must("Event corrected or voided; required on correction and void only")
    reason: Text = must("Why: required on correction and void, on late entries and on stops")
