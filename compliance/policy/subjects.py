"""Whom a standing rule looks at: ``per: {each: registration, where: ...}`` (policy-language.md, "Standing").

`each` names the kind that defines the subjects, never the evidence that is looked for: a site that never counted its stock is a subject.
"""

from __future__ import annotations

from typing import Final

from compliance.policy.facts import known_kinds
from compliance.policy.fields import Fields
from compliance.policy.model import Subjects
from compliance.policy.names import BOOL, Known, field_types
from compliance.policy.nearest import did_you_mean

FIELDS: Final = ("each", "by", "where")
EXAMPLE: Final = "write per: {each: registration, where: it.holder_kind == 'own_site'}"


def subject_kind(rule: Fields) -> tuple[str, ...]:
    """The kind that `per.each` names, as what the rule is judged on; empty after a problem."""
    if rule.value["every"] != "night":
        rule.wrong("every", "a standing rule is judged every night", "write every: night")
    for other in ("on", "expect"):
        if rule.has(other):
            rule.wrong(
                other,
                f"a rule for every night has no '{other}'",
                "give its subjects with per: {each: ...} and what must hold with require, or delete 'every'",
                key=True,
            )
    if not rule.required("per", EXAMPLE):
        return ()
    fields = rule.reading.fields(rule.at("per"), FIELDS, "'per'")
    if fields is None:
        return ()
    names = fields.names("each", "name the kind of event that defines the subjects: each: site_profile")
    if len(names) > 1:
        fields.wrong("each", "the subjects are of one kind", "make a rule for each kind")
        return ()
    return known_kinds(fields, "each", names) if names else ()


def read_subjects(rule: Fields, kind: str, known: Known) -> Subjects | None:
    """The subjects of a standing rule, after `subject_kind` found their kind."""
    fields = Fields(rule.reading, rule.at("per"), rule.value["per"], "'per'")
    by = fields.names(
        "by", "write the fields that tell subjects apart: by: [site, drug, lot]", required=False
    )
    for key in by:
        if key not in field_types(kind):
            fields.wrong(
                "by",
                f"{kind} has no field '{key}'",
                did_you_mean(key, field_types(kind)) or "name a field of that kind",
            )
    where = None
    if fields.has("where"):
        where = fields.reading.expression(fields.at("where"), known.names((kind,)), BOOL)
    return Subjects(kind, by, where)
