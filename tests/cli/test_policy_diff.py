"""``compliance policy diff`` in real repositories: what a change of policies changes in meaning."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner

from cli.main import application
from tests.repositories import Repository

RULE = "stay-two-hours.yaml"
HERE = "tests/cli/policies"


@pytest.fixture
def clinic(tmp_path, monkeypatch, request):
    repository = Repository.made(tmp_path / "clinic")
    shutil.copytree(request.config.rootpath / HERE, repository.path / "policies")
    repository.commit("the first policies")
    monkeypatch.chdir(repository.path)
    return repository


def edit(clinic, old, new, name=RULE):
    file = clinic.path / "policies" / name
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def invoke(*words):
    return CliRunner().invoke(application, list(words))


def objects(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_nothing_changed(clinic):
    """Without a change all is equivalent, and none was read."""
    done = invoke("policy", "diff", "HEAD")
    assert done.exit_code == 0
    assert done.stdout == "as a whole: equivalent; 0 rules changed, 3 the same\n"


def test_a_change_is_told_with_a_case_in_words_and_as_it_stands_in_a_file(clinic):
    """A longer stay is stricter: the sentence names the values, the case can be pasted, and the exit code asks for nothing."""
    edit(clinic, "value: 2h", "value: 3h")
    done = invoke("policy", "diff", "HEAD")
    assert done.exit_code == 0
    assert "stricter  stay-two-hours (changed)" in done.stdout
    assert ": passed, now is denied" in done.stdout
    assert "      expect: fail\n" in done.stdout
    assert "as a whole: stricter; 1 rule changed, 2 the same" in done.stdout


def test_for_scripts(clinic):
    """A line for each rule, with both directions; then one for the whole. With --exit-code a change is exit 1."""
    edit(clinic, "value: 2h", "value: 90m")
    done = invoke("policy", "diff", "HEAD", "--output", "json", "--exit-code")
    assert done.exit_code == 1
    rule, whole = objects(done)
    assert (rule["rule"], rule["status"], rule["change"], rule["stricter"]) == (
        "stay-two-hours",
        "changed",
        "looser",
        None,
    )
    assert (rule["looser"]["old"], rule["looser"]["new"]) == ("fail", "pass")
    assert rule["looser"]["event"]["kind"] == "discharge"
    assert whole["change"] == "looser" and whole["same"] == 2


def test_words_are_no_meaning(clinic):
    """A title and a comment change nothing; with --exit-code that is exit 0."""
    edit(clinic, "title: ", "# why\ntitle: Really, ")
    done = invoke("policy", "diff", "HEAD", "--output", "json", "--exit-code")
    assert done.exit_code == 0
    assert [one["change"] for one in objects(done)] == ["equivalent", "equivalent"]


def test_a_rule_under_another_name_changes_nothing_as_a_whole(clinic):
    """The old one ends and the new one begins, and what they keep together is the same."""
    old, new = clinic.path / "policies" / RULE, clinic.path / "policies" / "stay-here.yaml"
    new.write_text(old.read_text().replace("id: stay-two-hours", "id: stay-here"))
    old.unlink()
    done = invoke("policy", "diff", "HEAD", "--output", "json")
    added, removed, whole = objects(done)
    assert (added["status"], added["change"], removed["status"], removed["change"]) == (
        "added",
        "stricter",
        "removed",
        "looser",
    )
    assert whole["change"] == "equivalent"
    assert "by all rules that keep it" in invoke("policy", "diff", "HEAD").stdout


def test_a_table_is_part_of_the_meaning(clinic):
    """Drugs are in bundle.yaml: one that is no longer under the REMS makes rules about the REMS looser."""
    edit(clinic, "is_rems: true", "is_rems: false", "bundle.yaml")
    done = invoke("policy", "diff", "HEAD", "--output", "json")
    assert objects(done)[-1]["change"] in {"looser", "both"}


def test_two_revisions_and_a_folder_of_another_name(clinic):
    """Old and new can both be revisions; a path behind the colon names the folder."""
    edit(clinic, "value: 2h", "value: 3h")
    clinic.commit("longer")
    there_and_back = [
        invoke("policy", "diff", *words, "--output", "json")
        for words in (("HEAD~1", "HEAD"), ("HEAD:policies", "HEAD~1:policies"))
    ]
    assert [objects(done)[-1]["change"] for done in there_and_back] == ["stricter", "looser"]


@pytest.mark.parametrize("words", [("nosuch",), ("HEAD", "nosuch"), ("--upload-pack=x",), ("HEAD:nosuch",)])
def test_what_is_not_there_is_a_wrong_call(clinic, words):
    """Folders and revisions that there are not are exit 2, in words."""
    done = invoke("policy", "diff", *words)
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr


def test_a_file_that_cannot_be_read_is_named_as_git_names_it(clinic):
    """A mistake in an old revision is told with its place there; nothing is compared."""
    edit(clinic, "require:", "requir:")
    clinic.commit("broken")
    edit(clinic, "requir:", "require:")
    done = invoke("policy", "diff", "HEAD")
    assert done.exit_code == 2
    assert f"HEAD:policies/{RULE}:" in done.stderr and "did you mean 'require'?" in done.stderr


def test_what_was_not_found_out_is_never_called_equivalent(clinic):
    """With no time to look, a change is unknown, and --exit-code says so."""
    edit(clinic, "value: 2h", "value: 3h")
    done = invoke("policy", "diff", "HEAD", "--seconds", "0.1", "--output", "json", "--exit-code")
    assert objects(done)[-1]["change"] in {"unknown", "stricter"}
    assert done.exit_code == 1


def test_a_site_s_own_value_is_part_of_the_meaning_and_named(clinic):
    """A site asks for more than before: stricter, at that site."""
    sites = clinic.path / "policies" / "sites"
    sites.mkdir()
    said = "site: S1\nowner: medical director\nreview_by: 2099-11-22\nparameters:\n  stay-two-hours:\n    minimum_observation:\n      - {from: 2025-01-01, value: 150m, cites: clinic policy}\n"
    (sites / "S1.yaml").write_text(said)
    clinic.commit("a site")
    (sites / "S1.yaml").write_text(said.replace("150m", "3h"))
    done = invoke("policy", "diff", "HEAD")
    assert "stricter: at S1, " in done.stdout
    assert "as a whole: stricter" in done.stdout


def test_codes_of_a_site_are_no_meaning(clinic):
    """What a site's systems call things decides nothing: equivalent, when they come, change and go."""
    sites = clinic.path / "policies" / "sites"
    sites.mkdir()
    said = "site: S1\nowner: o\nreview_by: 2099-11-22\ncodes:\n  drugs:\n    - {code: K, is: ketamine_inj_50mg_ml}\n"
    (sites / "S1.yaml").write_text(said)
    came = invoke("policy", "diff", "HEAD", "--exit-code")
    clinic.commit("codes of a site")
    (sites / "S1.yaml").write_text(said.replace("_50mg", "_10mg"))
    changed = invoke("policy", "diff", "HEAD", "--exit-code")
    assert (came.exit_code, changed.exit_code) == (0, 0)
    assert came.stdout == changed.stdout == "as a whole: equivalent; 0 rules changed, 3 the same\n"
