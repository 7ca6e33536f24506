"""Whether words or codes name a drug of ours: ketamine or esketamine, whoever makes it and however it is written.

Words never choose a product. They raise a hand, so that what names a drug of ours is rejected where its code is not known, and never passed
over. So they are read generously: a hand raised in vain costs a look, one that stays down a dose.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Any, Final

from compliance.domain.codes import Code
from compliance.intake.fhir.ndcs import Ndcs
from compliance.intake.fhir.view import ATC, RXNORM, SNOMED, canonical

RECALL: Final = frozenset(
    {
        Code(RXNORM, "6130"),  # recall: RxNorm, ingredient ketamine
        Code(RXNORM, "2119365"),  # recall: RxNorm, ingredient esketamine
        Code(RXNORM, "2201623"),  # RxNorm 20AA_260601F: esketamine Nasal Spray
        Code(RXNORM, "2201625"),  # RxNorm 20AA_260601F: esketamine Nasal Spray [Spravato]
        Code(ATC, "N01AX03"),  # recall: WHO ATC index, ketamine
        Code(ATC, "N01AX14"),  # WHO ATC index, esketamine (anaesthetic)
        Code(ATC, "N06AX27"),  # WHO ATC index, esketamine (antidepressant)
        Code(SNOMED, "373464007"),  # recall: SNOMED CT, ketamine (substance)
    }
)
"""Codes of the substance, which name no product: whoever sends one means a drug of ours, and which one is not told."""

_UNMISTAKABLE: Final = frozenset(
    {
        "N01AX03", "N01AX14", "N06AX27", "373464007", "2119365", "2201623", "2201625",
        "690G0D6V8H", "O18YUO0I83",  # recall: UNII of ketamine and its hydrochloride
        "50LFG02TXD", "L8P1H35P2Z",  # UNII of esketamine and its hydrochloride
        "S0013", "G2082", "G2083",  # recall: HCPCS, esketamine by the milligram; a visit with up to 56 mg of it, with more
    }
)  # fmt: skip
"""Codes that are long enough, or so made, that they mean a drug of ours in whatever system they are sent."""

_CODED: Final = re.compile("|".join(sorted(_UNMISTAKABLE | {code for _, code in RECALL})), re.IGNORECASE)
_ELEVEN: Final = re.compile("[0-9]{11}")

_SEPARATING: Final = {ord(sign): " " for sign in "™®©℠"} | {ord("ı"): "i"}
"""Signs behind a name, which NFKD would make letters of it (TM); the dotless i of a Turkish keyboard, which has no decomposition."""

_LEFT_OUT: Final = frozenset({"Mn", "Me", "Cf"})
"""Accents, enclosing marks, and what is not seen: soft hyphens, joiners, marks of direction."""

_NAMED: Final = re.compile(
    r"(?<!nor)ketami+n"  # ketamin, ketamine, ketamina, ketaminum; es-, s-, ar-, rac- before it, any salt behind it
    r"|(?<![a-z])(?:es|s|ar)?ket[^a-z0-9]+amin"  # as labels break it
    r"|(?<![a-z])(?:es)?[ck]h?etamina(?![a-z])"  # Portuguese, Spanish, Italian; not acetaminophen
    r"|spravato|ketalar|ketanest|ketaject|(?<![a-z])ketaset(?![a-z])"
)
"""Generic names and brands. Norketamine is what a body makes of ketamine: a laboratory measures it and nobody gives it."""


def names_ours(text: str) -> bool:
    """Whether a text names ketamine or esketamine, by generic name or brand."""
    return _NAMED.search(folded(text)) is not None


def code_names_ours(code: Code, ndcs: Ndcs) -> bool:
    """Whether a code does: one of the substance, or the NDC of a known product that is sent under another system than that of NDCs, or none."""
    plain = canonical(code)
    return plain in RECALL or plain.code.upper() in _UNMISTAKABLE or ndcs.within(plain.code)


def speaks_of_ours(value: Any, ndcs: Ndcs) -> bool:
    """Whether a resource, or an element of it, names a drug of ours anywhere but where it says who, where and why."""
    if isinstance(value, str):
        return names_ours(value) or ndcs.within(value)
    if isinstance(value, list):
        return any(speaks_of_ours(inner, ndcs) for inner in value)
    if not isinstance(value, dict):
        return False
    said = value.get("code")
    if isinstance(said, str) and code_names_ours(Code(str(value.get("system", "")), said), ndcs):
        return True
    return any(
        speaks_of_ours(_said(name, inner), ndcs) for name, inner in value.items() if name not in _ASIDE
    )


def may_speak(raw: bytes, ndcs: Ndcs) -> bool:
    """Whether the JSON of a resource may name a drug of ours; where it may not, it need not be read for that."""
    text = raw.decode("utf-8", "replace")
    if "\\" in text or not text.isascii():
        return True
    return (
        names_ours(text)
        or _CODED.search(text) is not None
        or ndcs.within(text)
        or _ELEVEN.search(text) is not None
    )


def _said(name: str, value: Any) -> Any:
    """What an element says of a drug: of a reference its id, without the server."""
    if name == "reference" and isinstance(value, str):
        return value.rpartition("/")[2]
    return _substances(value) if name == "contained" and isinstance(value, list) else value


def _substances(contained: list[Any]) -> list[Any]:
    """Of contained resources, those that are what was given; people and places have names that say nothing of it."""
    return [
        one
        for one in contained
        if isinstance(one, dict) and one.get("resourceType") in {"Medication", "Substance"}
    ]


_ASIDE: Final = frozenset({
    "subject", "patient", "performer", "recorder", "requester", "author", "asserter", "informationSource", "receiver", "authorReference",
    "authorString", "context", "encounter", "location", "destination", "device", "partOf", "supportingInformation", "reasonCode",
    "reasonReference", "statusReason", "statusReasonCodeableConcept", "statusReasonReference", "detectedIssue", "eventHistory",
    "priorPrescription", "insurance", "manufacturer", "assigner", "meta", "id", "system", "url", "fullUrl", "resourceType",
})  # fmt: skip
"""Elements that name people, places, visits, reasons and servers: a clinic may have the drug in its name, and nausea has it as its reason."""


def folded(text: str) -> str:
    """A text without what is written differently and means the same: case, width, accents, entities of HTML, what is not seen."""
    if "&" in text:
        text = html.unescape(text)
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKD", text.translate(_SEPARATING))
    return "".join(sign for sign in plain if unicodedata.category(sign) not in _LEFT_OUT).casefold()
