"""SARIF reports fit the public schema, point at the right text, and tell nothing of the machine."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from compliance.errors import Place, Problem
from compliance.policy.documents import read_file
from compliance.policy.rules import read_rule
from compliance.workbench import sarif
from compliance.workbench.sarif import OF_FILES, Kind

TESTS = Path(__file__).parents[2]
BROKEN = TESTS / "policies" / "broken"
SCHEMA = json.loads((TESTS / "vectors" / "formats" / "sarif-schema-2.1.0.json").read_text())


def valid(document):
    """The document, which fits the schema, formats included."""
    again = json.loads(json.dumps(document))
    validator = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    assert [error.message for error in validator.iter_errors(again)] == []
    return again["runs"][0]


def problems_of(path, source=None):
    document = read_file(path, source)
    return document if isinstance(document, tuple) else read_rule(document)[1]


def test_the_schema_refuses_what_is_no_sarif():
    """The validation above means something."""
    for broken in ({"version": "2.1.0"}, {**sarif.document([]), "version": "2.0.0"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft4Validator(SCHEMA).validate(broken)


def test_every_kind_of_mistake_fits_the_schema(monkeypatch):
    """Each broken policy of the tests: a result for each problem, at a line of a file of the repository."""
    monkeypatch.chdir(TESTS.parent)
    problems = [problem for path in sorted(BROKEN.glob("*.yaml")) for problem in problems_of(path)]
    run = valid(sarif.document(problems))
    assert len(run["results"]) == len(problems) > 70
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"].startswith("tests/policies/broken/")
        assert place["region"]["startLine"] >= 1
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_nothing_found_is_a_log_without_results():
    """Tool, version and rules are there; a code host clears what it showed before."""
    run = valid(sarif.document([]))
    assert run["results"] == []
    driver = run["tool"]["driver"]
    assert driver["version"]
    assert [rule["id"] for rule in driver["rules"]] == [kind.code for kind in OF_FILES]
    assert all(rule["help"]["text"] for rule in driver["rules"])


def test_a_result_points_at_the_text_that_is_underlined(monkeypatch):
    """Line, first column and the column behind the last, counted in characters; message and remedy."""
    monkeypatch.chdir(TESTS.parent)
    (problem,) = problems_of(BROKEN / "unknown-parameter.yaml")
    (result,) = valid(sarif.document([problem]))["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    line = (BROKEN / "unknown-parameter.yaml").read_text().splitlines()[region["startLine"] - 1]
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == "minimum_observaton"
    assert result["message"]["text"] == (
        "The rule has no parameter 'minimum_observaton'.\nRemedy: did you mean 'minimum_observation'?"
    )
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "require"
    assert (result["ruleId"], result["level"]) == ("policy", "error")


@pytest.mark.parametrize(
    ("source", "uri", "based"),
    [
        ("rules/a b%20ü.yaml", "rules/a%20b%2520%C3%BC.yaml", True),
        ("HEAD~1:rules/a.yaml", "rules/a.yaml", True),
        ("HEAD^{/fix: x}:rules/a.yaml", "rules/a.yaml", True),
        ("{outside}/secret/a.yaml", "a.yaml", False),
    ],
)
def test_files_are_named_from_the_repositorys_top(tmp_path, monkeypatch, source, uri, based):
    """From a folder below it as well; a revision's by its path; one outside by its bare name, and never where it lies."""
    top = tmp_path / "clinic"
    (top / ".git").mkdir(parents=True)
    (top / "docs").mkdir()
    (top / "rules").mkdir()
    (top / "rules" / "a b%20ü.yaml").write_text("")
    outside = tmp_path / "secret"
    outside.mkdir()
    (outside / "a.yaml").write_text("")
    monkeypatch.chdir(top / "docs")
    named = source.format(outside=tmp_path) if source.startswith("{") else source
    if source.startswith("rules"):
        named = f"../{source}"
    run = valid(sarif.document([Problem(Place(named, 1), "x", code="yaml")]))
    where = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert (where["uri"], "uriBaseId" in where) == (uri, based)
    assert str(tmp_path) not in json.dumps(run)
    assert "region" in run["results"][0]["locations"][0]["physicalLocation"]


def test_a_problem_without_a_line_and_kinds_of_another_command():
    """A folder without bundle.yaml has no line; who reports other kinds of problem names them."""
    kinds = (*OF_FILES, Kind("never", "A condition never holds", "Delete it.", "note"))
    problems = [
        Problem(Place("bundle.yaml"), "x", code="policy"),
        Problem(Place("a.yaml", 3, 2), "y", code="never"),
    ]
    first, second = valid(sarif.document(problems, kinds))["results"]
    assert "region" not in first["locations"][0]["physicalLocation"]
    assert second["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 2}
    assert (second["level"], second["ruleIndex"]) == ("note", len(OF_FILES))
