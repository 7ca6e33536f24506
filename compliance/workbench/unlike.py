"""Two states of a folder of policies, byte by byte: whether any file differs at all."""

from __future__ import annotations

from pathlib import Path

from compliance.policy.files import SHARED_FILES, content_of, is_site_file, policy_files


def rules_alike(old: Path, new: Path) -> int | None:
    """How many rules two folders have, where no file of theirs differs; None where one does."""
    ours = contents(old)
    if ours != contents(new):
        return None
    return sum(name not in SHARED_FILES and not is_site_file(old / name, old) for name in ours)


def contents(folder: Path) -> dict[str, bytes]:
    """What stands in each policy file, by its name below the folder."""
    return {file.relative_to(folder).as_posix(): _content(file) for file in policy_files(folder)}


def _content(file: Path) -> bytes:
    """Of a file that cannot be read, nothing that any other file says: who reads it as a policy says what is wrong with it."""
    try:
        return content_of(file)
    except OSError:
        return f"cannot be read: {file}".encode()
