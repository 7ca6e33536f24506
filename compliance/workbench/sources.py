"""What a person names as policies: a folder, a file, or a git revision, as something that can be read.

    my-policies               a folder that holds bundle.yaml
    my-policies/one.yaml      a file in such a folder
    HEAD, v1.2, main~3        the same folder as here, as it was then: the one that this call stands in, else `policies` below it
    HEAD~1:my/policies        a folder (or a file) of that revision, from the repository's top as git counts (`./` from here)

What exists under the name wins over a revision of that name. A revision is read out of git's own store, file by file and byte by byte,
into a temporary folder: no checkout, no hook, no filter, no index. git runs in the environment of the caller, since a hook's GIT_DIR
says which repository is meant; an argument that git could take for an option is refused.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Final

from compliance.errors import InputError
from compliance.policy.files import BUNDLE_FILE, folder_around

SCHEMA_LINE: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?# yaml-language-server: \$schema=\S*?(?:policy|bundle|requirements|site|cases)\.v\d+\.json\s"
)
"""By this first line editors know our schemas, and we our files."""
_FIRST_LINE: Final = 1_000
_SECONDS: Final = 60
_QUIET: Final = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "LC_ALL": "C",
}
_BESIDE: Final = "policies"
_LOOKED_FOR: Final = f"{BUNDLE_FILE} here, in a folder above, or in {_BESIDE}/"


@dataclass(frozen=True, slots=True)
class PolicyFolder:
    """A folder of policies, or one file of it, at `path`; of a revision the path is temporary."""

    path: Path
    revision: str | None = None
    top: Path | None = None  # what stands for the repository's top, where this is of a revision

    def shown(self, path: Path) -> str:
        """A file's name as messages give it: as it was named, or as git names it (``HEAD~1:policies/x.yaml``)."""
        if self.revision is None or self.top is None:
            return str(path)
        return f"{self.revision}:{path.relative_to(self.top).as_posix()}"

    def __str__(self) -> str:
        return self.shown(self.path)


@contextmanager
def folder_of(named: str | Path) -> Iterator[PolicyFolder]:
    """The folder of policies that a person named, as long as the ``with`` lasts. Raises InputError where there is none."""
    with policies_of(named) as found:
        if not found.path.is_dir():
            raise InputError(f"{found} is no folder", f"Name the folder that holds {BUNDLE_FILE}.")
        yield found


@contextmanager
def policies_of(named: str | Path) -> Iterator[PolicyFolder]:
    """The folder or file that a person named, as long as the ``with`` lasts. Raises InputError where there is none."""
    if os.path.lexists(named):
        yield PolicyFolder(Path(named))
        return
    revision, path = _parted(str(named))
    commit = _commit(str(named), revision)
    with TemporaryDirectory(prefix="compliance-policies-") as made:
        top = Path(made).resolve()
        yield PolicyFolder(_extracted(revision, commit, path, top), revision, top)


def present_folder(then: PolicyFolder) -> PolicyFolder:
    """What stands here now for a folder of a revision; for any other, the policies of this place. Raises InputError where there are none."""
    if then.top is not None:
        here = Path(os.path.relpath(_top() / then.path.relative_to(then.top)))
        if here.is_dir():
            return PolicyFolder(here)
    folder = next((one for one, _ in _folders_here(PurePosixPath()) if (one / BUNDLE_FILE).is_file()), None)
    if folder is None:
        raise InputError(f"which policies are meant? There is no {_LOOKED_FOR}", "Name their folder.")
    return PolicyFolder(Path(os.path.relpath(folder)))


def is_policy(path: Path) -> bool:
    """Whether what lies here is meant as policies: a folder, a file below a bundle.yaml, or one that names our schema at its top."""
    if path.is_dir() or folder_around(path) is not None:
        return True
    try:
        with path.open("rb") as file:
            return SCHEMA_LINE.match(file.read(_FIRST_LINE)) is not None
    except OSError:  # who reads it as a policy says what is wrong
        return True


def _parted(named: str) -> tuple[str, str | None]:
    """A revision and the path behind its colon; a colon in braces (``HEAD^{/fix: x}``) is the revision's own."""
    depth = 0
    for at, letter in enumerate(named):
        depth += (letter == "{") - (letter == "}")
        if letter == ":" and depth == 0:
            return named[:at], named[at + 1 :]
    return named, None


def _commit(named: str, revision: str) -> str:
    """The commit that a revision names; InputError in a person's words where there is none."""
    nothing = InputError(
        f"there is no file, folder or git revision {named}",
        f"Name a folder that holds {BUNDLE_FILE}, a rule's file, or a revision such as HEAD or HEAD~1:my/policies.",
    )
    if not revision or revision.startswith("-") or "\0" in named:
        raise nothing
    found = _git(["rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"])
    if found.returncode == 0:
        return found.stdout.decode("ascii").strip()
    said = _words(found)
    if said.startswith("not a git repository"):
        said = "this folder is in no repository"
    if said:
        raise InputError(
            f"there is no file or folder {named}, and git finds no revision: {said}", nothing.remedy
        )
    raise nothing


def _extracted(revision: str, commit: str, path: str | None, top: Path) -> Path:
    """Writes the policies of a commit below `top` and says where the folder (or file) that was asked for came to lie."""
    wanted = _from_top(path) if path is not None else None
    blobs = _policy_files(revision, commit)
    if wanted is None:
        wanted = _same_folder_as_here(revision)
    inside = str(wanted) == "."
    if wanted in blobs:
        folder = next((above for above in wanted.parents if above / BUNDLE_FILE in blobs), None)
        if folder is None:
            raise InputError(
                f"{revision}:{wanted} lies in no folder with {BUNDLE_FILE}",
                "Name a file of a folder of policies.",
            )
    else:
        folder = wanted
    chosen = [name for name in blobs if folder in name.parents]
    if not chosen:
        raise InputError(
            f"at {revision} there are no policies in {'the repository' if inside else wanted}",
            f"Name the folder that held them then: {revision}:FOLDER, counted from the repository's top.",
        )
    for name, content in zip(chosen, _contents(revision, [(n, blobs[n]) for n in chosen]), strict=True):
        file = top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return top / wanted


def _from_top(path: str) -> PurePosixPath:
    """A path behind a revision's colon, from the repository's top; one that begins with a dot starts here, as git reads it."""
    start = _prefix() if path.startswith(("./", "../")) or path in {".", ".."} else ""
    normal = PurePosixPath(os.path.normpath(f"{start}{path}" or "."))
    if normal.is_absolute() or ".." in normal.parts:
        raise InputError(f"{path} leaves the repository", "Count the path from the repository's top.")
    return normal


def _same_folder_as_here(revision: str) -> PurePosixPath:
    """The nearest folder with a bundle.yaml: this one or one above it, else `policies` below this one, from the repository's top."""
    for folder, named in _folders_here(PurePosixPath(_prefix() or ".")):
        if (folder / BUNDLE_FILE).is_file():
            return named
    raise InputError(
        f"which folder of {revision} is meant? There is no {_LOOKED_FOR}",
        f"Name the folder, counted from the repository's top: {revision}:my/policies.",
    )


def _folders_here(prefix: PurePosixPath) -> list[tuple[Path, PurePosixPath]]:
    """Where policies are looked for that nobody named, each with its name from the repository's top."""
    here = Path.cwd()
    above = list(
        zip([here, *here.parents], [prefix, *prefix.parents, *[prefix] * len(here.parents)], strict=False)
    )
    return [*above, (here / _BESIDE, prefix / _BESIDE)]


def _top() -> Path:
    """The top of the repository's working tree."""
    return Path(os.fsdecode(_said(["rev-parse", "--show-toplevel"])).rstrip("\n"))


def _prefix() -> str:
    """Where this process stands, from the repository's top: empty there, else with a slash at its end."""
    return os.fsdecode(_said(["rev-parse", "--show-prefix"])).rstrip("\n")


def _policy_files(revision: str, commit: str) -> dict[PurePosixPath, str]:
    """Every YAML file of a commit with the name of its content."""
    found: dict[PurePosixPath, str] = {}
    for row in _said(["ls-tree", "-r", "-z", "--full-tree", commit]).split(b"\0"):
        about, _, name = row.partition(b"\t")
        path = PurePosixPath(os.fsdecode(name))
        if path.suffix != ".yaml" or ".." in path.parts or path.is_absolute():
            continue
        mode, kind, content = about.decode("ascii").split(" ")
        if kind == "blob":
            if mode == "120000":
                raise InputError(
                    f"{revision}:{path} is a symbolic link, which is not followed in a revision",
                    "Put the file itself where the link is.",
                )
            found[path] = content
    return found


def _contents(revision: str, blobs: Sequence[tuple[PurePosixPath, str]]) -> list[bytes]:
    """What stands in files of a commit, in their order, asked for all at once."""
    asked = "".join(f"{content}\n" for _, content in blobs).encode("ascii")
    answer = _said(["cat-file", "--batch"], asked)
    found, at = [], 0
    for path, _ in blobs:
        head = answer[at : answer.index(b"\n", at)]
        at += len(head) + 1
        parts = head.split(b" ")
        if len(parts) != 3:
            raise InputError(
                f"git does not have {revision}:{path}: {head.decode('utf-8', 'replace')}",
                "Fetch the whole repository (a partial clone leaves contents out).",
            )
        size = int(parts[2])
        found.append(answer[at : at + size])
        at += size + 1
    return found


def _said(words: Sequence[str], asked: bytes = b"") -> bytes:
    """What git answers; InputError with its own words where it does not."""
    answer = _git(words, asked)
    if answer.returncode:
        raise InputError(
            f"git could not be asked: {_words(answer) or 'it gave no reason'}", "Run it in a git repository."
        )
    return answer.stdout


def _git(words: Sequence[str], asked: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - a list of words, none of which git can take for an option
            ["git", "--no-pager", *words],  # noqa: S607 - the git that this person uses
            input=asked,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            env={**os.environ, **_QUIET},
        )
    except OSError as error:
        raise InputError(
            f"git cannot be run, so that no revision can be read: {error.strerror}",
            "Name a folder or a file.",
        ) from None
    except subprocess.TimeoutExpired:
        raise InputError(
            f"git gave no answer in {_SECONDS} seconds", "Try the same with git itself."
        ) from None


def _words(answer: subprocess.CompletedProcess[bytes]) -> str:
    """The first line of git's complaint."""
    lines = answer.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ").removeprefix("error: ") if lines else ""
