"""Every mistake that a person makes in a policy file has a fixture, and beside it, word for word, what `policy check` says of it.

`tests/policies/broken/NAME.yaml` is the mistake, `NAME.txt` the whole answer: file, line and column, the text underlined, the remedy.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import application
from compliance.policy.bundle import load_requirements
from compliance.policy.documents import read_file
from compliance.policy.rules import read_rule

TESTS = Path(__file__).parents[2]
BROKEN = TESTS / "policies" / "broken"
SHIPPED = TESTS.parent / "policies"
NAMES = sorted(path.stem for path in BROKEN.glob("*.yaml"))
REQUIREMENTS = {requirement.id for requirement in load_requirements(SHIPPED)[0]}
IN_ORDER_BY_ITSELF = {"case-does-not-hold", "invalid-event-in-case"}
"""What is only seen when the cases are run."""


def answer(*words):
    """What the command line prints, and how it ends."""
    result = CliRunner().invoke(application, ["policy", "check", *words], env={"NO_COLOR": "1"})
    return result.output, result.exit_code


@pytest.mark.parametrize("name", NAMES)
def test_each_mistake_is_answered_word_for_word(name, monkeypatch):
    """Each once, with its place, the text and what to do; with a memory of earlier checks or without."""
    monkeypatch.chdir(BROKEN)
    expected = ((BROKEN / f"{name}.txt").read_text(encoding="utf-8"), 1)
    assert answer(f"{name}.yaml") == expected
    assert answer(f"{name}.yaml", "--no-cache") == expected


@pytest.mark.parametrize("name", NAMES)
def test_each_problem_has_a_remedy_and_shows_the_line(name):
    """A person is told what to do, and sees the text with the place underlined (where it is text at all)."""
    document = read_file(BROKEN / f"{name}.yaml", f"{name}.yaml")
    problems = document if isinstance(document, tuple) else read_rule(document, REQUIREMENTS)[1]
    assert bool(problems) is (name not in IN_ORDER_BY_ITSELF)
    for problem in problems:
        assert problem.remedy
        assert name == "not-utf8" or problem.excerpt.endswith("^")


def test_every_fixture_has_its_answer_and_every_answer_its_fixture():
    """A fixture without an expectation would test nothing."""
    assert {path.stem for path in BROKEN.glob("*.txt")} == set(NAMES)


TWICE = """\
policies/stay-two-hours.yaml:1:5: id: the id 'stay-two-hours' is taken: it stands in policies/area/stay-two-hours.yaml, line 1, too
    1 | id: stay-two-hours
      |     ^^^^^^^^^^^^^^
  remedy: give one of the two another id and file name

"""


def test_an_id_that_is_taken_is_answered_word_for_word(tmp_path, monkeypatch):
    """In the folder, and where only one of the two is named: it takes two files, so it has no fixture."""
    shutil.copytree(TESTS / "cli" / "policies", tmp_path / "policies")
    (tmp_path / "policies" / "area").mkdir()
    shutil.copy(tmp_path / "policies" / "stay-two-hours.yaml", tmp_path / "policies" / "area")
    monkeypatch.chdir(tmp_path)
    told, code = answer("policies", "--no-cache")
    assert (told, code) == (f"{TWICE}policies: 1 problem; 4 rules, 8 of 8 cases as they say\n", 1)
    told, code = answer("policies/stay-two-hours.yaml", "--no-cache")
    assert (told, code) == (
        f"{TWICE}policies/stay-two-hours.yaml: 1 problem; 1 rule, 2 of 2 cases as they say\n",
        1,
    )
