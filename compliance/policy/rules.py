"""A parsed document as a typed `Rule`, or everything that is wrong with it (policy-language.md).

Nothing here raises for bad input: each problem has its file, line and column, plain words and a remedy, and all problems of a file are
found in one reading. What depends on something that is itself wrong is not reported again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any, Final, Literal, cast

from compliance.domain.findings import Severity
from compliance.domain.time import format_date
from compliance.errors import Problem
from compliance.policy.cases import read_cases
from compliance.policy.facts import known_kinds, read_expect, read_given
from compliance.policy.fields import Fields, Reading, kind_of, last
from compliance.policy.located import Document, at
from compliance.policy.messages import read_message
from compliance.policy.model import Citation, Expect, Expression, Message, Period, Rule
from compliance.policy.names import BOOL, RULE_ID, Known, field_types
from compliance.policy.nearest import did_you_mean
from compliance.policy.parameters import read_parameters
from compliance.policy.subjects import read_subjects, subject_kind

GROUPS: Final = (
    ("id", "title", "implements", "cites", "in_force", "owner", "review_by"), ("parameters",),
    ("on", "every", "per", "given", "when", "require", "expect"), ("otherwise",), ("cases",),
)  # fmt: skip
"""The fields of a rule as they are read from top to bottom; `layout` puts a blank line between two groups."""
FIELDS: Final = tuple(chain.from_iterable(GROUPS))
SEVERITIES: Final = tuple(str(severity) for severity in Severity)
OVERRIDES: Final = ("never", "with_reason", "two_person")
TO_WRITE: Final = "TO WRITE"
"""So begins what a person has still to write in the file of a new rule."""
OTHERWISE_FIELDS: Final = ("severity", "override", "message", "remedy")
CITATION_FIELDS: Final = ("source", "at", "read")
PERIOD_FIELDS: Final = ("from", "to")


def read_rule(
    document: Document, requirements: Collection[str] | None = None, *, stored: bool = False
) -> tuple[Rule | None, tuple[Problem, ...]]:
    """The rule of a document and the problems found; the rule is None where there is any.

    `requirements` are the ids that `implements` may name; None allows every id. A `stored` rule comes from a bundle whose cases were
    run before it was activated: it is read without them, and it has no file whose name its id must equal.
    """
    reading = Reading(document, [])
    if TO_WRITE in document.text and (unwritten := tuple(_unwritten(document))):
        return None, unwritten
    fields = reading.fields((), FIELDS, "a rule")
    if fields is None:
        return None, tuple(reading.problems)
    rule = _rule(fields, requirements, stored)
    return (None if reading.problems else rule), tuple(reading.problems)


def _unwritten(document: Document) -> Iterator[Problem]:
    """Marks that a new rule's file came with; until they are replaced there is nothing else to say of it."""
    for path in document.marks:
        value = at(document.value, path)
        if isinstance(value, str) and value.startswith(TO_WRITE):
            remedy = f"write{value.removeprefix(TO_WRITE)}" if value != TO_WRITE else "write it"
            yield document.problem(path, f"{last(path)} is still to be written", remedy)


def _rule(fields: Fields, requirements: Collection[str] | None, stored: bool) -> Rule | None:
    rule_id = _id(fields, named_by_file=not stored)
    title = fields.text("title", "say in one sentence what must hold")
    implements = _implements(fields, requirements)
    cites = _cites(fields)
    in_force = _in_force(fields)
    owner = fields.text("owner", "name who answers for this rule: owner: medical director")
    review_by = fields.date("review_by", "say when it must be read again: review_by: 2027-11-22")
    parameters = read_parameters(fields, in_force)
    written = tuple(fields.value["parameters"]) if isinstance(fields.value.get("parameters"), dict) else ()
    nightly = fields.has("every")
    on = subject_kind(fields) if nightly else _on(fields)
    deadline = fields.has("expect")
    known = Known(on, parameters, written)
    each = read_subjects(fields, on[0], known) if nightly and on else None
    conditions = _conditions(fields, on, known) if on else None
    cases = () if stored else read_cases(fields, on, deadline=deadline)
    if conditions is None or in_force is None:
        return None
    given, when, require, expect, per, severity, override, message, remedy = conditions
    return Rule(
        id=rule_id, title=title, implements=implements, cites=cites, in_force=in_force, owner=owner,
        review_by=format_date(review_by) if review_by is not None else "", parameters=parameters, on=() if nightly else on, given=given, when=when, require=require,
        expect=expect, per=per, each=each, severity=severity, override=override, message=message, remedy=remedy, cases=cases,
        place=fields.reading.place(("id",)),
    )  # fmt: skip


def _on(fields: Fields) -> tuple[str, ...]:
    names = fields.names(
        "on",
        "write the kind of event that is judged: on: administration (or every: night, for a rule on none)",
    )
    return known_kinds(fields, "on", names, any_kind=True)


def _id(fields: Fields, *, named_by_file: bool) -> str:
    rule_id = fields.text("id", "write id: and the file's name without .yaml")
    stem = fields.reading.document.stem
    if rule_id and not RULE_ID.match(rule_id):
        fields.wrong(
            "id", f"'{rule_id}' cannot be an id", "use small letters, digits and -, beginning with a letter"
        )
    elif rule_id and named_by_file and rule_id != stem:
        fields.wrong(
            "id",
            f"the id is '{rule_id}', but the file is called '{stem}'",
            f"write id: {stem}, or rename the file to {rule_id}.yaml",
        )
    return rule_id


def _implements(fields: Fields, requirements: Collection[str] | None) -> tuple[str, ...]:
    names = fields.names("implements", "name the requirements that it keeps: implements: [REMS-MONITOR-2H]")
    for i, name in enumerate(names if requirements is not None else ()):
        if name not in (requirements or ()):
            path = (
                (*fields.at("implements"), i)
                if isinstance(fields.value["implements"], list)
                else fields.at("implements")
            )
            fields.reading.wrong(
                path, f"there is no requirement '{name}'", did_you_mean(name, requirements or ())
            )
    return names


def _cites(fields: Fields) -> tuple[Citation, ...]:
    example = "write cites: [{source: 21 CFR 1304.22(c), at: paragraph (c), read: 2026-11-22}]"
    if not fields.required("cites", example):
        return ()
    written = fields.value["cites"]
    if not isinstance(written, list) or not written:
        fields.wrong(
            "cites",
            f"'cites' must be a list of citations, not {kind_of(written) if written != [] else 'empty'}",
            example,
        )
        return ()
    found = []
    for i in range(len(written)):
        one = fields.reading.fields((*fields.at("cites"), i), CITATION_FIELDS, "a citation")
        if one is not None:
            source = one.text("source", "name the law, document or guideline")
            read = one.date("read", "say when the source was last read: read: 2026-11-22")
            found.append(
                Citation(
                    source, one.text("at", required=False), format_date(read) if read is not None else ""
                )
            )
    return tuple(found)


def _in_force(fields: Fields) -> Period | None:
    example = "write in_force: {from: 2019-03-05}"
    if not fields.required("in_force", example):
        return None
    period = fields.reading.fields(fields.at("in_force"), PERIOD_FIELDS, "'in_force'")
    if period is None:
        return None
    start, end = period.date("from", example), period.date("to", "", required=False)
    if start is not None and end is not None and end <= start:
        period.wrong(
            "to",
            f"the rule would end on {format_date(end)}, before it begins on {format_date(start)}",
            "'to' is the first day on which it no longer holds",
        )
        return None
    return Period(start, end) if start is not None else None


def _conditions(fields: Fields, on: tuple[str, ...], known: Known) -> Any:
    """What is asked, and what is said where it does not hold; None after a problem that leaves nothing to judge."""
    given = read_given(fields, known)
    names = known.names()
    when = fields.reading.expression(fields.at("when"), names, BOOL) if fields.has("when") else None
    require: Expression | None = None
    expect: Expect | None = None
    if fields.has("require") and fields.has("expect"):
        fields.wrong(
            "expect",
            "a rule has 'require' or 'expect', not both",
            "judge the event with require, or open a duty with expect; make two rules",
            key=True,
        )
    elif fields.has("expect"):
        expect = read_expect(fields, known)
    elif fields.required(
        "require", "write the condition that must hold, or 'expect' for a duty with a deadline"
    ):
        require = fields.reading.expression(fields.at("require"), names, BOOL)
    per = _per(fields, on)
    severity, override, message, remedy = _otherwise(fields, known)
    if require is None and expect is None:
        return None
    return given, when, require, expect, per, severity, override, message, remedy


def _per(fields: Fields, on: tuple[str, ...]) -> tuple[str, ...]:
    if not fields.has("per") or fields.has("every"):
        return ()
    if not fields.has("expect"):
        fields.wrong("per", "'per' belongs to a duty; this rule has no 'expect'", "delete it", key=True)
        return ()
    keys = fields.names("per", "write the field that one duty is kept for: per: session")
    for key in keys:
        lacking = next((kind for kind in on if key not in field_types(kind)), None)
        if lacking is not None:
            fields.wrong("per", f"{lacking} has no field '{key}'", did_you_mean(key, field_types(lacking)))
    return keys


def _otherwise(
    fields: Fields, known: Known
) -> tuple[Severity, Literal["never", "with_reason", "two_person"], Message, Message]:
    nothing = Message((), "")
    if not fields.required(
        "otherwise", "say what follows where it does not hold: severity, message and remedy"
    ):
        return Severity.DENY, "never", nothing, nothing
    said = fields.reading.fields(fields.at("otherwise"), OTHERWISE_FIELDS, "'otherwise'")
    if said is None:
        return Severity.DENY, "never", nothing, nothing
    severity = said.one_of("severity", SEVERITIES, "say how grave it is: severity: deny, warn or report")
    override = said.one_of("override", OVERRIDES, "", default="never")
    message = read_message(said, "message", known.names(), "say what was found, with {holes} for the values")
    remedy = read_message(said, "remedy", known.names(), "say what the person should do now")
    return Severity(severity), cast(Literal["never", "with_reason", "two_person"], override), message, remedy
