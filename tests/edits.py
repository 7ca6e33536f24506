"""Edits of rules of the library, in what their files say: thresholds, conditions, dates and quantifiers; about half of them other ways of writing the same.

Each row: a name, the rule, the edits, and what the change must be called.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache

from compliance.policy.documents import read_file
from compliance.policy.located import Document, as_json
from compliance.policy.model import Bundle
from compliance.policy.rules import read_rule
from compliance.policy.tables import read_tables
from compliance.settings import shipped_folder
from compliance.workbench.compared import Compared
from compliance.workbench.differing import Change, differences

LIBRARY = shipped_folder("policies")
EQUIVALENT, STRICTER, LOOSER, BOTH, UNKNOWN = (
    Change.EQUIVALENT,
    Change.STRICTER,
    Change.LOOSER,
    Change.BOTH,
    Change.UNKNOWN,
)


@cache
def document(rule_id):
    (file,) = LIBRARY.rglob(f"{rule_id}.yaml")
    return read_file(file)


@cache
def tables():
    return read_tables(read_file(LIBRARY / "bundle.yaml"))[0][2]


def at(path, value):
    """An edit: the value at a path of a rule's file becomes another; None takes it out."""

    def edit(said):
        *above, last = path.split(".")
        for step in above:
            said = said[int(step)] if step.isdigit() else said[step]
        if value is None:
            del said[last]
        else:
            said[int(last) if last.isdigit() else last] = value

    return edit


def text(path, old, new):
    """An edit: a part of the text at a path becomes another; blanks count as one."""

    def edit(said):
        *above, last = path.split(".")
        for step in above:
            said = said[step]
        before = " ".join(said[last].split())
        assert before.count(old) == 1, before
        said[last] = before.replace(old, new)

    return edit


def bundle(rule_id, *edits):
    said = deepcopy(document(rule_id).value)
    for edit in edits:
        edit(said)
    rule, problems = read_rule(Document(f"{rule_id}.yaml", said, {}))
    assert not problems, problems
    form = {"bundle": read_file(LIBRARY / "bundle.yaml").value, "rules": {rule_id: as_json(said)}}
    return Bundle("b", "1", "sha256:" + ("1" if edits else "0") * 64, (rule,), tables(), form)


BP = "uspi-bp-140-90"
PMF = "rems-pmf-7d"
BOOSTER = "off-booster-interval"
TWO_HOURS = "rems-monitor-2h"
PRE = "uspi-bp-pre"
FORTY = "uspi-bp-40min"
KEPT = "csa-829a-45d-kept"
DELIVERED = "csa-829a-45d"

EDITS = [
    # thresholds
    ("a higher limit of the pressure", BP, [at("parameters.systolic.values.0.value", 145)], LOOSER),
    ("a lower limit of the pressure", BP, [at("parameters.systolic.values.0.value", 139)], STRICTER),
    ("one limit up, one down", BP, [at("parameters.systolic.values.0.value", 145), at("parameters.diastolic.values.0.value", 85)], BOTH),
    ("at the limit counts as above", BP, [text("require", "pre.systolic_mmhg <= param.systolic", "pre.systolic_mmhg < param.systolic")], STRICTER),
    ("a longer observation", TWO_HOURS, [at("parameters.minimum_observation.values.0.value", "150m")], STRICTER),
    ("fewer days for the form", PMF, [at("parameters.most_days.values.0.value", 5)], STRICTER),
    ("fewer boosters in a year", BOOSTER, [at("parameters.most_in_a_year.values.0.value", 3)], STRICTER),
    # conditions
    ("the lower pressure is not looked at", BP, [text("require", "&& pre.diastolic_mmhg <= param.diastolic", "")], LOOSER),
    ("an admission no longer ends it", TWO_HOURS, [text("when", "['higher_level_care', 'admitted']", "['higher_level_care']")], STRICTER),
    ("asked in `require` instead of `when`", PRE, [at("when", None), text("require", "pre != null", "!drug_info(administration.drug).is_rems || pre != null")], EQUIVALENT),
    ("an amended form is not a submitted one", PMF, [text("expect.where", "['submitted', 'amended']", "['submitted']")], STRICTER),
    # dates
    ("in force a year later", TWO_HOURS, [at("in_force.from", "2020-03-05"), at("parameters.minimum_observation.values.0.from", "2020-03-05")], LOOSER),
    ("another limit from 2027 on", BP, [at("parameters.systolic.values", [
        {"from": "2019-03-05", "value": 140, "cites": "x"}, {"from": "2027-01-01", "value": 135, "cites": "x"}])], STRICTER),
    ("no longer in force from 2028 on", PRE, [at("in_force.to", "2028-01-01")], LOOSER),
    # quantifiers
    ("the first device instead of the last", TWO_HOURS, [at("given.dose", {"earliest": "administration", "by": ["session"]})], BOTH),
    ("a reading of any session", FORTY, [at("given.reading.by", ["patient"])], BOTH),
    ("severity", PRE, [at("otherwise.severity", "warn")], LOOSER),
    ("with a reason it may be overridden", TWO_HOURS, [at("otherwise.override", "with_reason")], LOOSER),
    # other ways of writing the same
    ("the limit written as hours and minutes", TWO_HOURS, [at("parameters.minimum_observation.values.0.value", "120m")], EQUIVALENT),
    ("a negated comparison", BP, [text("require", "pre.systolic_mmhg <= param.systolic", "!(pre.systolic_mmhg > param.systolic)")], EQUIVALENT),
    ("de Morgan", BP, [text("require", "(pre.systolic_mmhg <= param.systolic && pre.diastolic_mmhg <= param.diastolic)",
        "!(pre.systolic_mmhg > param.systolic || pre.diastolic_mmhg > param.diastolic)")], EQUIVALENT),
    ("operands in another order", PRE, [text("require", "pre != null && first.occurred_at - pre.occurred_at <= param.oldest_reading",
        "first.occurred_at <= pre.occurred_at + param.oldest_reading && pre != null")], EQUIVALENT),
    ("a list as comparisons", TWO_HOURS, [text("when", "discharge.disposition in ['higher_level_care', 'admitted']",
        "discharge.disposition == 'admitted' || discharge.disposition == 'higher_level_care'")], EQUIVALENT),
    ("the present limit said again from 2027 on", BP, [at("parameters.systolic.values", [
        {"from": "2019-03-05", "value": 140, "cites": "x"}, {"from": "2027-01-01", "value": 140, "cites": "x"}])], EQUIVALENT),
    ("a condition that the window says already", FORTY, [text("given.reading.where", "has(it.systolic_mmhg)", "it.occurred_at >= dose.completed_at && has(it.systolic_mmhg)")], EQUIVALENT),
    ("a name instead of a literal", PMF, [at("parameters.words", {"tighten": "fixed", "values": [{"from": "2019-03-05", "value": ["submitted", "amended"], "cites": "x"}]}),
        text("expect.where", "['submitted', 'amended']", "param.words")], EQUIVALENT),
    ("days counted from the date", PMF, [text("expect.due", "administration.occurred_at", "local_date(administration.occurred_at)")], EQUIVALENT),
    ("none instead of any", FORTY, [at("given.reading", {"none": "vital_signs", "by": ["session"], "where":
        "has(it.systolic_mmhg) && has(it.diastolic_mmhg) && it.occurred_at >= dose.completed_at + param.earliest && it.occurred_at <= dose.completed_at + param.latest"}),
        at("require", "!reading"), at("otherwise.message", "none")], EQUIVALENT),
    ("a count held against nought instead of any", FORTY, [at("given.reading", {"count": "vital_signs", "by": ["session"], "where":
        "has(it.systolic_mmhg) && has(it.diastolic_mmhg) && it.occurred_at >= dose.completed_at + param.earliest && it.occurred_at <= dose.completed_at + param.latest"}),
        at("require", "reading > 0"), at("otherwise.message", "none")], EQUIVALENT),
    ("a choice instead of or", TWO_HOURS, [text("require", "discharge.occurred_at - dose.completed_at >= param.minimum_observation",
        "param.minimum_observation <= discharge.occurred_at - dose.completed_at ? true : false")], EQUIVALENT),
    ("a sum with the sides exchanged", KEPT, [text("require", "used + destroyed + wasted + returned >= came", "came <= returned + wasted + (destroyed + used)")], EQUIVALENT),
    ("a fact under another name", DELIVERED, [at("given", {"came": {"latest": "receipt", "by": ["prescription", "lot", "drug"], "where": "it.accepted && it.stock_type == 'patient_specific'"}}),
        text("require", "delivery != null && local_date(administration.occurred_at) <= local_date(delivery.occurred_at)", "came != null && local_date(administration.occurred_at) <= local_date(came.occurred_at)"),
        at("otherwise.message", "late")], EQUIVALENT),
    ("without the question whether it is there", DELIVERED, [text("require", "delivery != null && ", "")], EQUIVALENT),
    ("a value from a far year on", BP, [at("parameters.systolic.values", [
        {"from": "2019-03-05", "value": 140, "cites": "x"}, {"from": "2150-01-01", "value": 130, "cites": "x"}])], STRICTER),
    ("in force from an earlier century on", PRE, [at("in_force.from", "1905-01-01"), at("parameters.oldest_reading.values.0.from", "1905-01-01")], STRICTER),
    ("a duty for each patient instead of each session", PMF, [at("per", ["patient"])], UNKNOWN),
    ("subjects of another kind", "er-backup-23", [at("per.each", "site_certification"), at("require", "saved != null"), at("given", {"saved": {"latest": "system_event", "where": "it.activity == 'backup'"}}),
        at("when", None), at("otherwise.message", "none"), at("otherwise.remedy", "none"), at("cases", [{"name": "n", "event": {"kind": "site_certification"}, "expect": "fail"}])], BOTH),
    ("words", TWO_HOURS, [at("title", "Another title"), at("otherwise.message", "Another message")], EQUIVALENT),
]  # fmt: skip


def changed(rule_id, edits):
    """What the edits make of a rule."""
    old, new = bundle(rule_id), bundle(rule_id, *edits)
    found = list(differences(Compared(old, new, 0, frozenset({rule_id})), 20))
    assert len(found) <= 1
    return found[0] if found else None
