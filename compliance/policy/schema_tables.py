"""JSON Schemas of ``bundle.yaml``, ``requirements.yaml``, what a site asks, and case files; rules have theirs in `schema`."""

from __future__ import annotations

from typing import Any, Final

from compliance.domain.codes import GROUPS
from compliance.domain.drugs import DRUGS
from compliance.domain.vocabulary import KINDS
from compliance.policy import case_files, site_codes, sites, tables
from compliance.policy.expression.functions import STATE_RULES
from compliance.policy.expression.tree import Type
from compliance.policy.schema_parts import (
    DATE,
    EVENT,
    INSTANT,
    KIND,
    RULE_ID,
    TEXT,
    Schema,
    document,
    event_definitions,
    group,
    named,
    names,
    rows,
    says,
)

VERSION: Final = 1
_ANY_NAME: Final = "^\\S.*$"
_VALUE: Final[Schema] = {"type": ["string", "number", "boolean", "array"]}
_OF_TYPE: Final[dict[str, Schema]] = {
    "text": TEXT,
    "bool": {"type": "boolean"},
    "number": {"type": "number"},
    "duration": {"type": "string", "pattern": "^[0-9PpTt]"},
    "date": DATE,
}
_DRUG_WORDS: Final = {
    "code": "The code that events name",
    "generic": "The substance",
    "form": "The dosage form",
    "route": "By which way it is given",
    "schedule": "Its schedule: III",
    "dea_code": "The controlled substance code, as text: '7285'",
    "is_rems": "Whether the REMS covers it",
    "is_compounded": "Whether a pharmacy makes it up",
    "stock_unit": "The unit in which it is counted",
    "strength_mg_per_unit": "Strength of a unit (mg)",
    "strength_mg_per_ml": "Strength (mg/mL)",
    "units_per_dose": "How many units a dose may have",
    "indications": "What it is approved for",
    "ndc_examples": "National Drug Codes, as text",
    "note": "What else is to be known",
}
_STATE_WORDS: Final = {
    "separate_csr": "Whether the state has a controlled-substance registration of its own",
    "in_person_required": "Whether the patient must have been seen in person",
    "wastage_witness": "Whether wastage needs a witness",
    "pdmp_query": "Acts before which the monitoring programme must be asked",
    "rn_scope": "Limits on a nurse who gives ketamine",
    "pdmp_max_age": "How old its answer may be",
    "pdmp_max_age_business_days": "The same in business days; 0: not that way",
    "pdmp_repeat_months": "After how many months it must be asked again; 0: never",
    "pdmp_report_within": "By when a dispensing is to be reported",
    "pdmp_report_days": "The same in days; 0: not that way",
    "pdmp_report_business_days": "The same in business days; 0: not that way",
    "pdmp_report_exempt": "Acts that need not be reported",
    "retention_years": "How long records are kept",
    "from": "From which date the row holds",
    "verified": "What the row rests on",
}


def bundle_schema() -> dict[str, Any]:
    """The schema of ``bundle.yaml``, as it is shipped in ``policies/schema/bundle.v1.json``."""
    holiday = {
        "date": says(DATE, "The day"),
        "name": says(TEXT, "What it is called"),
        "source": says(TEXT, "Where it is written"),
    }
    drug = {name: says(_typed(type_), _DRUG_WORDS[name]) for name, type_ in tables.DRUG_TYPES.items()}
    state = {name: says(_typed(type_), _STATE_WORDS[name]) for name, type_ in STATE_RULES.items()}
    row = group(
        {**state, "from": says(DATE, _STATE_WORDS["from"]), "verified": says(TEXT, _STATE_WORDS["verified"])},
        ("from", "verified"),
    )
    roles = KINDS["access_change"].fields["role"].values
    kinds = names(KIND, least=0)
    fields = {
        "name": says(TEXT, "The library's name"),
        "version": says({"type": ["string", "integer"]}, "Its version, such as '2026.11'"),
        "holidays": says(
            rows(group(holiday, tables.HOLIDAY_FIELDS), least=0), "Days on which business days do not run"
        ),
        "drugs": says(rows(group(drug, ("code", *tables.DRUG_REQUIRED)), least=0), "The drug list"),
        "states": says(
            group(
                {
                    "defaults": says(group(state), "The federal floor, for a state without a row"),
                    "rows": named(
                        {"oneOf": [{"$ref": "#/definitions/state"}, rows({"$ref": "#/definitions/state"})]},
                        "What holds in each state; a list where the law changed",
                        _ANY_NAME,
                    ),
                },
                tables.STATES_FIELDS,
            ),
            "State law for state_rule",
        ),
        "permissions": says(
            group({role: says(kinds, "The kinds of event that this role may record") for role in roles}),
            "What each role may record",
        ),
    }
    return document(
        f"bundle.yaml, version {VERSION}",
        "The tables that all rules share",
        group({name: fields[name] for name in tables.BUNDLE_FIELDS}, tables.BUNDLE_FIELDS),
        {"kind": {"enum": list(KINDS)}, "state": row},
    )


def requirements_schema() -> dict[str, Any]:
    """The schema of ``requirements.yaml``, as it is shipped in ``policies/schema/requirements.v1.json``."""
    requirement = {
        "id": says(TEXT, "By this id `implements` of a rule names it"),
        "tier": says({"enum": list(tables.TIERS)}, "How soon it mattered; 1: from the first day"),
        "form": says({"enum": list(tables.FORMS)}, "How it is kept"),
        "area": says(TEXT, "The part of the library that it belongs to"),
        "title": says(TEXT, "What it asks"),
    }
    kept = {
        "requirement": says(TEXT, "The requirement that the software keeps"),
        "says": says(TEXT, "What the software does"),
        "tests": says(names(TEXT), "The tests that prove it"),
    }
    fields = {
        "version": says({"const": 1}, "The version of this form of file"),
        "requirements": says(
            rows(group(requirement, ("id", "tier", "form", "title")), least=0), "What there is to keep"
        ),
        "properties": says(
            rows(group(kept, tables.PROPERTY_FIELDS), least=0), "What the software keeps of itself"
        ),
    }
    return document(
        f"requirements.yaml, version {VERSION}",
        "Every requirement that a library knows",
        group({name: fields[name] for name in tables.REQUIREMENTS_FIELDS}, ("requirements",)),
    )


def site_schema() -> dict[str, Any]:
    """The schema of ``sites/<site>.yaml``, as it is shipped in ``policies/schema/site.v1.json``."""
    written = {
        "from": says(DATE, "The first day on which it holds"),
        "to": says(DATE, "The first day on which it no longer holds"),
        "value": says(_VALUE, "The value, written as the rule writes it"),
        "cites": says(TEXT, "Where it is written: a policy of the clinic"),
    }
    value = group({name: written[name] for name in sites.VALUE_FIELDS}, ("from", "value", "cites"))
    parameters = named(rows(value), "The parameters of a rule that this site tightens")
    fields = {
        "site": says(TEXT, "The site's id, which its events carry; equals the file's name"),
        "owner": says(TEXT, "Who answers for these values"),
        "review_by": says(DATE, "When they must be read again"),
        "parameters": named(parameters, "By rule and parameter what this site asks", RULE_ID),
        "codes": says(_codes(), "What the systems of this site call things"),
    }
    one_of_them: Schema = {"anyOf": [{"required": [name]} for name in ("parameters", "codes")]}
    return document(
        f"What a site asks, version {VERSION}",
        "A site's own values of parameters, stricter than the library's, and what its systems call things",
        group({name: fields[name] for name in sites.FIELDS}, sites.FIELDS[:3]) | one_of_them,
    )


def _codes() -> Schema:
    """What ``codes`` of a site may say, group by group."""
    meant: dict[str, Schema] = {
        "drugs": says({"enum": list(DRUGS)}, "The drug, by its code in the drug list"),
        "practitioners": says({"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,64}$"}, "The staff id"),
        "points": says({"enum": list(site_codes.POINTS)}, "The point in a treatment session"),
    }
    words = {
        "drugs": "Codes of drugs",
        "locations": "Codes of places that are this site",
        "practitioners": "Codes of people who work here",
        "encounters": "Codes of visits at which a drug is given",
        "points": "Codes of points in a treatment session",
    }
    code = {
        "system": says(TEXT, "The code's system, a URI; none for a reference such as Location/12"),
        "code": says(TEXT, "The code as the source writes it"),
    }
    return group(
        {
            name: says(
                rows(
                    group(
                        code | ({"is": meant[name]} if name in meant else {}), site_codes.row_fields(name)[1:]
                    )
                ),
                words[name],
            )
            for name in GROUPS
        }
    ) | {"minProperties": 1}


def cases_schema() -> dict[str, Any]:
    """The schema of a case file, as it is shipped in ``policies/schema/cases.v1.json``."""
    some = names(TEXT, least=0)
    case = {
        "name": says(TEXT, "What the case shows, in a few words"),
        "prelude": says(some, "The preludes that it starts from"),
        "events": says(rows(EVENT, least=0), "What happens, in the order in which it is recorded"),
        "now": says(INSTANT, "As of when deadlines are judged; the latest recorded_at where it is left out"),
        "findings": says(some, "Requirements that a finding must name at the end"),
        "clear": says(some, "Requirements that no finding may name at the end"),
        "verdict": says({"enum": list(case_files.VERDICTS)}, "The verdict on the last event"),
    }
    one = group({name: case[name] for name in case_files.CASE_FIELDS}, ("name",))
    fields = {
        "version": says({"const": 1}, "The version of this form of file"),
        "preludes": named(rows(EVENT, least=0), "Lists of events that cases can start from", _ANY_NAME),
        "cases": says(rows(one), "Timelines, and what must stand at their end"),
    }
    return document(
        f"Case file, version {VERSION}",
        "Timelines of whole days that name requirements, not rules",
        group({name: fields[name] for name in case_files.FILE_FIELDS}, ("version", "cases")),
        event_definitions(recorded=True),
    )


def _typed(type_: Type) -> Schema:
    if type_.element is not None:
        return {"type": "array", "items": _typed(type_.element)}
    return _OF_TYPE[type_.name]
