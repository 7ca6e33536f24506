"""Who and what may do something until a day: registrations, credentials, certifications, accounts, declarations, equipment, authorisations.

What nobody uses any more is not named: a credential of somebody who has left, a supplier from whom nothing came for half a year, a patient who
is not in treatment, equipment that is no longer checked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from compliance.domain.event import Event
from compliance.domain.time import DAY, format_date
from compliance.reports.expiry.ending import Ending, last_day, local_day, present
from compliance.reports.night import Night
from compliance.reports.page import Level
from compliance.reports.quarter import quarter
from compliance.reports.window import DAYS

_BAD: Final = frozenset({"suspended", "revoked", "surrendered", "lapsed"})
"""Standings that are shown as such. What was withdrawn or ended was given up on purpose."""

_BY_STATE: Final = frozenset({"state_licence", "state_csr", "facility_permit", "pharmacy_licence"})
"""Credentials of which each state wants its own; of the others, one that is good will do, whoever issued it."""

_RECORDS: Final = frozenset({"mate_attestation", "fda_signature_letter"})
"""Credentials that are papers on file: nothing must stop while they are renewed."""

_WORDS: Final = {
    "acls": "ACLS card",
    "bls": "BLS card",
    "fda_signature_letter": "FDA signature letter",
    "mate_attestation": "MATE attestation",
    "state_csr": "state registration for controlled substances",
}

_OWN: Final = frozenset({"own_site", "own_practitioner"})
_GRANTED: Final = frozenset({"grant", "restore", "issue_token", "replace_token"})

_SUPPLIER_DAYS: Final = 180
"""From whom nothing came, and to whom nothing went, for so long is not in use."""

_RULES: Final = {
    "state_licence": "s3-reg-state-06",
    "facility_permit": "s3-reg-state-06",
    "state_csr": "s3-reg-state-06-csr",
    "acls": "off-acls-present",
    "identity_proofing": "er-sigid-17",
    "signing_token": "er-sigpass-19-tested",
    "background_screen": "s3-sec-staff-12",
}
"""The rule that asks for a credential, by its type."""


def authorities(night: Night) -> Iterator[Ending]:
    """Everything of the kind that has a last day or a standing, whatever the day."""
    left = _left(night)
    yield from _registrations(night, left)
    yield from _credentials(night, left)
    yield from _certifications(night)
    yield from _accounts(night, left)
    yield from _declarations(night)
    yield from _equipment(night)
    yield from _patients(night)


def _left(night: Night) -> dict[str, int]:
    """Who has left, with the last day of the last employment. Of whom the log says nothing, it is supposed that they work here."""
    left: dict[str, int] = {}
    here: set[str] = set()
    for event in present(night, "employment"):
        person, ended = event.values["person"], event.values.get("ended_at")
        on = None if ended is None else local_day(night, ended, event.values["site"])
        if on is None or on >= night.day:
            here.add(person)
        else:
            left[person] = max(on, left.get(person, on))
    return {person: on for person, on in left.items() if person not in here}


def _registrations(night: Night, left: dict[str, int]) -> Iterator[Ending]:
    for event in present(night, "registration"):
        values = event.values
        own = values["holder_kind"] in _OWN
        if (
            (own and not night.covers(values["site"]))
            or values.get("holder", "") in left
            or values["status"] == "ended"
        ):
            continue
        if not own and not _traded_with(night, values["registration"]):
            continue
        filed = values.get("renewal_filed_at")
        pending = filed is not None and local_day(night, filed, values["site"]) <= values["expires_on"]
        yield Ending(
            "DEA registration", values.get("holder", values["registration"]), values["expires_on"], event,
            "File the renewal at DEA today and enter when it was filed; after the last day handle nothing under it until it is in force."
            if own else "Send it nothing and take nothing from it until its registration is looked up and entered again.",
            number=values["dea_number"], standing=_standing(values), needed=own, rule="s3-reg-renew-04" if own else "s3-sec-supplier-19",
            where=f"registration {values['registration']}" + (", renewal filed in time and not yet granted" if pending else ""),
            at_most=Level.NOTICE if pending and not _standing(values) else Level.ALARM,
        )  # fmt: skip
        if "fda_registered_until_on" in values:
            yield Ending(
                "FDA registration as outsourcing facility", values.get("holder", values["registration"]), values["fda_registered_until_on"], event,
                "Take nothing compounded from it until FDA's list is looked up and entered again.", needed=False, rule="off-503b",
            )  # fmt: skip


def _traded_with(night: Night, registration: str) -> bool:
    since = night.begins - _SUPPLIER_DAYS * DAY
    for kind, field in (("receipt", "source_registration"), ("transfer_out", "recipient_registration")):
        found = night.history.newest_first(kind, field, registration, night.ends - 1, since)
        if any(night.covers(event.values["site"]) for event in found):
            return True
    return False


def _standing(values: Any) -> str:
    status: str = values["status"]
    return status if status in _BAD else ""


def _credentials(night: Night, left: dict[str, int]) -> Iterator[Ending]:
    held: defaultdict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in present(night, "credential"):
        values = event.values
        if values["person"] not in left and values["status"] != "withdrawn":
            held[values["person"], values["credential_type"]].append(event)
    for (person, kind), events in held.items():
        for event in events:
            values = event.values
            if not night.covers(values["site"]) or (kind not in _BY_STATE and _outlived(event, events)):
                continue
            yield Ending(
                _WORDS.get(kind, kind.replace("_", " ")), person, values.get("valid_until_on"), event,
                f"Have it renewed and enter the new dates; until then {person} does nothing that needs it.",
                number=values.get("number", ""), standing=_standing(values), needed=kind not in _RECORDS, rule=_RULES.get(kind, ""),
                where=f"issued by {values['jurisdiction']}" if "jurisdiction" in values else "",
            )  # fmt: skip


def _outlived(event: Event, events: list[Event]) -> bool:
    """Whether the same person has another of the type that is good for longer; what was suspended or revoked is shown all the same."""
    if event.values["status"] in ("suspended", "revoked"):
        return False
    forever = 2**62
    until = event.values.get("valid_until_on", forever) if event.values["status"] == "active" else -1
    return any(
        other is not event and other.values["status"] == "active" and other.values.get("valid_until_on", forever) > until for other in events
    )  # fmt: skip


def _certifications(night: Night) -> Iterator[Ending]:
    for event in present(night, "site_certification"):
        values = event.values
        own = values["party_type"] == "healthcare_setting"
        if own and not (night.covers(values["party"]) or night.covers(values["site"])):
            continue
        ended = values.get("decertified_at")
        # Who withdraws is out of the programme, whoever wished it; that is said as long as an entry of it is recent.
        gone = values["status"] == "withdrawn" and event.occurred_at >= night.begins - DAYS * DAY
        if values["status"] == "pending" or (values["status"] == "withdrawn" and not gone):
            continue
        yield Ending(
            "REMS certification", values["party"], None if ended is None else last_day(night, ended, values["site"]), event,
            "Order, receive and give no SPRAVATO here until the REMS confirms the certification again."
            if own else "Order no SPRAVATO from it until the REMS confirms its certification again.",
            number=values.get("rems_number", ""), standing="withdrawn" if gone else _standing(values), needed=own,
            rule="rems-site-cert" if own else "rems-supply-chain", where=values["setting_class"].replace("_", " "),
        )  # fmt: skip


def _accounts(night: Night, left: dict[str, int]) -> Iterator[Ending]:
    for event in present(night, "access_change"):
        values = event.values
        ends = values.get("ends_at")
        site = values["site"]
        if (
            not night.covers(site)
            or values["action"] not in _GRANTED
            or (ends is not None and ends <= night.of(site).ends)
        ):
            continue
        person, role = values["subject"], values["role"].replace("_", " ")
        gone = left.get(person) if values["subject_kind"] == "human" else None
        if gone is not None:
            yield Ending(
                f"access as {role}", person, gone, event,
                "Take the access away now, and look for what was entered or read with it since.",
                says=f"{person} left on {format_date(gone)} and still has access as {role}.", rule="er-access-10-left",
            )  # fmt: skip
        elif ends is not None:
            yield Ending(
                f"access as {role}", person, last_day(night, ends, site), event,
                "Have it granted anew if the work goes on.", needed=False, rule="er-access-10",
            )  # fmt: skip
        if "app_certified_until_on" in values and gone is None:
            yield Ending(
                "audit certificate of the prescribing application", person, values["app_certified_until_on"], event,
                "Sign no electronic prescription with it until a new audit report is on file.", rule="s3-rx-epcs-47",
            )  # fmt: skip


def _declarations(night: Night) -> Iterator[Ending]:
    for event in present(night, "attestation"):
        values = event.values
        if night.covers(values["site"]) and values["holds_true"] and "valid_until_on" in values:
            yield Ending(
                f"declaration on {values['topic'].replace('_', ' ')}", values["subject"], values["valid_until_on"], event,
                "Look again at what is declared, and declare it anew.", needed=False,
            )  # fmt: skip


def _equipment(night: Night) -> Iterator[Ending]:
    """What was checked within the window and found fit; what is not checked any more is not in use, and what failed was taken out of it."""
    for event in quarter(night).in_use.equipment.values():
        values = event.values
        if not values["passed"]:
            continue
        item = values["item"].replace("_", " ")
        for field, what, todo, rule in (
            ("expires_on", item, "Replace what has run out, and record the check.", "off-emergency-equip"),
            (
                "calibrated_until_on", f"calibration of {item}",
                "Have it calibrated, and record the check; measure with another one meanwhile.", "er-authority-11-device",
            ),
        ):  # fmt: skip
            if field in values:
                checked = night.instant(event.occurred_at, values["site"])
                yield Ending(
                    what,
                    values["equipment"],
                    values[field],
                    event,
                    todo,
                    rule=rule,
                    where=f"last checked {checked}, found fit for use",
                )


def _patients(night: Night) -> Iterator[Ending]:
    """Authorisations of the VA, and standings in the REMS, of patients who were given a dose within the window."""
    treated = quarter(night).in_use.doses
    for event in present(night, "patient_enrollment", "program", "va_care"):
        values = event.values
        if (
            values["patient"] in treated
            and values["step"] in ("enrolled", "verified")
            and "valid_until_on" in values
        ):
            yield Ending(
                "authorisation by the VA", values["patient"], values["valid_until_on"], event,
                "Ask the VA for a renewal now and enter its dates; a gap in treatment harms the patient.",
                number=values.get("program_patient_ref", ""), rule="off-va-expiry",
            )  # fmt: skip
    since = night.begins - DAYS * DAY
    for patient in sorted(treated):
        found = night.history.newest_first("patient_enrollment", "patient", patient, night.ends - 1, since)
        newest = next((one for one in found if one.values["program"] == "spravato_rems"), None)
        if (
            newest is not None
            and night.covers(newest.values["site"])
            and newest.values["step"] == "suspended"
        ):
            yield Ending(
                "REMS enrolment", patient, None, newest, "Give no SPRAVATO until the REMS confirms the enrolment again.",
                standing="suspended", rule="rems-enroll-first",
            )  # fmt: skip
