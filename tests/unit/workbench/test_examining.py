"""Checking file by file finds what checking the whole folder finds, from the memory or not, in one process or several."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.library import as_problem, check_folder
from compliance.policy import documents
from compliance.processes import Answer, Processes, Task
from compliance.settings import shipped_folder
from compliance.workbench import crew, rule_check
from compliance.workbench.examining import examine
from compliance.workbench.remembered import Memory
from compliance.workbench.sources import PolicyFolder

SMALL = Path(__file__).parents[2] / "cli" / "policies"
SHIPPED = shipped_folder("policies")
TODAY = "2026-11-22"
SITE = (
    "site: SITE-B\nowner: o\nreview_by: 2099-01-01\nparameters:\n  stay-two-hours:\n    minimum_observation:\n"
    "      - {from: 2026-01-01, value: 3h, cites: ours}\n"
)


@pytest.fixture
def folder(tmp_path):
    """A small library, to be broken."""
    return Path(shutil.copytree(SMALL, tmp_path / "policies"))


def check(*paths, file=None, today=TODAY):
    return list(examine([PolicyFolder(path) for path in paths], today, Memory(file)))


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


CHANGES = (
    ("stay-two-hours.yaml", "severity: deny", "severity: denny"),
    ("stay-two-hours.yaml", "expect: fail", "expect: pass"),
    ("stay-two-hours.yaml", "review_by: 2099-11-22", "review_by: 2026-01-01"),
    ("stay-two-hours.yaml", "id: stay-two-hours", "id: escort-home"),
    ("stay-two-hours.yaml", "parameters:", "\tparameters:"),
    ("stay-two-hours.yaml", "tighten: up", "tighten: fixed"),
    ("escort-home.yaml", "owner:", "ownr:"),
    ("escort-home.yaml", "cases:", "cases: []\nold:"),
    ("form-in-seven-days.yaml", "on: administration", "on: administation"),
    ("bundle.yaml", "drugs:", "drug:"),
    ("bundle.yaml", "is_rems: true", "is_rems: false"),
    ("sites/SITE-B.yaml", "value: 3h", "value: 1h"),
    ("sites/SITE-B.yaml", "stay-two-hours", "stay-three-hours"),
    ("sites/SITE-B.yaml", "site: SITE-B", "site: SITE-C"),
    ("sites/SITE-B.yaml", "owner: o", "owner: p"),
)


@given(st.lists(st.sampled_from(CHANGES), max_size=3, unique=True), st.booleans(), st.booleans())
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
def test_it_finds_something_exactly_where_the_whole_check_does(tmp_path_factory, changes, doubled, sited):
    """And all that the whole check finds where its files can be read: same place, same words; from the memory the same again."""
    made = tmp_path_factory.mktemp("made")
    folder = Path(shutil.copytree(SMALL, made / "policies"))
    (folder / "sites").mkdir()
    if sited:
        (folder / "sites" / "SITE-B.yaml").write_text(SITE)
    if doubled:
        (folder / "area").mkdir()
        shutil.copy(folder / "escort-home.yaml", folder / "area")
    check(folder, file=made / "memory")
    for name, old, new in changes:
        path = folder / name
        if path.exists() and old in path.read_text():
            change(path, old, new)
    whole = check_folder(folder, TODAY)
    (found,) = check(folder)
    theirs = {str(problem) for problem in (*whole.problems, *map(as_problem, whole.failed))}
    ours = {str(problem) for problem in found.problems}
    assert bool(ours) is bool(theirs)
    if whole.bundle is None:
        assert theirs <= ours
    else:  # where every file can be read, exactly the same; a failed case is underlined too
        assert {one.splitlines()[-1] for one in ours} == {one.splitlines()[-1] for one in theirs}
        assert (found.cases, found.passed) == (len(whole.results), whole.passed)
    for _ in range(2):
        (again,) = check(folder, file=made / "memory")
        assert {str(problem) for problem in again.problems} == ours


def test_a_case_that_does_not_hold_does_not_hide_what_a_site_says(tmp_path):
    """A table that breaks a case, and a site's value that is no longer allowed: both are told at once."""
    folder = Path(shutil.copytree(SMALL, tmp_path / "policies"))
    (folder / "sites").mkdir()
    (folder / "sites" / "SITE-B.yaml").write_text(SITE)
    change(folder / "bundle.yaml", "is_rems: true", "is_rems: false")
    change(folder / "stay-two-hours.yaml", "tighten: up", "tighten: fixed")
    (found,) = check(folder)
    assert {problem.code for problem in found.problems} == {"case", "policy"}


def test_one_broken_file_does_not_keep_the_cases_of_others_from_being_run(folder):
    """The whole check stops there; this one goes on."""
    change(folder / "escort-home.yaml", "owner:", "ownr:")
    change(folder / "stay-two-hours.yaml", "expect: fail", "expect: pass")
    (found,) = check(folder)
    assert {problem.code for problem in found.problems} == {"policy", "case"}
    assert (found.rules, found.cases, found.passed) == (2, 4, 3)


def test_problems_come_in_the_order_of_the_files(folder):
    """Whatever was found first."""
    for name in ("stay-two-hours", "form-in-seven-days", "escort-home"):
        change(folder / f"{name}.yaml", "owner:", "ownr:")
    (found,) = check(folder)
    names = [Path(problem.place.source).stem for problem in found.problems]
    assert names == sorted(names)


def test_files_of_one_folder_share_one_reading_of_what_they_rest_on(folder, monkeypatch):
    """However many are named: bundle.yaml is parsed once to be checked and once to be used."""
    read = []
    original = documents.read_bytes
    monkeypatch.setattr(
        rule_check,
        "read_bytes",
        lambda content, name: read.append(Path(name).name) or original(content, name),
    )
    rules = sorted(folder.glob("*-*.yaml"))
    (found,) = check(*rules)
    assert (found.name, found.rules, found.problems) == (str(folder), 3, ())
    assert 1 <= read.count("bundle.yaml") <= 2


def test_each_folder_that_was_named_is_told_by_itself(folder, tmp_path):
    """Files by their folder, in the order in which they were named; one file by its own name."""
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    alone = tmp_path / "alone" / "escort-home.yaml"
    alone.parent.mkdir()
    shutil.copy(folder / "escort-home.yaml", alone)
    found = check(other / "escort-home.yaml", folder, alone, folder / "escort-home.yaml")
    assert [(one.name, one.rules) for one in found] == [
        (str(other / "escort-home.yaml"), 1), (str(folder), 3), (str(alone), 1),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["bundle.yaml", "requirements.yaml"])
def test_what_all_rules_rest_on_stands_for_the_folder(folder, name):
    """Where it is named, all rules are checked: their cases rest on it."""
    (folder / "requirements.yaml").write_text("requirements: []\n")
    (found,) = check(folder / name)
    assert found.name == str(folder / name)
    assert [problem.message for problem in found.problems] == [
        f"there is no requirement '{one}'" for one in ("USPI-NO-DRIVE", "REMS-PMF-7D", "REMS-MONITOR-2H")
    ]


def test_a_folder_without_a_bundle_is_told_once_and_runs_no_case(folder):
    """The rules are read all the same."""
    (folder / "bundle.yaml").unlink()
    change(folder / "escort-home.yaml", "owner:", "ownr:")
    (found,) = check(folder)
    assert not found.judged
    assert [problem.message for problem in found.problems] == [
        "this folder has no bundle.yaml", "a rule has no field 'ownr'",
    ]  # fmt: skip


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_problem(folder):
    """With the system's reason."""
    (folder / "escort-home.yaml").chmod(0)
    (found,) = check(folder)
    assert "this file cannot be read" in found.problems[0].message


def test_a_link_that_leads_nowhere_is_a_problem(folder):
    """As any file that cannot be opened."""
    (folder / "gone.yaml").symlink_to(folder / "nowhere.yaml")
    (found,) = check(folder)
    assert [problem.message for problem in found.problems] == [
        "this file cannot be read: No such file or directory"
    ]


class TestSites:
    """The values of single sites are held against the rules that they name."""

    @pytest.fixture
    def sited(self, folder):
        (folder / "sites").mkdir()
        (folder / "sites" / "SITE-B.yaml").write_text(SITE)
        return folder

    def test_a_changed_rule_is_held_against_them_again(self, sited, tmp_path):
        """A library that became stricter than a site: found in the folder, and where only the rule is named."""
        memory = tmp_path / "memory"
        assert check(sited, file=memory)[0].problems == ()
        change(sited / "stay-two-hours.yaml", "value: 2h", "value: 4h")
        change(sited / "stay-two-hours.yaml", "11:06", "13:06")
        for asked in (sited, sited / "stay-two-hours.yaml", sited / "sites" / "SITE-B.yaml"):
            (found,) = check(asked, file=memory)
            (problem,) = found.problems
            assert problem.message.startswith("3 h 0 min is looser than 4 h 0 min")
        assert check(sited / "escort-home.yaml", file=memory)[0].problems == ()

    def test_rules_that_they_do_not_name_are_not_read_for_them(self, sited, monkeypatch):
        """Of hundreds of rules a site speaks of a few."""
        read = []
        original = documents.read_bytes
        monkeypatch.setattr(
            rule_check,
            "read_bytes",
            lambda content, name: read.append(Path(name).name) or original(content, name),
        )
        assert check(sited / "sites" / "SITE-B.yaml")[0].problems == ()
        assert {"escort-home.yaml", "form-in-seven-days.yaml"}.isdisjoint(read)

    def test_a_rule_that_cannot_be_read_is_told_instead_of_a_false_word_on_the_site(self, sited):
        """The site names a rule that is there, and broken."""
        change(sited / "stay-two-hours.yaml", "owner:", "ownr:")
        (found,) = check(sited / "sites" / "SITE-B.yaml")
        assert {problem.place.source for problem in found.problems} == {str(sited / "stay-two-hours.yaml")}


@pytest.fixture
def many(tmp_path):
    """A dozen and more of the shipped rules, some of them broken."""
    folder = tmp_path / "many"
    folder.mkdir()
    for name in ("bundle.yaml", "requirements.yaml"):
        shutil.copy(SHIPPED / name, folder)
    for file in sorted((SHIPPED / "spravato-rems").glob("*.yaml"))[:18]:
        shutil.copy(file, folder)
    for number, file in enumerate(sorted(folder.glob("*-*.yaml"))):
        if number % 5 == 0:
            change(file, "owner:", "ownr:")
        if number % 5 == 3:
            change(file, "expect: pass", "expect: fail")
    return folder


def spread_thin(monkeypatch):
    """As if there were two cores, and eight rules worth a process."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(rule_check, "WORTH_A_PROCESS", 8)


def test_several_processes_find_what_one_finds(many, monkeypatch):
    """The same problems in the same order, the same numbers."""
    spread_thin(monkeypatch)
    (spread,) = check(many)
    monkeypatch.setattr(rule_check, "WORTH_A_PROCESS", 10_000)
    (single,) = check(many)
    assert len(single.problems) >= 7
    assert spread == single


class Killed(Processes[Task, Answer]):
    """Processes that are killed when they have given three answers."""

    def in_order(self, tasks):
        for number, answered in enumerate(super().in_order(tasks)):
            if number == 3:
                for process in multiprocessing.active_children():
                    os.kill(process.pid, signal.SIGKILL)
            yield answered


def test_a_process_that_is_killed_loses_no_answer(many, monkeypatch):
    """What it did not answer is done by the one who waits."""
    spread_thin(monkeypatch)
    monkeypatch.setattr(crew, "Processes", Killed)
    (found,) = check(many)
    assert multiprocessing.active_children() == []
    assert found.problems == check_in_one(many, monkeypatch)


def check_in_one(folder, monkeypatch):
    monkeypatch.setattr(rule_check, "WORTH_A_PROCESS", 10_000)
    return check(folder)[0].problems


def test_the_shipped_library_is_in_order_by_this_check_too(monkeypatch):
    """A sample of its areas, file by file."""
    files = sorted((SHIPPED / "off-label").glob("*.yaml"))[:12]
    (found,) = check(*files)
    assert (found.problems, found.rules) == ((), len(files))
