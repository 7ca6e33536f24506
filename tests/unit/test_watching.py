"""A watched folder: what is finished, whose it is, where it goes; and that nothing is lost, however writers and watchers take turns."""

from __future__ import annotations

import errno
import os
import re
import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import InputError
from compliance.watching import DONE, PROBLEMS, REPORTS, TAKING, Watched, shown
from tests.dropping import dies, moved, settled


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def watched(tmp_path, clock):
    return Watched(tmp_path, 2, clock)


@pytest.mark.parametrize(
    ("name", "is_input"),
    [
        ("day.ndjson", True), ("a b.CSV", True), ("no-ending", True), ("day.part.ndjson", True), (".hidden", False), ("day.part", False),
        ("day.TMP", False), ("day.filepart", False), ("~$doses.xlsx", False), ("day.ndjson~", False), (".day.ndjson.Xy12Zz", False),
    ],
)  # fmt: skip
def test_which_names_are_taken(tmp_path, watched, clock, name, is_input):
    """Names under which programs write what is not finished are left alone."""
    (tmp_path / name).write_text("x")
    assert settled(watched, clock) == ([name] if is_input else [])


def test_only_files_and_ready_folders_are_taken(tmp_path, watched, clock):
    """No link (it may lead anywhere), no pipe, no folder that nobody called ready, nothing that is empty."""
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.write_text("x")
    (tmp_path / "link.ndjson").symlink_to(outside)
    (tmp_path / "link.ready").symlink_to(tmp_path.parent, target_is_directory=True)
    os.mkfifo(tmp_path / "pipe.ndjson")
    for name in ("folder", "bulk.ready", ".bulk.ready"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.ndjson").write_text("x")
    (tmp_path / "empty.ndjson").touch()
    assert settled(watched, clock) == ["bulk.ready"]


def test_a_file_is_finished_when_it_has_not_changed(tmp_path, watched, clock):
    """Each change begins the wait anew: its size, its time, another file under its name; in a folder, of any file in it."""
    file, folder = tmp_path / "day.ndjson", tmp_path / "bulk.ready"
    file.write_text("x")
    folder.mkdir()
    inner = folder / "one.ndjson"
    inner.write_text("x")
    assert watched.finished() == []

    def longer(path):
        path.write_text(path.read_text() + "x")
        os.utime(path, (1, 1))

    def later(path):
        os.utime(path, (1, path.stat().st_mtime + 1))

    def replaced(path):
        other = path.with_suffix(".part")
        other.write_text(path.read_text())
        os.utime(other, (1, path.stat().st_mtime))
        other.replace(path)

    for change in (longer, longer, later, later, replaced, replaced):
        clock.now += 1.9
        change(file)
        change(inner)
        assert watched.finished() == []
    clock.now += 1.9
    assert watched.finished() == []
    clock.now += 0.2
    assert watched.finished() == ["bulk.ready", "day.ndjson"]


def test_what_changed_since_it_was_seen_or_is_open_for_writing_is_not_taken(tmp_path, watched, clock):
    """A writer that pauses and holds the file open is waited for, where the system can tell."""
    file = tmp_path / "day.ndjson"
    file.write_text("x")
    assert settled(watched, clock) == ["day.ndjson"]
    with file.open("a"):
        assert watched.take("day.ndjson") is None
        assert file.exists()
    file.write_text("xy")
    assert watched.take("day.ndjson") is None
    settled(watched, clock)
    with file.open():  # who only reads is in nobody's way
        assert watched.take("day.ndjson") is not None
    assert watched.take("nothing") is None


def test_one_watcher_has_it_and_the_next_takes_it_up(tmp_path, watched, clock):
    """As long as its watcher lives, nobody else gets it; then the next, who is told how often that happened. A release does not count."""
    (tmp_path / "day.ndjson").write_text("x")
    other = Watched(tmp_path, 2, clock)
    settled(watched, clock), settled(other, clock)
    taken = watched.take("day.ndjson")
    assert other.take("day.ndjson") is None
    assert list(other.abandoned()) == [] == list(watched.abandoned())
    taken.begin()
    dies(taken)
    (again,) = other.abandoned()
    assert (again.name, again.deaths, again.path.read_text()) == ("day.ndjson", 1, "x")
    again.begin()
    again.release()
    (third,) = watched.abandoned()
    assert third.deaths == 1
    assert moved(third) == "day.ndjson"
    assert sorted(path.name for path in (tmp_path / DONE).iterdir()) == ["day.ndjson", *(f"day.ndjson{one}" for one in REPORTS)]  # fmt: skip
    assert list((tmp_path / TAKING).iterdir()) == []


def test_watchers_at_once_take_each_file_once(tmp_path):
    """Eight in one folder, each also taking up and clearing away what looks abandoned: none fails, nothing is taken twice."""
    names = [f"{n:03}.ndjson" for n in range(80)]
    for name in names:
        (tmp_path / name).write_text(name)
    had: list[str] = []
    failed: list[BaseException] = []

    def work():
        try:
            watched = Watched(tmp_path, 0)
            for name in watched.finished():
                found = [watched.take(name), *watched.abandoned()]
                for taken in found:
                    if taken is not None:
                        had.append(taken.path.read_text())
                        moved(taken)
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(had) == names
    assert list((tmp_path / TAKING).iterdir()) == []


@pytest.mark.parametrize("in_time", [True, False])
def test_nothing_is_written_over(tmp_path, watched, clock, monkeypatch, in_time):
    """Same names get a number, whatever of the three is there already: the input, or a report; also where that came `in_time` to be seen no more."""
    if not in_time:
        monkeypatch.setattr(os.path, "lexists", lambda _: False)
    (tmp_path / DONE / "day.ndjson").write_text("old")
    (tmp_path / DONE / "day-2.ndjson.report.txt").write_text("old")
    (tmp_path / DONE / "bulk.ready").mkdir()
    (tmp_path / DONE / "x.report.json").write_text("old")
    for number in range(2):
        (tmp_path / "day.ndjson").write_text(f"new {number}")
        settled(watched, clock)
        assert moved(watched.take("day.ndjson")) == f"day-{number + 3}.ndjson"
    (tmp_path / "bulk.ready").mkdir()
    (tmp_path / "bulk.ready" / "one").write_text("x")
    (tmp_path / "x").write_text("x")
    settled(watched, clock)
    assert moved(watched.take("bulk.ready")) == "bulk-2.ready"
    assert moved(watched.take("x")) == "x-2"
    assert (tmp_path / DONE / "day.ndjson").read_text() == "old"
    assert (tmp_path / DONE / "day-2.ndjson.report.txt").read_text() == "old"
    assert list((tmp_path / DONE / "bulk.ready").iterdir()) == []
    assert (tmp_path / DONE / "bulk-2.ready" / "one").read_text() == "x"
    assert len(list((tmp_path / DONE).iterdir())) == 4 + 4 * 3


def test_a_disk_without_hard_links_will_do(tmp_path, watched, clock, monkeypatch):
    """Nothing is written over there, either."""

    def none(*_):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", none)
    (tmp_path / DONE / "day.ndjson").write_text("old")
    (tmp_path / "day.ndjson").write_text("new")
    settled(watched, clock)
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    assert moved(watched.take("day.ndjson")) == "day-2.ndjson"
    assert [(tmp_path / DONE / name).read_text() for name in ("day.ndjson", "day-2.ndjson")] == ["old", "new"]
    assert len(list((tmp_path / DONE).iterdir())) == 4


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "x" * 120 + "." + "y" * 134, "b" * 249 + ".ready"])
def test_a_long_name_is_cut_where_a_report_would_be_too_long(tmp_path, watched, clock, name):
    """The ending stays; two that are cut alike get a number."""
    for _ in range(2):
        (tmp_path / name).write_text("x")
        settled(watched, clock)
        called = moved(watched.take(name), PROBLEMS)
        assert (tmp_path / PROBLEMS / f"{called}{REPORTS[0]}").exists()
    assert len(list((tmp_path / PROBLEMS).iterdir())) == 6


def test_reports_are_for_their_owner_only(tmp_path, watched, clock):
    """They tell what was found; so do the folders."""
    (tmp_path / "day.ndjson").write_text("x")
    settled(watched, clock)
    moved(watched.take("day.ndjson"))
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in (TAKING, DONE, PROBLEMS)} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / DONE).glob("*.report.*")} == {0o600}


def test_a_ready_folder_is_one_input_of_its_files(tmp_path, watched, clock):
    """In the order of names, those of folders in it too; what is hidden, unfinished or no file is told instead of being left out."""
    folder = tmp_path / "bulk.ready"
    (folder / "more").mkdir(parents=True)
    for name in ("b.ndjson", "a.ndjson", "more/c.ndjson"):
        (folder / name).write_text("x")
    assert settled(watched, clock) == ["bulk.ready"]
    taken = watched.take("bulk.ready")
    names = ["bulk.ready/a.ndjson", "bulk.ready/b.ndjson", "bulk.ready/more/c.ndjson"]
    assert [called for called, _ in taken.files()] == names
    hidden, no_file = "has the name of what is hidden or not finished", "is no file"
    for name, wrong in (
        ("d.part", hidden), (".d.ndjson", hidden), (".b.ndjson.Xy12Zz", hidden), ("~$d.xlsx", hidden), (".DS_Store", hidden), (".sub/", hidden),
        ("sub.tmp/", hidden), (".link", hidden), ("link", no_file), ("pipe", no_file),
    ):  # fmt: skip
        path = taken.path / "more" / name
        if name.endswith("link"):
            path.symlink_to(tmp_path.parent)
        elif name == "pipe":
            os.mkfifo(path)
        else:
            path.mkdir() if name.endswith("/") else path.write_text("x")
        with pytest.raises(InputError, match=rf"bulk\.ready/more/{re.escape(name.rstrip('/'))} {wrong}"):
            taken.files()
        path.rmdir() if name.endswith("/") else path.unlink()
    assert [called for called, _ in taken.files()] == names
    for path in sorted(taken.path.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(InputError, match=r"there is no file in bulk\.ready"):
        taken.files()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_looked_into_is_not_left_out(tmp_path, watched, clock):
    """Its files would be lost without a word."""
    (tmp_path / "bulk.ready" / "more").mkdir(parents=True)
    (tmp_path / "bulk.ready" / "a.ndjson").write_text("x")
    settled(watched, clock)
    taken = watched.take("bulk.ready")
    (taken.path / "more").chmod(0)
    with pytest.raises(PermissionError):
        taken.files()


def test_a_claim_is_never_cleared_away_with_an_input_in_it(tmp_path, watched, clock):
    """Nor is one touched that its watcher is just making."""
    (tmp_path / "day.ndjson").write_text("x")
    settled(watched, clock)
    taken = watched.take("day.ndjson")
    taken._claim.dissolve()
    assert taken.path.read_text() == "x"
    (found,) = watched.abandoned()
    assert found.path.read_text() == "x"


def test_what_cannot_be_watched_is_told(tmp_path):
    """No folder, or one in which the three places cannot be made."""
    with pytest.raises(InputError, match="there is no folder"):
        Watched(tmp_path / "nowhere", 2)
    (tmp_path / TAKING).write_text("a file")
    with pytest.raises(InputError, match="cannot be watched"):
        Watched(tmp_path, 2)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read_stays(tmp_path, watched, clock):
    """Where it was dropped, and nothing of it is left in ``taking``."""
    (tmp_path / "day.ndjson").write_text("x")
    (tmp_path / "day.ndjson").chmod(0)
    settled(watched, clock)
    with pytest.raises(PermissionError):
        watched.take("day.ndjson")
    assert (tmp_path / "day.ndjson").exists() and list((tmp_path / TAKING).iterdir()) == []


def test_names_are_shown_as_text():
    """What is no UTF-8, and what would move a terminal's cursor, is replaced."""
    assert shown("day.ndjson") == "day.ndjson"
    assert shown(os.fsdecode(b"d\xff\x1b[2J.csv")) == "d\ufffd\ufffd[2J.csv"


def test_very_many_files_are_looked_at_quickly(tmp_path, clock):
    """Ten looks at 1000 files, in the order of their names."""
    for n in range(1000):
        (tmp_path / f"{n:05}.ndjson").write_text("x")
    watched = Watched(tmp_path, 9, clock)
    for _ in range(9):
        assert watched.finished() == []
        clock.now += 1
    assert watched.finished() == [f"{n:05}.ndjson" for n in range(1000)]


NAMES = st.sampled_from(["a.csv", "b.ndjson"])
STEPS = st.one_of(
    st.tuples(st.just("write"), NAMES), st.tuples(st.just("drop"), NAMES), st.tuples(st.just("squat"), NAMES), st.tuples(st.just("tick"), st.just(0)),
    *(st.tuples(st.just(step), st.integers(0, 1)) for step in ("look", "take", "take", "adopt", "move", "die", "release")),
)  # fmt: skip


@given(st.lists(STEPS, max_size=30))
def test_for_any_interleaving_nothing_is_lost_and_nothing_is_twice(tmp_path_factory, steps):
    """Law: after any turns of writers and two watchers, one of which may die or be stopped at any point, all that was dropped lies in ``done`` or
    ``problems`` once, with its reports, and what lay there before is as it was."""
    folder = tmp_path_factory.mktemp("incoming")
    clock = Clock()
    watchers = [Watched(folder, 1, clock), Watched(folder, 1, clock)]
    held = [[], []]
    dropped: Counter[str] = Counter()
    squatters = {}
    for number, (step, which) in enumerate(steps):
        if step == "write":  # slowly, in place
            with (folder / which).open("a") as file:
                file.write(f"{number};")
            dropped[f"{number};"] += 1
        elif step == "drop" and not (folder / which).exists():
            (folder / f"{which}.part").write_text(f"{number};")
            (folder / f"{which}.part").rename(folder / which)
            dropped[f"{number};"] += 1
        elif step == "squat" and not (folder / DONE / which).exists():
            (folder / DONE / which).write_text("squatter")
            squatters[which] = "squatter"
        elif step == "tick":
            clock.now += 1
        elif step == "look":
            watchers[which].finished()
        elif step == "take":
            held[which] += [
                taken for name in watchers[which].finished() if (taken := watchers[which].take(name))
            ]
            for taken in held[which]:
                taken.begin()
        elif step == "adopt":
            held[which] += watchers[which].abandoned()
        elif step == "move":
            for taken in held[which]:
                moved(taken, (DONE, PROBLEMS)[number % 2])
            held[which] = []
        elif step in ("die", "release"):
            for taken in held[which]:
                dies(taken) if step == "die" else taken.release()
            held[which], watchers[which] = [], Watched(folder, 1, clock)
    for some in held:
        for taken in some:
            dies(taken)
    last = Watched(folder, 0, clock)
    for taken in [*last.abandoned(), *(last.take(name) for name in last.finished())]:
        moved(taken)
    places = [path for place in (DONE, PROBLEMS) for path in (folder / place).iterdir()]
    inputs = [path for path in places if ".report." not in path.name]
    assert sorted(path.name for path in folder.iterdir()) == sorted([DONE, PROBLEMS, TAKING])
    assert list((folder / TAKING).iterdir()) == []
    for name, content in squatters.items():
        assert (folder / DONE / name).read_text() == content
        inputs.remove(folder / DONE / name)
    found = Counter(part + ";" for path in inputs for part in path.read_text().split(";")[:-1])
    assert found == dropped
    assert all(path.with_name(path.name + ending).exists() for path in inputs for ending in REPORTS)
