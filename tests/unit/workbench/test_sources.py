"""Folders, files and git revisions as policies, on real repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from compliance.errors import InputError
from compliance.policy.bundle import load_folder
from compliance.workbench.examining import examine
from compliance.workbench.remembered import Memory
from compliance.workbench.sources import folder_of, is_policy, policies_of
from tests.repositories import QUIET, WHERE, Repository, environment

SMALL = Path(__file__).parents[2] / "cli" / "policies"
ROOT = Path(__file__).resolve().parents[3]
RULE = "stay-two-hours.yaml"


@pytest.fixture
def clinic(tmp_path, monkeypatch):
    """A clinic's repository with two commits; in the first the rule was owned by somebody else."""
    for name in WHERE:
        monkeypatch.delenv(name, raising=False)
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    repository = Repository.made(tmp_path / "clinic")
    folder = repository.path / "policies"
    shutil.copytree(SMALL, folder)
    text = (folder / RULE).read_text()
    (folder / RULE).write_text(text.replace("owner: medical director", "owner: founder"))
    repository.commit("first")
    repository.git("tag", "v1")
    (folder / RULE).write_text(text)
    repository.commit("second: the director")
    monkeypatch.chdir(repository.path)
    return repository


def owner(named):
    """Who owns the rule in the policies of this name, and how its file is called."""
    with folder_of(named) as folder:
        bundle, problems = load_folder(folder.path, shown=folder.shown)
        assert problems == ()
        rule = bundle.rule("stay-two-hours")
        return rule.owner, rule.place.source


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("policies", ("medical director", f"policies/{RULE}")),
        ("HEAD", ("medical director", f"HEAD:policies/{RULE}")),
        ("HEAD~1", ("founder", f"HEAD~1:policies/{RULE}")),
        ("v1:policies", ("founder", f"v1:policies/{RULE}")),
        ("v1:./policies/", ("founder", f"v1:policies/{RULE}")),
        ("HEAD^{/the director}~1", ("founder", f"HEAD^{{/the director}}~1:policies/{RULE}")),
        ("HEAD^{/second: the}:policies", ("medical director", f"HEAD^{{/second: the}}:policies/{RULE}")),
    ],
)
def test_a_folder_is_named_by_path_or_revision(clinic, named, said):
    """Without a path a revision means the folder as it is here; its files are called as git calls them."""
    assert owner(named) == said


def test_a_revision_means_the_folder_that_this_call_stands_in(clinic, monkeypatch):
    """Within the folder, and below it; a path that begins with a dot is counted from here."""
    (clinic.path / "policies" / "area").mkdir()
    for folder in ("policies", "policies/area"):
        monkeypatch.chdir(clinic.path / folder)
        assert owner("v1") == ("founder", f"v1:policies/{RULE}")
    assert owner("v1:..")[0] == "founder"


def test_policies_at_the_top_of_a_repository(tmp_path, monkeypatch, clinic):
    """A repository that is itself the folder of policies; its rules keep the names of their files."""
    repository = Repository.made(tmp_path / "flat")
    shutil.copytree(SMALL, repository.path, dirs_exist_ok=True)
    repository.commit()
    monkeypatch.chdir(repository.path)
    assert owner("HEAD") == ("medical director", f"HEAD:{RULE}")
    assert owner("HEAD:") == ("medical director", f"HEAD:{RULE}")


def test_a_file_of_a_revision_is_read_among_its_folder(clinic):
    """Its rule is checked on the tables of that revision, and its messages name it there."""
    (clinic.path / "policies" / RULE).write_text("id: gone\n")
    clinic.commit()
    with policies_of(f"HEAD:policies/{RULE}") as broken, policies_of(f"v1:policies/{RULE}") as whole:
        (bad,) = examine([broken], "2026-11-22", Memory(None))
        (good,) = examine([whole], "2026-11-22", Memory(None))
    assert bad.problems[0].place.source == f"HEAD:policies/{RULE}"
    assert (good.problems, good.name, good.rules) == ((), f"v1:policies/{RULE}", 1)


def test_a_path_wins_over_a_revision_of_its_name(clinic):
    """A folder called like a tag is the folder."""
    shutil.copytree(clinic.path / "policies", clinic.path / "v1")
    assert owner("v1") == ("medical director", f"v1/{RULE}")


@pytest.mark.parametrize(
    ("named", "says", "remedy"),
    [
        ("nowhere", "there is no file, folder or git revision nowhere", "HEAD~1:my/policies"),
        ("HEAD~9", "there is no file, folder or git revision HEAD~9", "HEAD~1:my/policies"),
        ("--output=/tmp/x", "there is no file, folder or git revision --output=/tmp/x", "Name a folder"),
        ("-x:policies", "there is no file, folder or git revision -x:policies", "Name a folder"),
        (":policies", "there is no file, folder or git revision :policies", "Name a folder"),
        ("HEAD:elsewhere", "at HEAD there are no policies in elsewhere", "HEAD:FOLDER"),
        ("HEAD:../x", "../x leaves the repository", "from the repository's top"),
        ("HEAD:/policies", "/policies leaves the repository", "from the repository's top"),
        (f"policies/{RULE}", f"policies/{RULE} is no folder", "bundle.yaml"),
    ],
)
def test_what_is_not_there_is_said_in_words(clinic, named, says, remedy):
    """Never git's own usage; what begins with - is no option of git."""
    with pytest.raises(InputError) as caught, folder_of(named):
        pass
    assert caught.value.message == says
    assert remedy in caught.value.remedy


def test_outside_of_a_repository_that_is_said(tmp_path, monkeypatch, clinic):
    """A revision needs a repository; and one without a folder of policies here needs a path."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="this folder is in no repository"), folder_of("HEAD"):
        pass
    (clinic.path / "notes").mkdir()
    monkeypatch.chdir(clinic.path / "notes")
    with pytest.raises(InputError, match="which folder of HEAD is meant"), folder_of("HEAD"):
        pass


def test_a_link_in_a_revision_is_refused(clinic):
    """What it points to may not be in the repository, or not be a policy."""
    (clinic.path / "policies" / "linked.yaml").symlink_to("/etc/passwd")
    clinic.commit()
    with pytest.raises(InputError, match=r"HEAD:policies/linked\.yaml is a symbolic link"), folder_of("HEAD"):
        pass


def test_no_filter_or_hook_of_the_repository_runs(clinic):
    """The bytes are those that were committed: a repository's own configuration is not asked to change them."""
    marker = clinic.path / "ran"
    (clinic.path / ".gitattributes").write_text("*.yaml filter=evil export-subst export-ignore eol=crlf\n")
    clinic.git("config", "filter.evil.smudge", f"touch {marker}; cat")
    clinic.git("config", "filter.evil.clean", "cat")
    hook = clinic.path / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    clinic.commit()
    written = (clinic.path / "policies" / RULE).read_bytes()
    with folder_of("HEAD") as folder:
        assert (folder.path / RULE).read_bytes() == written
    assert not marker.exists()
    assert clinic.git("status", "--porcelain") == ""


def test_nothing_is_left_behind(clinic, monkeypatch, tmp_path):
    """The temporary folder goes with the `with`, also when something fails in it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(RuntimeError), folder_of("HEAD") as folder:
        assert folder.path.is_dir()
        raise RuntimeError
    assert sorted(tmp_path.iterdir()) == before


HOOK = """#!/bin/sh
env | grep ^GIT_ > {seen}
exec {python} -c "
from compliance.workbench.sources import folder_of
with folder_of('HEAD') as folder:
    print(folder, (folder.path / '{rule}').read_text().count('medical director'))
" > {out} 2>&1
"""


@pytest.mark.parametrize("worktree", [False, True])
def test_a_revision_is_read_in_a_real_hook(clinic, tmp_path, worktree):
    """git tells a hook where its repository and its index are, by variables: HEAD is still the last commit, in a worktree too."""
    place = clinic.path
    if worktree:
        place = tmp_path / "other"
        clinic.git("worktree", "add", "--quiet", str(place))
    out, seen = tmp_path / "out", tmp_path / "seen"
    hook = clinic.path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK.format(python=sys.executable, rule=RULE, out=out, seen=seen))
    hook.chmod(0o755)
    (place / "policies" / RULE).write_text("id: gone\n")
    subprocess.run(
        ["git", "commit", "--quiet", "--all", "--message", "third"], cwd=place, check=True,
        env=environment(PYTHONPATH=str(ROOT)),
    )  # fmt: skip
    assert "GIT_INDEX_FILE" in seen.read_text()
    assert out.read_text() == "HEAD:policies 1\n"
    assert "gone" in Repository(place).git("show")


def test_without_git_that_is_said(clinic, monkeypatch):
    """A machine without git reads folders all the same."""
    monkeypatch.setenv("PATH", os.devnull)
    assert owner("policies")[0] == "medical director"
    with pytest.raises(InputError, match="git cannot be run"), folder_of("HEAD"):
        pass


@pytest.mark.parametrize(
    ("first", "is_ours"),
    [
        ("# yaml-language-server: $schema=../schema/policy.v1.json\n", True),
        ("\ufeff# yaml-language-server: $schema=https://clinic.example/policy.v2.json\n", True),
        ("# yaml-language-server: $schema=../schema/other.v1.json\n", False),
        ("# a comment about policy.v1.json\n", False),
        ("kind: NetworkPolicy\n", False),
    ],
)
def test_a_policy_is_known_by_its_folder_or_its_first_line(tmp_path, first, is_ours):
    """Outside of any folder of policies only our schema's name makes a file ours."""
    alone = tmp_path / "x.yaml"
    alone.write_text(first)
    assert is_policy(alone) is is_ours
    (tmp_path / "bundle.yaml").write_text("")
    assert is_policy(alone)
