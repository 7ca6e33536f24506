"""A site's own values: stricter than the library's on every day, or refused with the reason (policy-language.md, `tighten`)."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.time import format_date, parse_date
from compliance.domain.values import SCALE
from compliance.engine.history import MemoryHistory
from compliance.engine.judging import Judge
from compliance.library import check_folder
from compliance.policy.bundle import bundle_from_documents, load_folder
from compliance.policy.documents import read_text
from compliance.policy.sites import read_site
from compliance.settings import shipped_folder
from compliance.workbench.examining import examine
from compliance.workbench.remembered import Memory
from compliance.workbench.sources import PolicyFolder
from tests.rulebook import SITE, bundle, entry, recorded, rule

FIRST = parse_date("2026-01-01")


def library(tighten: str, values: list[tuple[int, int]], limit: int | None = None):
    """One rule with one parameter; dates in days from the first of January."""
    said = {"tighten": tighten, "unit": "mg", "values": [{"from": format_date(FIRST + day), "value": value, "cites": "law"} for day, value in values]}  # fmt: skip
    if limit is not None:
        said["limit"] = limit
    return bundle(rule("a-rule", on="administration", require="event.dose_mg <= param.most", in_force={"from": "2026-01-01"}, parameters={"most": said}))  # fmt: skip


def site_file(values: str, name: str = "S1", parameter: str = "most") -> str:
    return (
        f"site: {name}\nowner: o\nreview_by: 2027-01-01\nparameters:\n  a-rule:\n    {parameter}:\n{values}"
    )


def problems(text: str, made, source: str = "S1.yaml") -> list[str]:
    return [problem.message for problem in read_site(read_text(text, source), made.rules)[2]]


def value(day: int, amount: object, until: int | None = None) -> str:
    to = "" if until is None else f", to: {format_date(FIRST + until)}"
    return f"      - {{from: {format_date(FIRST + day)}{to}, value: {amount}, cites: ours}}\n"


@pytest.mark.parametrize(
    ("tighten", "limit", "mine", "refused"),
    [
        ("up", None, 10, False), ("up", None, 11, False), ("up", None, 9, True), ("up", 5, 5, False), ("up", 5, 4, True),
        ("down", None, 10, False), ("down", None, 9, False), ("down", None, 11, True), ("down", 15, 15, False), ("down", 15, 16, True),
        ("fixed", None, 10, False), ("fixed", None, 9, True), ("fixed", None, 11, True),
    ],
)  # fmt: skip
def test_stricter_is_taken_and_looser_refused(tighten, limit, mine, refused):
    """In the parameter's own direction any value, in the other only as far as its limit."""
    found = problems(site_file(value(0, mine)), library(tighten, [(0, 10)], limit))
    assert bool(found) is refused


def test_the_refusal_says_what_holds_since_when_and_where_that_is_written():
    """And the direction in which the site may go."""
    (said,) = problems(site_file(value(0, 11)), library("down", [(0, 10)]))
    assert said == "11 mg is looser than 10 mg, which holds on 2026-01-01 (law): a site may only lower 'most'"
    (said,) = problems(site_file(value(0, 16)), library("down", [(0, 10)], 15))
    assert said == "16 mg is beyond 15 mg, as far as a site may go with 'most' (law)"
    (said,) = problems(site_file(value(0, 16)), library("fixed", [(0, 10)]))
    assert said == "'most' is fixed at 10 mg: no site may change it"


days = st.integers(0, 40)
segments = st.lists(
    st.tuples(days, st.integers(1, 6)), min_size=1, max_size=4, unique_by=lambda one: one[0]
).map(sorted)


@given(st.sampled_from(["up", "down"]), segments, segments, st.one_of(st.none(), days))
def test_a_site_file_is_refused_exactly_where_it_is_looser_on_some_day(tighten, theirs, ours, until):
    """Law, over random dates on both sides: looser on one day of its time is enough, and nothing else is."""
    theirs = [(0, theirs[0][1]), *[one for one in theirs if one[0] > 0]]
    ends = [day for day, _ in ours[1:]] + [until if until is not None and until > ours[-1][0] else None]
    made = library(tighten, theirs)
    text = "".join(value(day, amount, end) for (day, amount), end in zip(ours, ends, strict=True))

    def in_force(values, day):
        return [amount for start, amount in values if start <= day][-1:]

    def own(day):
        return [
            a
            for (start, a), end in zip(ours, ends, strict=True)
            if start <= day and (end is None or day < end)
        ]

    looser = any(
        (mine < law if tighten == "up" else mine > law)
        for day in range(60)
        for mine in own(day)
        for law in in_force(theirs, day)
    )
    found = problems(site_file(text), made)
    assert bool(found) is looser
    site, values, _ = read_site(read_text(site_file(text), "S1.yaml"), made.rules)

    sited = replace(made, sites={site: values})
    for day in range(60):
        expected = (own(day) or in_force(theirs, day))[0]
        assert sited.parameters(made.rules[0], FIRST + day, "S1") == {"most": expected * SCALE}
        assert sited.parameters(made.rules[0], FIRST + day, "S2") == {
            "most": in_force(theirs, day)[0] * SCALE
        }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (site_file(value(0, 9), name="S2"), "the site is 'S2', but the file is called 'S1'"),
        (site_file(value(0, 9)).replace("a-rule", "a-rul"), "there is no rule 'a-rul'"),
        (site_file(value(0, 9), parameter="mots"), "'a-rule' has no parameter 'mots'"),
        (site_file(value(0, "2h")), "'most' cannot have this value"),
        (site_file("").rstrip() + " []\n", "'most' must be a list of dated values, not a list"),
        (site_file(value(5, 9) + value(3, 8)), "these dates overlap"),
        (site_file(value(0, 9, 30) + value(10, 8)), "these dates overlap"),
        (site_file(value(0, -3)), "'most' cannot have this value"),
        (site_file(value(5, 9, 5)), "it would end on 2026-01-06, before it begins"),
        ("site: S1\nowner: o\nreview_by: 2027-01-01\nparameters: {}\n", "'parameters' must be a group, not empty"),
        (site_file(value(0, 9)).replace("owner: o\n", ""), "a site's policy has no 'owner'"),
        (site_file(value(0, 9)).replace(", cites: ours", ""), "a site's value has no 'cites'"),
        ("[]", "a site's policy must be a group of fields, not a list"),
    ],
)  # fmt: skip
def test_each_mistake_in_a_sites_file_is_told(text, said):
    """What is wrong, and what to do."""
    made = library("down", [(0, 10)])
    found = read_site(read_text(text, "S1.yaml"), made.rules)[2]
    assert said in [problem.message for problem in found]
    assert all(problem.remedy for problem in found)


def plain(tmp_path: Path) -> Path:
    made = tmp_path / "policies"
    (made / "spravato-rems").mkdir(parents=True)
    for name in ("bundle.yaml", "requirements.yaml", "spravato-rems/rems-monitor-2h.yaml"):
        shutil.copy(shipped_folder("policies") / name, made / name)
    return made


def folder(tmp_path: Path, minutes: str) -> Path:
    """One of the shipped rules with the shipped tables, and a site's values for it."""
    made = plain(tmp_path)
    (made / "sites").mkdir()
    (made / "sites" / "CASE-SITE.yaml").write_text(
        "site: CASE-SITE\nowner: o\nreview_by: 2027-01-01\nparameters:\n  rems-monitor-2h:\n    minimum_observation:\n"
        f"      - {{from: 2026-01-01, value: {minutes}, cites: ours}}\n",
        encoding="utf-8",
    )
    return made


@pytest.mark.parametrize(("amount", "taken"), [("10", True), ("10.5", False)])
def test_whole_months_stay_whole(amount, taken):
    """Half a month has no date: it would make the rule undecidable every night."""
    said = {
        "tighten": "down",
        "unit": "month",
        "values": [{"from": "2026-01-01", "value": 24, "cites": "law"}],
    }
    made = bundle(rule("a-rule", on="administration", require="event.dose_mg <= 1 || param.most > 1", in_force={"from": "2026-01-01"}, parameters={"most": said}))  # fmt: skip
    assert (problems(site_file(value(0, amount)), made) == []) is taken


def test_a_file_of_a_site_is_checked_alone_and_with_its_folder(tmp_path):
    """`policy check` of the file and of the folder say the same, each with its place; the library's own cases stay as they are."""
    made = folder(tmp_path, "1h")
    file = made / "sites" / "CASE-SITE.yaml"
    (examined,) = examine([PolicyFolder(file)], "2026-11-22", Memory(None))
    (alone,) = examined.problems
    bundle_, of_folder = load_folder(made)
    assert bundle_ is None
    assert list(of_folder) == [alone]
    assert (alone.place.source, alone.place.line) == (str(file), 7)


def test_sites_are_part_of_the_bundle_and_of_its_digest(tmp_path):
    """Stored and made again they are the same; a bundle without any has the digest that it always had."""
    library_only, _ = load_folder(plain(tmp_path / "plain"))
    sited, found = load_folder(folder(tmp_path, "2h30m"))
    assert found == ()
    assert library_only.digest != sited.digest
    again = bundle_from_documents(sited.documents)
    assert (again.digest, again.sites) == (sited.digest, sited.sites)
    assert "sites" not in library_only.documents
    outside, _ = load_folder(tmp_path / "plain" / "policies", tmp_path / "policies" / "sites")
    assert outside.digest == sited.digest


def test_an_event_is_judged_by_the_values_of_its_own_site():
    """Ten milligrams pass where ten are allowed, and fail where the clinic allows nine; each decision's case says which."""
    made = library("down", [(0, 10)])

    site, values, _ = read_site(read_text(site_file(value(0, 9)), "S1.yaml"), made.rules)
    judge = Judge(replace(made, sites={site: values}))
    outcome = {}
    for name in ("S1", "S2"):
        dose = entry("administration", "09:00", id=f"dose-{name}", site=name, dose_mg="10")
        history = MemoryHistory(recorded([SITE, {**SITE, "id": f"p-{name}", "site": name}, dose]))
        outcome[name] = str(judge.judge(history.stands(f"dose-{name}"), history).decision.verdict)
    assert outcome == {"S1": "violation", "S2": "compliant"}


def test_the_examples_of_rules_show_the_librarys_own_values(tmp_path):
    """A site that is stricter does not make the shipped cases fail, even where they are set at a site of that name."""
    made = folder(tmp_path, "9h")
    checked = check_folder(made)
    assert checked.problems == ()
    assert checked.failed == ()
    assert checked.passed > 5
