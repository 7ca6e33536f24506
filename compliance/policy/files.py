"""Which files of a folder are policies, by their names alone; nothing is read."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

BUNDLE_FILE: Final = "bundle.yaml"
REQUIREMENTS_FILE: Final = "requirements.yaml"
SHARED_FILES: Final = (BUNDLE_FILE, REQUIREMENTS_FILE)
"""What all rules of a folder rest on, at its top."""
SITES_FOLDER: Final = "sites"
"""Below a folder of policies: what single sites ask beyond it."""
MAX_BYTES: Final = 256 * 1024
"""No policy file is larger."""


def content_of(path: Path) -> bytes:
    """What stands in a file, no more of it than a policy may have and one byte. Raises OSError, also where it is no regular file: a pipe would
    be waited for."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123 - of a descriptor
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        return file.read(MAX_BYTES + 1)


def policy_files(folder: Path) -> tuple[Path, ...]:
    """Every ``**/*.yaml`` below a folder, in the order of names; hidden files and folders are left out."""
    files = sorted(folder.rglob("*.yaml"))
    return tuple(
        file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )


def is_site_file(file: Path, folder: Path) -> bool:
    """Whether a file of a folder of policies holds the values of a single site."""
    return file.relative_to(folder).parts[0] == SITES_FOLDER


def folder_around(file: Path) -> Path | None:
    """The nearest folder above a file that holds a bundle.yaml, named as the file is where it can be."""
    written = () if ".." in file.parts else tuple(file.parents)
    return next(
        (above for above in (*written, *file.resolve().parents) if (above / BUNDLE_FILE).is_file()), None
    )
