"""What is remembered of checks: never a wrong answer, whatever state the memory is in."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import shutil
import stat
import time
from hashlib import sha256
from pathlib import Path

import pytest

from compliance.library import check_folder, usable
from compliance.workbench import remembered
from compliance.workbench.examining import examine
from compliance.workbench.remembered import Memory, cache_file, digest, software
from compliance.workbench.sources import PolicyFolder

SMALL = Path(__file__).parents[2] / "cli" / "policies"
RULE = "stay-two-hours.yaml"
TODAY = "2026-11-22"


@pytest.fixture
def folder(tmp_path):
    """A small library, to be broken."""
    return Path(shutil.copytree(SMALL, tmp_path / "policies"))


@pytest.fixture
def file(tmp_path):
    """Where the memory lies; in a folder that is not there yet."""
    return tmp_path / "cache" / "compliance-engine" / "checked-policies"


def check(path, file, today=TODAY):
    (found,) = examine([PolicyFolder(path)], today, Memory(file))
    return found


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_what_was_in_order_is_remembered_and_the_numbers_stay(folder, file):
    """The second check counts the same rules and cases, and looks at none."""
    first, second = check(folder, file), check(folder, file)
    assert (first.remembered, second.remembered) == (0, 3)
    assert (
        (first.rules, first.cases, first.passed) == (second.rules, second.cases, second.passed) == (3, 6, 6)
    )
    assert first.problems == second.problems == ()


def test_only_what_changed_is_looked_at(folder, file):
    """One changed rule among three; and the same library elsewhere is known already."""
    check(folder, file)
    change(folder / RULE, "owner: medical director", "owner: clinical lead")
    assert check(folder, file).remembered == 2
    elsewhere = shutil.copytree(folder, folder.parent / "elsewhere")
    assert check(elsewhere, file).remembered == 3


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        (RULE, "severity: deny", "severity: denny", "'severity' cannot be 'denny'"),
        (RULE, "expect: fail", "expect: pass", "pass expected, fail came out"),
        (RULE, "REMS-MONITOR-2H]", "REMS-MONITOR-2H, X-1]", None),
        ("bundle.yaml", "is_rems: true", "is_rems: false", "pass expected, not_applicable came out"),
        ("bundle.yaml", "drugs:", "drug:", "bundle.yaml has no field 'drug'"),
    ],
)
def test_a_fault_is_found_whatever_is_remembered_and_is_found_again(folder, file, name, old, new, says):
    """In a rule or in what it rests on; a fault is never remembered, nor that it was there once."""
    whole = (folder / name).read_text()
    check(folder, file)
    change(folder / name, old, new)
    for _ in range(2):
        found = check(folder, file)
        assert (found.problems == ()) if says is None else any(says in one.message for one in found.problems)
    (folder / name).write_text(whole)
    assert check(folder, file).problems == ()


def test_a_requirement_that_is_no_more_is_missed(folder, file):
    """The rules' key holds the ids that they may name; what else is said of a requirement does not concern them."""
    ids = ["REMS-MONITOR-2H", "REMS-PMF-7D", "USPI-NO-DRIVE"]
    rows = [f"  - {{id: {one}, title: t, area: rems, tier: 1, form: rule}}\n" for one in ids]
    listed = folder / "requirements.yaml"
    listed.write_text("requirements:\n" + "".join(rows))
    first = check(folder, file)
    assert first.problems == (), first.problems
    listed.write_text("requirements:\n" + "".join(rows).replace("title: t", "title: another"))
    assert check(folder, file).remembered == 3
    listed.write_text("requirements:\n" + "".join(rows[1:]))
    (problem,) = check(folder, file).problems
    assert problem.message == "there is no requirement 'REMS-MONITOR-2H'"


def test_a_rule_under_another_name_is_another_file(folder, file):
    """Its id must be its file's name, so that the name is part of the key."""
    check(folder, file)
    (folder / RULE).rename(folder / "stay-long.yaml")
    (problem,) = check(folder, file).problems
    assert "the file is called 'stay-long'" in problem.message


def test_two_files_with_one_id_are_found_though_both_are_remembered(folder, file):
    """Neither file is wrong by itself; asked for by itself, the other one is still seen."""
    check(folder, file)
    (folder / "area").mkdir()
    shutil.copy(folder / RULE, folder / "area" / RULE)
    for asked in (folder, folder / RULE):
        (problem,) = check(asked, file).problems
        assert "the id 'stay-two-hours' is taken" in problem.message
        assert problem.excerpt
    (problem,) = check(folder, file).problems
    assert problem.place.source == str(folder / RULE)  # `area/` comes before it


def test_a_review_is_overdue_by_the_day_of_the_check(folder, file):
    """What was remembered before the day is not in order after it; and nothing else is looked at again for it."""
    change(folder / RULE, "review_by: 2099-11-22", "review_by: 2027-01-01")
    assert check(folder, file).problems == ()
    late = check(folder, file, "2027-01-02")
    fresh = check(folder, None, "2027-01-02")
    assert late.problems == fresh.problems
    assert late.remembered == 3
    (problem,) = late.problems
    assert (problem.code, problem.place.line) == ("review", 1)


def test_another_software_trusts_nothing(folder, file, monkeypatch):
    """A changed checker is another one: its key for the same file is another."""
    check(folder, file)
    monkeypatch.setattr(remembered, "software", lambda: "0" * 64)
    assert check(folder, file).remembered == 0


def test_the_software_is_known_by_its_source(tmp_path, monkeypatch):
    """A changed line of any module, a new module, another package beside it: each makes another software."""
    package = shutil.copytree(
        Path(remembered.__file__).parents[1],
        tmp_path / "compliance",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    monkeypatch.setattr(remembered, "_PACKAGE", package)
    seen = {software()}
    module = package / "engine" / "judging.py"
    status = module.stat()
    text = module.read_text()
    module.write_text(text.replace("by both evaluators", "by nice evaluators", 1))
    os.utime(module, ns=(status.st_atime_ns, status.st_mtime_ns))  # same length, same time
    seen.add(software())
    module.write_text(text)
    (package / "engine" / "another.py").write_text("")
    seen.add(software())
    (package / "engine" / "another.py").unlink()
    monkeypatch.setattr(remembered, "_installed", lambda: ["other-1.0.dist-info"])
    seen.add(software())
    assert len(seen) == 4
    monkeypatch.setattr(remembered, "_PACKAGE", tmp_path / "nowhere")
    assert software() == ""


def test_software_without_source_remembers_nothing(folder, file, monkeypatch):
    """Where a changed checker could not be told from this one."""
    monkeypatch.setattr(remembered, "software", lambda: "")
    assert [check(folder, file).remembered for _ in range(2)] == [0, 0]
    assert not file.exists()


def flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def forge(file):
    """Numbers that are not so, under the old checksum."""
    file.write_bytes(file.read_bytes().replace(b",2,1,5]", b",9,1,5]"))


DAMAGE = {
    "emptied": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-9]),
    "a bit flipped": flip,
    "numbers changed": forge,
    "not json": lambda file: file.write_bytes(sha256(b"{").hexdigest().encode() + b"\n{"),
    "another shape": lambda file: file.write_bytes(sha256(b"[1]").hexdigest().encode() + b"\n[1]"),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "a link": lambda file: (
        file.rename(file.with_suffix(".real")),
        file.symlink_to(file.with_suffix(".real")),
    ),
    "a pipe": lambda file: (file.unlink(), os.mkfifo(file)),
    "huge": lambda file: os.truncate(file, 9 * 1024 * 1024),
    "writable by the group": lambda file: file.chmod(0o660),
    "writable by all": lambda file: file.chmod(0o606),
    "unreadable bytes": lambda file: file.write_bytes(b"\xff" * 80),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_memory_that_is_not_as_it_was_written_is_none(folder, file, damage):
    """The check takes the long way: in order is in order, a fault is a fault, and nothing is said."""
    check(folder, file)
    DAMAGE[damage](file)
    found = check(folder, file)
    assert (found.problems, found.remembered, found.cases) == ((), 0, 6)
    change(folder / RULE, "expect: fail", "expect: pass")
    assert len(check(folder, file).problems) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_memory_of_another_user_is_not_trusted_and_not_replaced(folder, file):
    """Under sudo, say: it is neither read nor taken away from them."""
    check(folder, file)
    os.chown(file, 12345, -1)
    before = file.read_bytes()
    assert check(folder, file).remembered == 0
    assert (file.read_bytes(), file.stat().st_uid) == (before, 12345)


def test_a_memory_that_cannot_be_written_is_done_without(folder, tmp_path):
    """Below a file, for one; root may write in any folder."""
    (tmp_path / "file").write_text("")
    assert check(folder, tmp_path / "file" / "cache" / "x").problems == ()


def test_who_holds_the_memory_too_long_is_not_waited_for(folder, file, monkeypatch):
    """A process that was stopped while it wrote keeps no check from ending."""
    monkeypatch.setattr(remembered, "_PATIENCE", 0.1)
    file.parent.mkdir(parents=True)
    held = os.open(file.parent, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        assert check(folder, file).problems == ()
        assert not file.exists()
    finally:
        os.close(held)


def test_the_memory_is_its_owners_alone(folder, file):
    """The file 0600, the folder 0700, whatever the umask; nothing is left beside it."""
    before = os.umask(0)
    try:
        check(folder, file)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file]


def keep_many(file, start):
    memory = Memory(file)
    for number in range(start, start + 50):
        memory.keep(memory.key(str(number)), number)
    memory.save()


def test_several_processes_add_to_one_memory(file):
    """What one has learnt is not lost by the other's writing."""
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=keep_many, args=(file, start)) for start in range(0, 200, 50)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    memory = Memory(file)
    assert [memory.recall(memory.key(str(number))) for number in range(200)] == list(range(200))


def test_the_memory_does_not_grow_for_ever(file, monkeypatch):
    """What was used last is kept; what nobody used for two months is dropped."""
    monkeypatch.setattr(remembered, "MOST", 3)
    now = time.time()
    for day in range(5):
        monkeypatch.setattr(time, "time", lambda day=day: now + day * 86_400)
        memory = Memory(file)
        memory.recall(memory.key("0"))
        memory.keep(memory.key(str(day)), day)
        memory.save()
    memory = Memory(file)
    assert [memory.recall(memory.key(str(day))) for day in range(5)] == [0, None, None, 3, 4]
    monkeypatch.setattr(time, "time", lambda: now + 100 * 86_400)
    memory = Memory(file)
    memory.keep(memory.key("new"), True)
    memory.save()
    assert len(json.loads(file.read_bytes().partition(b"\n")[2])) == 1


def test_where_the_memory_lies(monkeypatch, tmp_path):
    """COMPLIANCE_CACHE, then XDG_CACHE_HOME where it is a whole path, then ~/.cache."""
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.delenv("COMPLIANCE_CACHE")
    assert cache_file() == Path("/home/someone/.cache/compliance-engine/checked-policies")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache_file() == Path("/x/compliance-engine/checked-policies")
    monkeypatch.setenv("COMPLIANCE_CACHE", str(tmp_path))
    assert cache_file() == tmp_path / "checked-policies"


def test_no_two_lists_have_one_digest():
    """Each part is told apart from its neighbours."""
    assert len({digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("ab", "c", ""), digest()}) == 5


def test_what_puts_policies_into_force_asks_no_memory(folder, file, monkeypatch):
    """A memory that says of everything that it is in order deceives a check of files, and not what is activated."""
    check(folder, file)
    change(folder / RULE, "expect: fail", "expect: pass")
    monkeypatch.setattr(Memory, "recall", lambda *_: ["x", "2099-01-01", 1, 1, 1])
    assert not usable_or_none(folder)


def usable_or_none(folder):
    from compliance.errors import PolicyError

    try:
        return usable(check_folder(folder))
    except PolicyError:
        return None
