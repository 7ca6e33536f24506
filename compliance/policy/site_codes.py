"""What a site's own systems call things: the group ``codes`` of ``sites/<site>.yaml``.

    codes:
      drugs:
        - {system: 'urn:oid:1.2.3', code: KET50, is: ketamine_inj_50mg_ml}
      locations:
        - {code: Location/12}                 # this site
      practitioners:
        - {code: Practitioner/7, is: RN-A1}
      encounters:
        - {system: 'http://snomed.info/sct', code: '12345'}
      points:
        - {system: 'urn:clinic:points', code: PRE, is: pre_dose}

A code has one meaning, in one file and at all sites: what a source sends does not say whose code it is. Codes change no decision of a rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from compliance.domain.codes import GROUPS, Code, Codes
from compliance.domain.drugs import DRUGS
from compliance.domain.vocabulary import KINDS
from compliance.errors import Problem
from compliance.policy.fields import Fields, Reading, kind_of, shown
from compliance.policy.located import Document, Path
from compliance.policy.nearest import did_you_mean

POINTS: Final = KINDS["vital_signs"].fields["point"].values
"""The points in a treatment session."""
CODE_FIELDS: Final = ("system", "code", "is")
_STAFF_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
_EXAMPLES: Final[Mapping[str, str]] = {
    "drugs": "{system: 'urn:oid:1.2.3', code: KET50, is: ketamine_inj_50mg_ml}",
    "locations": "{code: Location/12}",
    "practitioners": "{code: Practitioner/7, is: RN-A1}",
    "encounters": "{system: 'http://snomed.info/sct', code: '12345'}",
    "points": "{system: 'urn:clinic:points', code: PRE, is: pre_dose}",
}
_ENCOUNTER: Final = "a visit at which a drug is given"


def row_fields(group: str) -> tuple[str, ...]:
    """The fields of a row of a group; only where a code may mean several things does it say which."""
    return CODE_FIELDS[:2] if group in ("locations", "encounters") else CODE_FIELDS


def read_codes(reading: Reading, site: str) -> None:
    """Notes everything that is wrong with the codes in the document of a site."""
    fields = reading.fields(("codes",), GROUPS, "'codes'")
    if fields is None:
        return
    if not fields.value:
        reading.wrong(("codes",), "'codes' is empty", f"write drugs: and below it - {_EXAMPLES['drugs']}")
    for group in GROUPS:
        if group not in fields.value:
            continue
        rows = fields.value[group]
        if not isinstance(rows, list) or not rows:
            words = "an empty one" if rows == [] else kind_of(rows)
            fields.wrong(group, f"'{group}' must be a list, not {words}", f"write - {_EXAMPLES[group]}")
            continue
        for i in range(len(rows)):
            row = reading.fields((*fields.at(group), i), row_fields(group), _ROWS[group])
            if row is not None:
                _check(row, group)
    _twice(reading, site)


def stored_codes(document: Mapping[str, Any], site: str) -> Codes:
    """The codes of a site in a document that was found in order."""
    found = {group: {code: meaning for _, code, meaning in _said(document, group, site)} for group in GROUPS}
    return Codes(
        found["drugs"],
        found["locations"],
        found["practitioners"],
        frozenset(found["encounters"]),
        found["points"],
    )


def other_meanings(document: Document, others: Collection[Document]) -> tuple[Problem, ...]:
    """The codes of a site that mean another thing in the files of others; each is told with the first place where they do."""
    problems = []
    for group in GROUPS:
        told: dict[Code, list[tuple[str, Document, Path]]] = {}
        for other in others:
            for path, code, meaning in _said(other.value, group, _site(other)):
                told.setdefault(code, []).append((meaning, other, path))
        for path, code, meaning in _said(document.value, group, _site(document)):
            another = next((one for one in told.get(code, ()) if one[0] != meaning), None)
            if another is not None:
                theirs, other, at = another
                place = other.place((*at, "code"))
                message = f"{shown(code.code)} means {theirs} in {place.source}, line {place.line}"
                remedy = "a code means the same at all sites: give it one meaning, or write the system that tells the two apart"
                problems.append(document.problem((*path, "code"), message, remedy))
    return tuple(problems)


def _check(row: Fields, group: str) -> None:
    for name in ("system", "code"):
        value = row.value.get(name)
        if type(value) is str and value.strip() and value != value.strip():
            row.wrong(name, f"{shown(value)} begins or ends with a blank", "take the blank out")
        elif name in row.value and not (type(value) is str and value.strip()):
            what = "a number" if isinstance(value, str) and value.strip() else kind_of(value)
            remedy = f"write it in quotes: '{value}'" if what == "a number" else f"write - {_EXAMPLES[group]}"
            row.wrong(name, f"'{name}' must be text, not {what}", remedy)
    if "code" not in row.value:
        row.lacks("code", f"write - {_EXAMPLES[group]}")
    if "is" in row_fields(group):
        meaning = row.text("is", _MEANT[group][0])
        if meaning:
            _MEANT[group][1](row, meaning)


def _drug(row: Fields, meaning: str) -> None:
    if meaning not in DRUGS:
        row.wrong("is", f"there is no drug {shown(meaning)} in the drug list", did_you_mean(meaning, DRUGS))


def _point(row: Fields, meaning: str) -> None:
    if meaning not in POINTS:
        row.wrong("is", f"a session has no point {shown(meaning)}", did_you_mean(meaning, POINTS))


def _staff(row: Fields, meaning: str) -> None:
    if _STAFF_ID.fullmatch(meaning) is None:
        row.wrong("is", f"{shown(meaning)} is no staff id", "an id is 1 to 64 characters A-Z a-z 0-9 . _ : -")


_MEANT: Final[Mapping[str, tuple[str, Callable[[Fields, str], None]]]] = {
    "drugs": ("name the drug of the drug list: is: ketamine_inj_50mg_ml", _drug),
    "practitioners": ("write the staff id: is: RN-A1", _staff),
    "points": (f"name the point in the session: {', '.join(POINTS)}", _point),
}
_ROWS: Final[Mapping[str, str]] = {
    "drugs": "a drug's code",
    "locations": "a location",
    "practitioners": "a practitioner",
    "encounters": "a kind of encounter",
    "points": "a point's code",
}


def _twice(reading: Reading, site: str) -> None:
    """Notes codes that have two meanings in the one document."""
    for group in GROUPS:
        first: dict[Code, tuple[str, Path]] = {}
        for path, code, meaning in _said(reading.document.value, group, site):
            theirs, at = first.setdefault(code, (meaning, path))
            if theirs != meaning:
                line = reading.place((*at, "code")).line
                message = f"{shown(code.code)} stands here twice: it means {theirs} in line {line}"
                reading.wrong((*path, "code"), message, "keep one of the two")


def _site(document: Document) -> str:
    return str(document.value.get("site")) if isinstance(document.value, dict) else ""


def _said(document: Any, group: str, site: str) -> Iterator[tuple[Path, Code, str]]:
    """Each row of a group that can be read: its path, the code, and what that means."""
    codes = document.get("codes") if isinstance(document, Mapping) else None
    rows = codes.get(group) if isinstance(codes, Mapping) else None
    for i, row in enumerate(rows if isinstance(rows, list) else ()):
        if not isinstance(row, Mapping):
            continue
        code, system = row.get("code"), row.get("system", "")
        meaning = {"locations": site, "encounters": _ENCOUNTER}.get(group, row.get("is"))
        if isinstance(code, str) and isinstance(system, str) and isinstance(meaning, str):
            yield ("codes", group, i), Code(system, code), meaning
