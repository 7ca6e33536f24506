"""The hooks, through a real `pre-commit run` in a scratch repository."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

import jsonschema
import pytest
from ruamel.yaml import YAML

from tests.cli.conftest import POLICIES, ROOT
from tests.repositories import Repository, environment

HOOKS = ROOT / ".pre-commit-hooks.yaml"
FORMATS = ROOT / "tests" / "vectors" / "formats"


@dataclass(frozen=True)
class Scratch:
    """A clinic's repository with the hooks of this one."""

    repository: Repository
    environment: dict[str, str]

    @property
    def path(self):
        return self.repository.path

    def run(self, hook, *words):
        """Stage everything and run a hook over what changed, as a commit would."""
        self.repository.git("add", "--all")
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", hook, "--color", "never", *words],
            cwd=self.path, env=self.environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    def change(self, old, new, name="policies/stay-two-hours.yaml"):
        path = self.path / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        return path


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A repository that holds nothing but a copy of our hooks, a `compliance` on the path, and pre-commit's own store."""
    folder = tmp_path_factory.mktemp("hooks")
    hooks = Repository.made(folder / "hooks")
    shutil.copy(HOOKS, hooks.path)
    rev = hooks.commit()
    program = folder / "bin" / "compliance"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -c "from cli.main import main; main()" "$@"\n'
    )
    program.chmod(0o755)
    env = environment(PRE_COMMIT_HOME=str(folder / "store"), COMPLIANCE_CACHE=str(folder / "cache"))
    env["PATH"] = f"{program.parent}:{env['PATH']}"
    return hooks.path, rev, env


@pytest.fixture
def scratch(prepared, tmp_path):
    """A clinic's repository: a small library in policies/, other YAML beside it, the three hooks."""
    hooks, rev, env = prepared
    repository = Repository.made(tmp_path / "clinic")
    shutil.copytree(POLICIES, repository.path / "policies")
    (repository.path / "rooms.yaml").write_text("rooms: [1, 2, \t3\n")
    ids = [hook["id"] for hook in YAML(typ="safe").load(HOOKS)]
    config = {"repos": [{"repo": str(hooks), "rev": rev, "hooks": [{"id": name} for name in ids]}]}
    (repository.path / ".pre-commit-config.yaml").write_text(json.dumps(config))
    repository.commit()
    return Scratch(repository, env)


def test_the_hooks_file_is_what_pre_commit_reads():
    """It fits the public schema of such files, and each hook is a command of this software with the software that judges."""
    hooks = YAML(typ="safe").load(HOOKS)
    jsonschema.validate(hooks, json.loads((FORMATS / "pre-commit-hooks.schema.json").read_text()))
    assert [hook["id"] for hook in hooks] == [
        f"compliance-policy-{name}" for name in ("check", "fmt", "diff")
    ]
    assert {hook["language"] for hook in hooks} == {"system"}
    for hook in hooks:
        assert hook["entry"].split()[:3] == ["compliance", "policy", hook["id"].rpartition("-")[2]]


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        ("policies/x.yaml", True),
        ("clinic/policies/area/x.yaml", True),
        ("policies/sites/SITE-B.yaml", True),
        ("my-policies/x.yaml", False),
        ("policies/.hidden.yaml", False),
        ("policies/.cache/x.yaml", False),
        ("policies/readme.md", False),
        (".github/workflows/x.yaml", False),
    ],
)
def test_the_hooks_look_at_policy_files(path, fits):
    """By name alone: what lies below a folder `policies` and is not hidden."""
    for hook in YAML(typ="safe").load(HOOKS):
        assert bool(re.search(hook["files"], path)) is fits


def test_a_clean_library_passes(scratch):
    """All files, and a change that keeps all in order."""
    done = scratch.run("compliance-policy-check", "--all-files")
    assert (done.returncode, "Passed" in done.stdout) == (0, True), done.stdout
    scratch.change("owner: medical director", "owner: clinical lead")
    assert scratch.run("compliance-policy-check").returncode == 0


def test_a_broken_rule_fails_with_its_message(scratch):
    """File, line and column, the text underlined, the remedy."""
    scratch.change("severity: deny", "severity: denny")
    done = scratch.run("compliance-policy-check")
    assert done.returncode == 1
    assert (
        "policies/stay-two-hours.yaml:23:13: otherwise.severity: 'severity' cannot be 'denny'" in done.stdout
    )
    assert "^^^^^" in done.stdout
    assert "did you mean 'deny'?" in done.stdout


def test_a_case_that_does_not_hold_fails(scratch):
    """What was expected, what came out, and what decided."""
    scratch.change("expect: fail", "expect: pass")
    done = scratch.run("compliance-policy-check")
    assert done.returncode == 1
    assert "pass expected, fail came out" in done.stdout
    assert "discharge.occurred_at - dose.completed_at is 1 h 0 min" in done.stdout


def test_what_rests_on_a_changed_bundle_is_checked(scratch):
    """A drug that is no longer on the list breaks the rules that speak of it, though none of them changed."""
    scratch.run("compliance-policy-check", "--all-files")
    scratch.change("is_rems: true", "is_rems: false", "policies/bundle.yaml")
    done = scratch.run("compliance-policy-check")
    assert done.returncode == 1
    assert "policies/stay-two-hours.yaml" in done.stdout


def test_a_file_that_is_no_policy_is_passed_over(scratch):
    """By its name, or because no bundle.yaml is above it and our schema not in its first line."""
    scratch.change("rooms", "places", "rooms.yaml")
    done = scratch.run("compliance-policy-check")
    assert (done.returncode, "Skipped" in done.stdout) == (0, True)
    others = scratch.path / "network" / "policies"
    others.mkdir(parents=True)
    (others / "firewall.yaml").write_text("kind: NetworkPolicy\nspec: {}\n")
    done = scratch.run("compliance-policy-check", "--verbose")
    assert (done.returncode, "Passed" in done.stdout, "firewall" in done.stdout) == (0, True, False), (
        done.stdout
    )


def test_a_rule_outside_of_any_library_is_checked_where_it_names_our_schema(scratch):
    """On the tables that ship with the software."""
    alone = scratch.path / "other" / "policies"
    alone.mkdir(parents=True)
    text = (scratch.path / "policies" / "escort-home.yaml").read_text()
    line = "# yaml-language-server: $schema=../schema/policy.v1.json\n"
    (alone / "escort-home.yaml").write_text(line + text.replace("expect: pass", "expect: fail", 1))
    assert scratch.run("compliance-policy-check").returncode == 1


def test_a_misformatted_file_is_rewritten_and_fails(scratch):
    """pre-commit fails where a hook changed a file; the second time all is well."""
    scratch.run("compliance-policy-fmt", "--all-files")
    scratch.repository.commit()
    path = scratch.path / "policies" / "stay-two-hours.yaml"
    formatted = path.read_text()
    scratch.change("owner: ", "owner:    ")
    done = scratch.run("compliance-policy-fmt")
    assert (done.returncode, "files were modified" in done.stdout) == (1, True), done.stdout
    assert path.read_text() == formatted
    assert scratch.run("compliance-policy-fmt", "--all-files").returncode == 0


def test_the_change_in_meaning_is_printed_and_never_fails_a_commit(scratch):
    """Against HEAD, also where the change is grave."""
    scratch.change("severity: deny", "severity: report")
    scratch.change(">= param.minimum_observation", "> param.minimum_observation")
    done = scratch.run("compliance-policy-diff")
    assert (done.returncode, "stay-two-hours" in done.stdout) == (0, True), done.stdout
    assert "as a whole: looser" in done.stdout or "as a whole: both" in done.stdout


def test_a_file_that_is_no_policy_is_not_laid_out(scratch):
    """Somebody else's YAML in a folder of that name stays as it is."""
    others = scratch.path / "network" / "policies"
    others.mkdir(parents=True)
    file = others / "firewall.yaml"
    file.write_text("kind:   NetworkPolicy\nspec:    {}\n")
    done = scratch.run("compliance-policy-fmt", "--all-files")
    assert file.read_text() == "kind:   NetworkPolicy\nspec:    {}\n"
    assert "firewall" not in done.stdout
