"""Every requirement of the registers is accounted for: by rules, by properties of the software with their tests, by attestations."""

from __future__ import annotations

import ast
from functools import cache, lru_cache
from pathlib import Path

import pytest

from cli.policy_book import book
from compliance.accounting import Account, accounts, form_of
from compliance.policy.bundle import load_requirements
from compliance.settings import shipped_folder
from tests.rulebook import bundle, rule, shipped

ROOT = Path(__file__).parents[2]
REQUIREMENTS, PROBLEMS = load_requirements(shipped_folder("policies"))


@lru_cache(maxsize=1)
def every() -> dict[str, Account]:
    return {one.requirement.id: one for one in accounts(REQUIREMENTS, shipped().rules)}


def test_the_list_has_all_requirements():
    """A hundred and ninety, each once, and nothing wrong with the file."""
    assert PROBLEMS == ()
    assert len({one.id for one in REQUIREMENTS}) == 190


@pytest.mark.parametrize("name", [one.id for one in REQUIREMENTS])
def test_something_keeps(name):
    """No requirement is left out."""
    assert every()[name].kept


@cache
def defined_tests(file: str) -> frozenset[str]:
    """The tests that a file defines and that assert something."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(part, ast.Assert | ast.With) for part in ast.walk(node))
    )


@pytest.mark.parametrize(
    ("name", "test"),
    [(one.id, test) for one in REQUIREMENTS for kept in one.properties for test in kept.tests],
)
def test_a_property_of_the_software_is_proved_by_a_test_that_there_is(name, test):
    """A named test, of this repository, that asserts something."""
    file, _, function = test.partition("::")
    assert function in defined_tests(file), name


def test_a_rule_is_of_the_form_in_which_it_is_judged():
    """On events, with a deadline, every night, or as a declaration that goes stale."""
    declared = {"latest": "attestation", "by": ["site"]}
    made = bundle(
        rule("a", on="discharge", require="true"),
        rule("b", on="discharge", expect={"event": "monitoring_form", "due": "event.occurred_at"}),
        nightly("c", {}),
        nightly("d", {"said": declared}),
    )
    assert [form_of(one) for one in made.rules] == ["rule", "deadline", "standing", "attestation"]


def nightly(name: str, given: dict[str, object]) -> dict[str, object]:
    cases = [{"name": "any", "event": {"kind": "site_profile"}, "expect": "pass"}]
    document = rule(
        name, on="x", every="night", per={"each": "site_profile"}, given=given, require="true", cases=cases
    )
    del document["on"]
    return document


def test_what_nothing_keeps_is_seen():
    """A requirement without rule or property is not kept, whatever others are."""
    made = accounts(REQUIREMENTS, [])
    assert {one.requirement.id for one in made if one.kept} == {
        one.id for one in REQUIREMENTS if one.properties
    }


def test_the_book_of_policies_is_that_of_the_files():
    """docs/policies.md is made by `make policies-book`; whoever changes a rule makes it anew."""
    assert (ROOT / "docs" / "policies.md").read_text(encoding="utf-8") == book(tuple(every().values()))
