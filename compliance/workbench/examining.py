"""Policies checked file by file: what ``compliance policy check`` and the hooks report.

A rule is examined by itself, on the tables of its folder's bundle.yaml and the ids of its requirements; whatever was found in order is
remembered (`compliance.workbench.remembered`), so that a second look costs little more than reading the files. Decided anew
each time, because they rest on more than one file or on the day: two files with one id, the values of single sites, overdue reviews.

It finds a problem exactly where `compliance.library.check_folder` does, and goes on where that stops: one broken file does not keep the
cases of the others from being run. What reads and judges is imported when there is something to read: most of the time there is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.errors import Place, Problem
from compliance.policy.files import (
    BUNDLE_FILE,
    REQUIREMENTS_FILE,
    content_of,
    folder_around,
    is_site_file,
    policy_files,
)
from compliance.settings import shipped_folder
from compliance.workbench.found import Basis, Found
from compliance.workbench.remembered import Memory, digest
from compliance.workbench.sources import PolicyFolder

if TYPE_CHECKING:
    from compliance.workbench.rule_check import Text


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found in a folder, or in those of its files that were named, in the order of their names."""

    name: str
    problems: tuple[Problem, ...]
    rules: int
    cases: int
    passed: int
    judged: bool
    """False where bundle.yaml is not in order, so that no case could be run."""
    remembered: int
    """How many of the rules had been found in order before, and have not changed."""


@dataclass(frozen=True)
class _Library:
    """A folder of which something was named: all of it, or some files."""

    folder: Path
    outside: bool  # whether the files lie in no folder of policies, and this one only lends its tables
    shown: Callable[[Path], str]
    files: dict[Path, None] = field(default_factory=dict)

    @property
    def shared(self) -> tuple[Path, Path]:
        """What its rules rest on."""
        return self.folder / BUNDLE_FILE, self.folder / REQUIREMENTS_FILE

    @property
    def whole(self) -> bool:
        """Whether all of it is meant: it was named, or what all its rules rest on."""
        return not self.files.keys().isdisjoint({self.folder, *self.shared})

    @property
    def name(self) -> str:
        """What is said to have been checked: the one thing that was named, else the folder."""
        return self.shown(next(iter(self.files)) if len(self.files) == 1 else self.folder)


def examine(named: Iterable[PolicyFolder], today: str, memory: Memory) -> Iterator[Examination]:
    """Check what was named, folder by folder: files of one folder are checked together, on one reading of what they share.

    Where bundle.yaml or the list of requirements is named, all that rests on it is checked. A file in no folder of policies
    is checked on the shipped tables. `today` is an RFC 3339 date.
    """
    libraries: dict[tuple[Path, bool], _Library] = {}
    for one in named:
        path = one.path
        around = path if path.is_dir() else folder_around(path)
        folder = shipped_folder("policies") if around is None else around
        library = libraries.setdefault((folder, around is None), _Library(folder, around is None, one.shown))
        if around is not None and not path.is_relative_to(around):
            path = path.resolve()
        library.files[path] = None
    for library in libraries.values():
        yield _Examiner(library, today, memory).run()
    memory.save()


class _Examiner:
    """One folder while it is examined: each file is read once."""

    def __init__(self, library: _Library, today: str, memory: Memory) -> None:
        self._library = library
        self._today, self._memory = today, memory
        self._contents: dict[Path, bytes | OSError] = {}
        self._problems: dict[Path, list[Problem]] = {}
        self._remembered = 0

    def run(self) -> Examination:
        """Examine what was named."""
        library = self._library
        below = () if library.outside else policy_files(library.folder)
        files = {*below, *library.files} if library.whole else set(library.files)
        files.difference_update(library.shared, [library.folder])
        sites = {file for file in files if not library.outside and is_site_file(file, library.folder)}
        basis = self._basis()
        found = self._rules(sorted(files - sites), basis)
        self._one_id_each(found, below)
        # What a site asks is read against the rules; that a rule's case does not hold is no reason not to.
        if all(one.code == "case" for some in self._problems.values() for one in some):
            self._sites(sites, found, below)
        for file, one in found.items():
            if one.place is not None and one.review_by and one.review_by < self._today:
                from compliance.library import overdue_review  # noqa: PLC0415 - see above

                self._note(file, overdue_review(one.rule_id, one.owner, one.review_by, one.place))
        rules = [one for one in found.values() if one.is_rule]
        return Examination(
            library.name,
            tuple(problem for file in sorted(self._problems) for problem in self._problems[file]),
            len(rules),
            sum(one.cases for one in rules),
            sum(one.passed for one in rules),
            basis.bundle is not None,
            self._remembered,
        )

    def _basis(self) -> Basis:
        """What all rules rest on, as far as it is in order."""
        bundle, requirements = self._library.shared
        seen = self._in_order("bundle", bundle)
        ids = self._in_order("requirements", requirements) if requirements.is_file() else None
        content = self._content(bundle)
        named = None if ids is None else frozenset(ids)
        if seen is None or isinstance(content, OSError):
            return Basis(None, named)
        return Basis(content, named, digest(seen, "any" if ids is None else digest(*ids)))

    def _in_order(self, kind: str, file: Path) -> Any:
        """What rules may see of a file that they share; None, with its problems noted, where it is not in order."""
        content = self._content(file)
        if isinstance(content, FileNotFoundError):
            from compliance.policy.bundle import no_bundle  # noqa: PLC0415 - see above

            self._note(file, no_bundle(self._library.shown(file)))
            return None
        if isinstance(content, OSError):
            self._cannot_read(file, content)
            return None
        key = self._memory.key(kind, content)
        answer = self._memory.recall(key)
        if answer is None:
            from compliance.workbench.rule_check import read_bundle, read_ids  # noqa: PLC0415 - see above

            read: Callable[[Text], tuple[Any, tuple[Problem, ...]]] = (
                read_bundle if kind == "bundle" else read_ids
            )
            answer, problems = read((content, self._library.shown(file)))
            if problems:
                self._note(file, *problems)
                return None
            self._memory.keep(key, answer)
        return answer

    def _rules(self, files: Sequence[Path], basis: Basis) -> dict[Path, Found]:
        """What is found in each rule's file, remembered or now."""
        found: dict[Path, Found] = {}
        keys: dict[Path, str] = {}
        for file in files:
            content = self._content(file)
            if isinstance(content, OSError):
                self._cannot_read(file, content)
                continue
            keys[file] = self._memory.key("rule", file.stem, basis.digest, content)
            answer = self._memory.recall(keys[file]) if basis.digest else None
            if answer is not None:
                found[file] = Found.remembered(answer, file.stem, self._library.shown(file))
        self._remembered = len(found)
        new = [file for file in keys if file not in found]
        if new:
            from compliance.workbench.rule_check import examine_rules  # noqa: PLC0415 - see above

            for file, one in zip(new, examine_rules([self._text(file) for file in new], basis), strict=True):
                found[file] = one
                self._note(file, *one.problems)
                if basis.digest and not one.problems:
                    self._memory.keep(keys[file], one.answer())
        return {file: found[file] for file in files if file in found}

    def _one_id_each(self, found: Mapping[Path, Found], below: Iterable[Path]) -> None:
        """No two files are one rule. A rule in order has its file's name, so that of files that were not asked for only those of
        the same name need a look."""
        stems = {file.stem for file in found}
        first: dict[str, Place] = {}
        for file in below:
            if file.stem in stems and file not in found and self._is_rule_file(file):
                from compliance.workbench.rule_check import said_id  # noqa: PLC0415 - see above

                said = None if isinstance(self._content(file), OSError) else said_id(self._text(file))
                if said is not None:
                    first.setdefault(*said)
        for file, one in found.items():
            if not one.rule_id or one.place is None:
                continue
            if first.setdefault(one.rule_id, one.place) is not one.place:
                from compliance.workbench.rule_check import taken  # noqa: PLC0415 - see above

                self._note(file, taken(self._text(file), one.rule_id, first[one.rule_id]))

    def _sites(self, asked: Iterable[Path], found: Mapping[Path, Found], below: Sequence[Path]) -> None:
        """The values of the sites that were asked for, and of those that speak of a rule that was."""
        sites = set(asked)
        for file in set(below).difference(self._library.shared, sites):
            content = b"" if self._is_rule_file(file) else self._content(file)
            if isinstance(content, bytes) and any(rule.stem.encode() in content for rule in found):
                sites.add(file)
        if not sites:
            return
        readable = [
            file
            for file in below
            if self._is_rule_file(file) and not isinstance(self._content(file), OSError)
        ]
        rules = {file.stem: self._text(file) for file in readable}
        of_sites = {
            file for file in set(below).difference(self._library.shared) if not self._is_rule_file(file)
        }
        together = [file for file in sorted(of_sites | sites) if not isinstance(self._content(file), OSError)]
        under = digest(
            *(part for name, (content, _) in rules.items() for part in (name, content)),
            *(self._text(file)[0] for file in together),
        )
        for file in sorted(sites):
            content = self._content(file)
            if isinstance(content, OSError):
                self._cannot_read(file, content)
                continue
            key = self._memory.key("site", file.stem, under, content)
            if self._memory.recall(key) is None:
                from compliance.workbench.rule_check import examine_site  # noqa: PLC0415 - see above

                others = [self._text(other) for other in together if other != file]
                problems = examine_site(self._text(file), rules, others)
                self._note(file, *problems)
                if not problems:
                    self._memory.keep(key, True)

    def _is_rule_file(self, file: Path) -> bool:
        library = self._library
        return file not in library.shared and (library.outside or not is_site_file(file, library.folder))

    def _content(self, file: Path) -> bytes | OSError:
        """What stands in a file, read once; no more of it than a policy may have."""
        if file not in self._contents:
            try:
                self._contents[file] = content_of(file)
            except OSError as error:
                self._contents[file] = error
        return self._contents[file]

    def _text(self, file: Path) -> tuple[bytes, str]:
        """What stands in a file that can be read, and how the file is called."""
        content = self._contents[file]
        assert isinstance(content, bytes)
        return content, self._library.shown(file)

    def _cannot_read(self, file: Path, error: OSError) -> None:
        from compliance.policy.documents import unreadable  # noqa: PLC0415 - see above

        self._note(file, unreadable(error, self._library.shown(file)))

    def _note(self, file: Path, *problems: Problem) -> None:
        if problems:
            self._problems.setdefault(file, []).extend(problems)
