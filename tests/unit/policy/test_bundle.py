"""A folder of policies as a bundle: what its digest depends on, its stored form, the shipped tables."""

import json
import random
import re
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.domain.drugs import REFERENCE_LIST
from compliance.domain.time import parse_date
from compliance.domain.values import SCALE
from compliance.domain.vocabulary import KINDS
from compliance.policy.bundle import bundle_from_documents, digest, load_folder, load_requirements
from compliance.policy.documents import read_file, read_text
from compliance.policy.located import as_json
from compliance.policy.tables import read_tables

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "policies"
VALID = ROOT / "tests" / "policies" / "valid" / "rems-monitor-2h.yaml"


@pytest.fixture
def folder(tmp_path):
    """A small library: the shipped tables and one rule."""
    shutil.copy(SHIPPED / "bundle.yaml", tmp_path)
    shutil.copy(SHIPPED / "requirements.yaml", tmp_path)
    (tmp_path / "rems").mkdir()
    shutil.copy(VALID, tmp_path / "rems")
    return tmp_path


def loaded(path):
    bundle, problems = load_folder(path)
    assert not problems
    return bundle


def messages(path):
    bundle, problems = load_folder(path)
    assert bundle is None
    return [problem.message for problem in problems]


def relaid(value, rng, depth=0):
    """The same document as other YAML: other order, quotes, comments, block or flow style."""
    if isinstance(value, dict):
        names = list(value)
        rng.shuffle(names)
        if depth == 0:
            return "".join(
                f"# {rng.random()}\n{name}: {relaid(value[name], rng, 1)}  # {depth}\n\n" for name in names
            )
        return "{" + ", ".join(f"{name}: {relaid(value[name], rng, depth + 1)}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",   ".join(relaid(item, rng, depth + 1) for item in value) + "]"
    if isinstance(value, str):
        return (
            json.dumps(value, ensure_ascii=False)
            if rng.random() < 0.5
            else "'" + value.replace("'", "''") + "'"
        )
    return json.dumps(value)


@settings(max_examples=15)
@given(st.integers())
def test_layout_order_quotes_and_comments_do_not_change_the_digest(seed):
    """Law: the digest is of what the documents say."""
    form = {"bundle": {}, "rules": {"rems-monitor-2h": as_json(read_file(VALID).value)}}
    again = read_text(relaid(read_file(VALID).value, random.Random(seed)), "a.yaml")
    assert digest({"bundle": {}, "rules": {"rems-monitor-2h": as_json(again.value)}}) == digest(form)


def test_moving_a_rule_to_another_folder_does_not_change_the_digest(folder):
    """Places are no part of what is said."""
    before = loaded(folder)
    (folder / "elsewhere").mkdir()
    (folder / "rems" / VALID.name).rename(folder / "elsewhere" / VALID.name)
    after = loaded(folder)
    assert after.digest == before.digest
    assert after.documents["places"]["rems-monitor-2h"] == {
        "file": "elsewhere/rems-monitor-2h.yaml",
        "line": 2,
    }


@pytest.mark.parametrize(
    "old,new",
    [
        ("value: 2h", "value: 3h"),
        ("severity: deny", "severity: warn"),
        ("T1", "T2"),
        ("two hours after", "2 hours after"),
    ],
)
def test_every_change_of_what_is_said_changes_the_digest(folder, old, new):
    """A parameter, a severity, a case or a word: another bundle."""
    before = loaded(folder).digest
    path = folder / "rems" / VALID.name
    path.write_text(path.read_text().replace(old, new))
    assert loaded(folder).digest != before


def test_a_bundle_made_again_from_its_stored_form_is_the_same(folder):
    """Through JSON text and back: digest, tables and rules; only cases stay in the files."""
    bundle = loaded(folder)
    again = bundle_from_documents(json.loads(json.dumps(bundle.documents)))
    assert (again.name, again.version, again.digest, again.tables) == (
        bundle.name,
        bundle.version,
        bundle.digest,
        bundle.tables,
    )
    first, second = bundle.rule("rems-monitor-2h"), again.rule("rems-monitor-2h")
    assert second.require.node == first.require.node
    assert second.when.node == first.when.node
    assert (second.message.text, second.parameters, second.in_force) == (
        first.message.text,
        first.parameters,
        first.in_force,
    )
    assert (second.place.source, second.place.line) == ("rems/rems-monitor-2h.yaml", 2)
    with pytest.raises(KeyError):
        again.rule("no-such-rule")


def test_a_stored_bundle_needs_no_yaml_parser(folder, tmp_path):
    """Commands start without ruamel.yaml."""
    form = tmp_path / "bundle.json"
    form.write_text(json.dumps(loaded(folder).documents))
    program = (
        "import json, sys; from compliance.policy.bundle import bundle_from_documents; "
        f"b = bundle_from_documents(json.load(open({str(form)!r}))); "
        "assert b.judging('discharge')[0].id == 'rems-monitor-2h'; assert not any(m.startswith('ruamel') for m in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_a_stored_bundle_types_only_the_rules_that_are_asked_for(folder):
    """Sixty rules are ready in well under 60 ms, and a rule on another kind is never looked at."""
    form = json.loads(json.dumps(loaded(folder).documents))
    rule = form["rules"]["rems-monitor-2h"]
    for i in range(60):
        form["rules"][f"r{i:02}"] = {**rule, "id": f"r{i:02}"}
    form["rules"]["broken"] = {**rule, "id": "broken", "on": "administration", "require": "no such name"}

    def seconds():
        start = time.process_time()
        assert len(bundle_from_documents(form).rules) == 62
        return time.process_time() - start

    assert min(seconds() for _ in range(5)) < 0.060
    bundle = bundle_from_documents(form)
    assert len(bundle.judging("discharge")) == 61
    assert bundle.duties() == ()


def test_one_id_in_two_files_is_an_error_that_names_both(folder):
    """Ids are unique over all files of a bundle."""
    (folder / "other").mkdir()
    shutil.copy(VALID, folder / "other")
    (message,) = messages(folder)
    assert message.startswith("the id 'rems-monitor-2h' is taken: it stands in ")
    assert "other/rems-monitor-2h.yaml, line 2" in message


def test_all_problems_of_all_files_are_reported_at_once(folder):
    """One broken file does not hide another."""
    path = folder / "rems" / VALID.name
    path.write_text(path.read_text().replace("severity: deny", "severity: refuse"))
    (folder / "rems" / "x.yaml").write_text("a: [1\n")
    shared = folder / "bundle.yaml"
    shared.write_text(shared.read_text().replace("name: clinic-library", "nmae: clinic-library"))
    assert messages(folder) == [
        "a list that was opened with [ is not closed",
        "bundle.yaml has no field 'nmae'",
        "'severity' cannot be 'refuse'",
    ]


def test_a_folder_without_bundle_yaml_or_without_anything_is_an_error(tmp_path):
    """What is missing is said."""
    assert messages(tmp_path) == ["this folder has no bundle.yaml"]
    assert messages(tmp_path / "none") == ["there is no such folder"]


@pytest.mark.parametrize(
    "old,new,message",
    [
        ("date: 2017-01-02", "date: 2017-01-01", "2017-01-01 stands here twice"),
        (
            "code: ketamine_inj_10mg_ml",
            "code: ketamine_inj_50mg_ml",
            "drug 'ketamine_inj_50mg_ml' stands here twice",
        ),
        ("is_rems: true", "is_rems: 1", "'is_rems' cannot be a number"),
        ("strength_mg_per_unit: 28", "strength_mg_per_unit: '28'", "'strength_mg_per_unit' cannot be text"),
        ("pdmp_max_age: 24h", "pdmp_max_age: a day", "'pdmp_max_age' cannot be text"),
        ("separate_csr: false", "separate_crs: false", "'defaults' has no field 'separate_crs'"),
        ("  witness:", "  witnes:", "'permissions' has no field 'witnes'"),
        ("    - infusion\n", "    - infusions\n", "there is no kind of event 'infusions'"),
    ],
)
def test_mistakes_in_the_tables_are_named(old, new, message):
    """Tables are checked as closely as rules."""
    text = (SHIPPED / "bundle.yaml").read_text()
    assert old in text
    tables, problems = read_tables(read_text(text.replace(old, new, 1), "bundle.yaml"))
    assert tables is None
    assert [problem.message for problem in problems] == [message]


def test_the_shipped_library_loads():
    """No file of the library has a problem."""
    bundle, problems = load_folder(SHIPPED)
    assert not [str(problem) for problem in problems]
    assert bundle.digest.startswith("sha256:")


def test_shipped_holidays_agree_with_an_independent_calendar():
    """Federal holidays 2017 to 2030 with their observed days, against the `holidays` package."""
    oracle = {day for day in holidays.US(years=range(2017, 2032), observed=True) if 2017 <= day.year <= 2030}
    tables = loaded_tables()
    assert {date.fromordinal(day) for day in tables.holidays} == oracle


def loaded_tables():
    read, problems = read_tables(read_file(SHIPPED / "bundle.yaml"))
    assert not problems
    return read[2]


@pytest.mark.parametrize(
    "day,is_holiday",
    [
        ("2020-06-19", False),  # before Public Law 117-17
        ("2021-06-18", True),  # Juneteenth 2021 fell on a Saturday
        ("2021-12-31", True),  # New Year's Day 2022 fell on a Saturday
        ("2022-12-26", True),  # Christmas 2022 fell on a Sunday
        ("2026-07-03", True),
        ("2026-11-26", True),
        ("2026-11-27", False),
        ("2025-01-20", True),
    ],
)
def test_observed_days_follow_the_statute(day, is_holiday):
    """5 USC 6103(b)(1) and Executive Order 11582: Friday for a Saturday, Monday for a Sunday."""
    assert (parse_date(day) in loaded_tables().holidays) is is_holiday


def test_the_shipped_drug_list_is_the_vocabularys():
    """Codes and properties are those that events are checked against."""
    drugs = loaded_tables().drugs
    assert set(drugs) == {drug.code for drug in REFERENCE_LIST}
    for drug in REFERENCE_LIST:
        row = drugs[drug.code]
        for name in (
            "generic",
            "form",
            "route",
            "schedule",
            "dea_code",
            "is_rems",
            "is_compounded",
            "stock_unit",
        ):
            assert row[name] == getattr(drug, name)
        for name in ("strength_mg_per_unit", "strength_mg_per_ml"):
            strength = getattr(drug, name)
            assert row.get(name) == (None if strength is None else int(strength) * SCALE)


def test_every_kind_may_be_recorded_by_some_role_and_clinical_kinds_by_no_administrator():
    """21 CFR 11.10(g); whoever runs the software has no clinical right."""
    permissions = loaded_tables().permissions
    assert set(permissions) == set(KINDS["access_change"].fields["role"].values)
    assert frozenset().union(*permissions.values()) == set(KINDS)
    clinical = {name for name, kind in KINDS.items() if kind.group in ("patient", "plan", "session")}
    assert not permissions["administrator"] & clinical
    assert not permissions["clinician"] & {"correction", "void", "access_change", "policy_activation"}


def test_the_list_of_requirements_is_complete():
    """190 requirements, ids unique and well formed, each with title and form."""
    requirements, problems = load_requirements(SHIPPED)
    assert not problems
    assert len({requirement.id for requirement in requirements}) == len(requirements) == 190
    assert all(
        re.fullmatch(r"(S3|ER|REMS|USPI|CSA|OFF)-[A-Z0-9-]+", requirement.id) for requirement in requirements
    )
    assert all(requirement.title for requirement in requirements)


@pytest.mark.parametrize(
    ("second", "messages"),
    [
        ("2024-01-01", []),
        ("2021-03-01", ["these dates overlap"]),
        ("2019-01-01", ["these dates overlap"]),
    ],
)
def test_a_state_whose_law_changed_has_a_row_for_each_date(second, messages):
    """In the order of their dates; each from its own on."""
    text = (SHIPPED / "bundle.yaml").read_text()
    row = next(line for line in text.splitlines() if line.startswith("    TX: "))
    later = row.replace("    TX: ", "").replace("2021-03-01", second)
    two = "    TX:\n      - " + row.replace("    TX: ", "") + "\n      - " + later
    tables, problems = read_tables(read_text(text.replace(row, two), "bundle.yaml"))
    assert [problem.message for problem in problems] == messages
    if not messages:
        assert [start for start, _ in tables[2].states["TX"]] == [
            parse_date("2021-03-01"),
            parse_date(second),
        ]
