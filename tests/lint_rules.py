"""Folders of policies with rules of a test alone, for the tests of lint."""

from __future__ import annotations

import shutil

from tests.cli.conftest import POLICIES, lines

RULE = """id: {id}
title: A rule of the tests, not of any law
implements: [{keeps}]
cites:
  - {{source: none, read: 2026-11-22}}
in_force: {{from: {start}{end}}}
owner: tests
review_by: 2099-11-22

{body}
otherwise:
  severity: {severity}
  override: never
  message: {message}
  remedy: None.

cases:
{cases}"""
CASES = """  - name: taken
    event: {kind: discharge, devices_taken: 4, occurred_at: '2026-03-02T11:06-06:00'}
    expect: fail
"""
NOBODY = CASES.replace("devices_taken: 4", "departure_mode: escort, disposition: home, devices_taken: 4")
ON = "on: discharge\n"
STAY = """parameters:
  least:
    tighten: up
    values:
      - {{from: 2019-01-01, value: 2h, cites: none}}
on: discharge
given:
  dose: {{latest: administration, by: [session]}}
when: dose != null
require: discharge.occurred_at - dose.completed_at >= {least}
"""
SITE = """site: S1
owner: tests
review_by: 2099-01-01
parameters:
  r:
    least:
      - {{from: 2026-03-01, to: 2026-05-01, value: 3h, cites: none}}
      - {{from: {start}, value: 4h, cites: none}}
"""


class Rules:
    """A folder of policies with rules of the test alone."""

    def __init__(self, folder):
        self.folder = folder
        for file in POLICIES.glob("*.yaml"):
            if file.name == "bundle.yaml":
                shutil.copy2(file, folder / file.name)

    def rule(
        self,
        name,
        body,
        *,
        start="2019-01-01",
        end="",
        severity="deny",
        message="No.",
        cases=CASES,
        keeps="X-TEST",
    ):
        file = self.folder / f"{name}.yaml"
        until = f", to: {end}" if end else ""
        file.write_text(
            RULE.format(
                id=name,
                body=body,
                start=start,
                end=until,
                severity=severity,
                message=message,
                cases=cases,
                keeps=keeps,
            )
        )
        return file


def told(clinic, rules, *words):
    """The codes that a lint gives, and its text."""
    result = clinic.run("policy", "lint", rules.folder, *words)
    found = lines(clinic.run("policy", "lint", rules.folder, *words, "--output", "json"))
    codes = [one["code"] for one in found if "code" in one]
    assert result.exit_code == int(bool(codes)), result.output
    return codes, result.stdout
