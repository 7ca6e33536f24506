"""``record`` and ``check`` with ``--format fhir``."""

from __future__ import annotations

import json
from pathlib import Path

import tests.fhir as fhir

EXAMPLES = Path(__file__).resolve().parents[1] / "vectors" / "hl7-fhir-r4"


def test_the_official_examples_go_through_the_command(clinic):
    done = clinic.process(
        "check", "--format", "fhir", "--output", "json", "--site", "S1", *sorted(EXAMPLES.glob("*.ndjson"))
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert {next(iter(one)) for one in answers} <= {"passed_over", "rejected", "source", "event"} or answers
    passed = [one["passed_over"] for one in answers if "passed_over" in one]
    assert all(one["reason"] and one["what"] for one in passed)
    assert len(answers) >= sum(path.read_bytes().count(b"\n") for path in EXAMPLES.glob("*.ndjson")) - 30


def test_a_visit_is_recorded_from_standard_input(clinic):
    raw = fhir.ndjson(fhir.visit(), fhir.pressure(), fhir.dose())
    done = clinic.run("record", "--format", "fhir", "--site", "S1", "-", stdin=raw)
    assert "2 events recorded" in done.output
    assert "1 a visit that is not over" in done.output
    again = clinic.run("record", "--format", "fhir", "--site", "S1", "-", stdin=raw)
    assert "nothing new was written" in again.output


def test_nothing_of_ours_is_no_mistake(clinic):
    done = clinic.run("check", "--format", "fhir", "-", stdin=json.dumps(fhir.resource("Goal", id="g")))
    assert done.exit_code == 0, done.output
    assert "1 passed over" in done.output


def test_who_acts_must_be_known_before_anybody_is_entered(clinic):
    raw = fhir.ndjson(fhir.visit(), fhir.dose())
    done = clinic.run("record", "--format", "fhir", "--site", "S1", "-", stdin=raw, actor=None)
    assert done.exit_code == 2
    assert "who acts is not known" in done.output
