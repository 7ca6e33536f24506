"""The folder of a binder while it is made, its manifest, and its zip: under another name until it is whole (`compliance.new_folder`)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from compliance import new_folder
from compliance.new_folder import require_free, sync, waiting_beside
from compliance.reports.binder.verify_cells import CONTINUES, MANIFEST, RELEASE

_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say: when its files were made is in the log."""
_ZIP64: Final = 2**31 - 1


class Folder(new_folder.Folder):
    """The files of a binder that is being made."""

    def write_manifest(self) -> str:
        """List every file with its digest, as ``sha256sum -c`` reads it, but for the seal that is to come; gives the manifest's own digest."""
        lines = [
            f"{self.digest(name)}  {name}\n"
            for name in self.files()
            if name not in (MANIFEST, RELEASE, CONTINUES)
        ]
        content = "".join(lines).encode()
        self.bytes(MANIFEST, content)
        return sha256(content).hexdigest()


def write_zip(folder: Path, zipped: IO[bytes], name: str) -> None:
    """Everything in a folder as a zip, below `name`; the same files give the same bytes."""
    with ZipFile(zipped, "w", ZIP_DEFLATED) as made:
        for one in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = ZipInfo(f"{name}/{one.relative_to(folder).as_posix()}", _NO_TIME)
            info.compress_type, info.create_system, info.external_attr = ZIP_DEFLATED, 3, 0o100600 << 16
            with (
                one.open("rb") as source,
                made.open(info, "w", force_zip64=one.stat().st_size > _ZIP64) as target,
            ):
                shutil.copyfileobj(source, target, 1 << 20)


@contextmanager
def making(wanted: Path) -> Iterator[Folder]:
    """A new folder that becomes `wanted`, with ``wanted.zip`` beside it, where all goes well; otherwise nothing is left.

    Raises InputError where either is there already, another process makes it just now, or it cannot be written.
    """
    zipped = wanted.with_name(f"{wanted.name}.zip")
    with waiting_beside(wanted, zipped) as waiting:
        content = waiting / "folder"
        content.mkdir(mode=0o700)
        yield Folder(content)
        sync(content)
        with os.fdopen(os.open(waiting / "zip", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            write_zip(content, file, wanted.name)
            file.flush()
            os.fsync(file.fileno())
        require_free(wanted, zipped)
        os.link(waiting / "zip", zipped)  # unlike a renaming, this never replaces anything
        try:
            content.rename(wanted)
        except BaseException:
            zipped.unlink()
            raise
