"""``compliance policy fmt`` and ``compliance policy new``."""

from __future__ import annotations

import os
import re
import shutil
from itertools import count
from pathlib import Path

import pytest

from compliance.policy.bundle import load_folder
from compliance.policy.documents import read_file
from compliance.policy.file_kinds import RULE
from compliance.policy.layout import formatted
from compliance.workbench.examining import examine
from compliance.workbench.formatting import schema_address
from compliance.workbench.remembered import Memory
from compliance.workbench.sources import PolicyFolder
from tests.cli.conftest import POLICIES, ROOT, lines

UNTIDY = "b:   1   # one\na: 'x'\n"
TIDY = "b: 1  # one\na: x\n"


@pytest.fixture
def folder(tmp_path):
    """A file out of order, one in order, one that does not parse, and one that nobody reads."""
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "untidy.yaml").write_text(UNTIDY)
    (tmp_path / "tidy.yaml").write_text(TIDY)
    (tmp_path / "broken.yaml").write_text("a: [1\n")
    (tmp_path / ".hidden.yaml").write_text(UNTIDY)
    return tmp_path


def problems_of(file):
    """What `policy check` has to say of a file among those of its folder."""
    (found,) = examine([PolicyFolder(file)], "2026-11-22", Memory(None))
    return found.problems


def test_files_are_laid_out_and_the_broken_one_is_told(clinic, folder):
    """What can be laid out is; what does not parse is left alone and reported with its place."""
    result = clinic.run("policy", "fmt", folder)
    assert result.exit_code == 1
    assert str(folder / "below" / "untidy.yaml") in result.stdout
    assert "broken.yaml:" in result.stdout
    assert "remedy:" in result.stdout
    assert "1 file laid out, 1 in order already, 1 left alone" in result.stderr
    assert (folder / "below" / "untidy.yaml").read_text() == TIDY
    assert (folder / "broken.yaml").read_text() == "a: [1\n"
    assert (folder / ".hidden.yaml").read_text() == UNTIDY
    assert clinic.run("policy", "fmt", folder / "below", folder / "tidy.yaml").exit_code == 0


def test_check_and_diff_write_nothing(clinic, folder):
    """They list what would change and exit 1; where nothing would, 0."""
    file = folder / "below" / "untidy.yaml"
    result = clinic.run("policy", "fmt", "--check", file, folder / "tidy.yaml")
    assert (result.exit_code, result.stdout) == (1, f"{file}\n")
    shown = clinic.run("policy", "fmt", "--diff", file)
    assert shown.exit_code == 1
    assert shown.stdout.endswith("-b:   1   # one\n-a: 'x'\n+b: 1  # one\n+a: x\n")
    assert lines(clinic.run("policy", "fmt", "--check", "--output", "json", file, folder / "tidy.yaml")) == [
        {"file": str(file), "changed": True},
        {"file": str(folder / "tidy.yaml"), "changed": False},
    ]
    assert file.read_text() == UNTIDY
    assert clinic.run("policy", "fmt", "--check", folder / "tidy.yaml").exit_code == 0


def test_a_file_keeps_its_permissions_and_a_link_stays_a_link(clinic, folder):
    """The file is replaced whole, at the place that a link names."""
    file, link = folder / "below" / "untidy.yaml", folder / "link.yaml"
    file.chmod(0o640)
    link.symlink_to(file)
    assert clinic.run("policy", "fmt", link).exit_code == 0
    assert link.is_symlink()
    assert file.read_text() == TIDY
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(one.name for one in (folder / "below").iterdir()) == ["untidy.yaml"]


def test_standard_input_for_editors(clinic):
    """Text in, text out; where it does not parse, words on standard error and nothing else."""
    result = clinic.run("policy", "fmt", "-", stdin=UNTIDY)
    assert (result.exit_code, result.stdout) == (0, TIDY)
    broken = clinic.run("policy", "fmt", "-", stdin="a: [1\n")
    assert (broken.exit_code, broken.stdout) == (1, "")
    assert "<stdin>:" in broken.stderr


@pytest.mark.parametrize("words", [(), ("-", "x.yaml"), ("-", "--check"), ("nowhere.yaml",)])
def test_a_call_that_names_nothing_is_wrong(clinic, words):
    """The shipped library is never rewritten by leaving out the names."""
    assert clinic.run("policy", "fmt", *words).exit_code == 2


def test_the_first_line_names_the_schema(clinic, tmp_path):
    """By its way from the file; added, put right, left alone where there is none to name, or where it is an address."""
    shutil.copytree(POLICIES, tmp_path / "mine" / "policies")
    shutil.copytree(ROOT / "policies" / "schema", tmp_path / "mine" / "policies" / "schema")
    (tmp_path / "mine" / "tests").mkdir()
    cases = tmp_path / "mine" / "tests" / "cases.yaml"
    cases.write_text("# said\nversion: 1\ncases: []\n")
    rule = tmp_path / "mine" / "policies" / "stay-two-hours.yaml"
    rule.write_text("# yaml-language-server: $schema=../wrong.json\n" + rule.read_text())
    assert clinic.run("policy", "fmt", tmp_path / "mine").exit_code == 0
    assert cases.read_text().splitlines()[:3] == [
        "# yaml-language-server: $schema=../policies/schema/cases.v1.json", "# said", "version: 1",
    ]  # fmt: skip
    assert rule.read_text().startswith("# yaml-language-server: $schema=schema/policy.v1.json\nid: ")
    assert schema_address(Path("/nowhere/at/all.yaml"), RULE) is None
    lone = tmp_path / "lone.yaml"
    lone.write_text("# yaml-language-server: $schema=https://example.org/p.json\nid: lone\n")
    assert clinic.run("policy", "fmt", "--check", lone).exit_code == 0


def test_laying_out_changes_no_digest(clinic, tmp_path):
    """A bundle is what its documents say."""
    folder = tmp_path / "policies"
    shutil.copytree(POLICIES, folder)
    before, _ = load_folder(folder)
    assert clinic.run("policy", "fmt", folder).exit_code == 0
    after, problems = load_folder(folder)
    assert not problems
    assert after.digest == before.digest


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A library of few files: the requirements and two rules that ship."""
    folder = tmp_path_factory.mktemp("library") / "policies"
    shutil.copytree(ROOT / "policies" / "schema", folder / "schema")
    (folder / "rems").mkdir()
    for name in ("bundle.yaml", "requirements.yaml"):
        shutil.copy(ROOT / "policies" / name, folder / name)
    for name in ("rems-monitor-2h.yaml", "rems-pmf-7d.yaml"):
        shutil.copy(ROOT / "policies" / "spravato-rems" / name, folder / "rems" / name)
    return folder


@pytest.mark.parametrize(
    ("requirement", "words", "form"),
    [
        ("REMS-MONITOR-2H", (), "require"),
        ("REMS-PMF-7D", (), "expect"),
        ("S3-REG-RENEW-04", ("--on", "registration"), "every"),
        ("REMS-MONITOR-2H", ("--deadline",), "expect"),
        ("REMS-PMF-7D", ("--standing", "--on", "site_profile"), "every"),
        ("S3-REG-ACTIVE-01", (), "require"),
    ],
)
def test_a_new_rule_is_in_the_layout_and_refused_until_it_is_written(
    clinic, library, requirement, words, form
):
    """It has what is known of the requirement; each thing that is not is told by itself, and nothing else is."""
    file = library / "rems" / "clinic-own.yaml"
    try:
        result = clinic.run(
            "policy", "new", "clinic-own", "--requirement", requirement, "--dir", library / "rems", *words
        )
        assert result.exit_code == 0, result.stderr
        assert result.stdout.strip() == str(file)
        assert f"compliance policy check {file}" in result.stderr
        assert clinic.run("policy", "fmt", "--check", file).exit_code == 0
        value = read_file(file).value
        assert form in value
        assert value["implements"] == [requirement]
        assert file.read_text().startswith("# yaml-language-server: $schema=../schema/policy.v1.json\n")
        problems = problems_of(file)
        told = [problem.message for problem in problems]
        assert len(told) == file.read_text().count("TO WRITE") > 0
        assert all("is still to be written" in message for message in told)
        assert (
            clinic.run(
                "policy", "new", "clinic-own", "--requirement", requirement, "--dir", library
            ).exit_code
            == 2
        )
    finally:
        file.unlink(missing_ok=True)


def test_a_new_rule_that_is_written_out_is_accepted(clinic, library):
    """With every mark replaced it is a rule; citations, dates and owner came from the rules that keep the same requirement."""
    file = library / "rems" / "clinic-three-hours.yaml"
    words = (
        "policy",
        "new",
        "clinic-three-hours",
        "--requirement",
        "REMS-MONITOR-2H",
        "--dir",
        library / "rems",
    )
    assert lines(clinic.run(*words, "--output", "json")) == [
        {"file": str(file), "rule": "clinic-three-hours", "implements": "REMS-MONITOR-2H"}
    ]
    try:
        text = file.read_text()
        theirs = read_file(library / "rems" / "rems-monitor-2h.yaml").value
        mine = read_file(file).value
        for name in ("cites", "in_force", "owner"):
            assert mine[name] == theirs[name]
        text = re.sub("require: TO WRITE.*", "require: discharge.devices_taken == 0", text)
        numbers = count()
        file.write_text(re.sub("TO WRITE.*", lambda _: f"text {next(numbers)}", text))
        problems = problems_of(file)
        assert {problem.code for problem in problems} <= {"case"}, problems
    finally:
        file.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("new-rule", "--requirement", "REMS-MONITR-2H"), "REMS-MONITOR-2H"),
        (("New_Rule", "--requirement", "REMS-MONITOR-2H"), "small letters"),
        (("rems-monitor-2h", "--requirement", "REMS-MONITOR-2H"), "already"),
        (("new-rule", "--requirement", "REMS-MONITOR-2H", "--on", "dischrge"), "discharge"),
        (("new-rule",), "--requirement"),
    ],
)
def test_what_cannot_be_begun_is_said(clinic, library, words, says):
    """An unknown requirement or kind with the likely one, a bad id, an id that is taken."""
    result = clinic.run("policy", "new", *words, "--dir", library)
    assert result.exit_code == 2
    assert says in result.stderr
    assert not (library / "new-rule.yaml").exists()


def test_a_new_rule_can_be_printed(clinic, library, tmp_path):
    """--print writes no file; a folder outside of any library is refused."""
    words = ("policy", "new", "new-rule", "--requirement", "REMS-MONITOR-2H", "--print")
    result = clinic.run(*words, "--dir", library)
    assert result.stdout.startswith("# yaml-language-server")
    assert not (library / "new-rule.yaml").exists()
    assert clinic.run(*words, "--dir", tmp_path).exit_code == 2
    assert clinic.run(*words, "--dir", tmp_path / "nowhere").exit_code == 2


def test_a_folder_that_cannot_be_written_is_said(clinic, folder):
    """Words and exit code, and the file as it was."""
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (folder / "below").chmod(0o500)
    result = clinic.run("policy", "fmt", folder / "below")
    assert result.exit_code == 2
    assert (folder / "below" / "untidy.yaml").read_text() == UNTIDY


def test_what_is_in_the_layout_is_remembered_and_nothing_else(clinic, tmp_path, monkeypatch):
    """A file in the layout is not laid out again, until it or the place of its schema changes; one that is not is told each time."""
    monkeypatch.setenv("COMPLIANCE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "policies"
    shutil.copytree(POLICIES, folder)
    first = clinic.run("policy", "fmt", folder)
    assert "laid out" in first.stderr
    asked = []
    monkeypatch.setattr(
        "compliance.workbench.formatting.formatted",
        lambda content, source, schema_of: asked.append(source) or formatted(content, source, schema_of),
    )
    assert clinic.run("policy", "fmt", "--check", folder).exit_code == 0
    asked.clear()
    assert clinic.run("policy", "fmt", "--check", folder).exit_code == 0
    assert asked == []
    file = folder / "stay-two-hours.yaml"
    file.write_text(file.read_text().replace("owner: ", "owner:   "))
    assert [clinic.run("policy", "fmt", "--check", folder).exit_code for _ in range(2)] == [1, 1]
    assert asked == [str(file)] * 2
    clinic.run("policy", "fmt", folder)
    (folder / "schema").mkdir()
    (folder / "schema" / "policy.v1.json").write_text("{}")
    assert "3 files laid out" in clinic.run("policy", "fmt", folder).stderr
