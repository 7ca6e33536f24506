"""The file around a workbook: a zip archive of XML parts (ECMA-376, part 2), opened so that no file can cost more than it should.

A workbook comes from anywhere. What is asked before anything is taken out of it: how long the file is, how many parts it has, how long they say they
are in all, and how much longer each is than its packed form. Every byte that comes out is counted again. XML is read by defusedxml with
document types forbidden, so that there are no entities to expand and nothing outside is fetched; all parts must be UTF-8.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, BinaryIO, Final, NoReturn

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from compliance.errors import InputError

LONGEST_FILE: Final = 128 * 1024 * 1024
MOST_PARTS: Final = 1000
LONGEST: Final = 512 * 1024 * 1024
"""Bytes of all parts together, unpacked."""
LONGEST_SMALL: Final = 16 * 1024 * 1024
"""Bytes of a part other than a sheet or the texts."""
DENSEST: Final = 250
"""A part of more than `LONGEST_SMALL` bytes is not so many times as long as its packed form; that of a full sheet is about 20 times."""

_CHUNK: Final = 64 * 1024
_LONGEST_TAG: Final = 1024 * 1024
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_NOT_WELL_FORMED: Final = "a part of it is not well-formed XML in UTF-8"
_ENTRY: Final = b"PK\x01\x02"
_COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SAVE_AGAIN: Final = "Open it in the spreadsheet program and save it as .xlsx again."


class NotXml(ValueError):
    """A part is no XML that may be read; the message says why."""


class Package:
    """The parts of a workbook's file by name. Raises InputError for a file that is none, or is not to be opened."""

    def __init__(self, name: str, stream: BinaryIO) -> None:
        self._name = name
        content = stream.read(LONGEST_FILE + 1)
        if len(content) > LONGEST_FILE:
            self.refuse(
                f"is longer than {_mib(LONGEST_FILE)}", "Save its rows as several workbooks, or as CSV."
            )
        if content.startswith(_COMPOUND):
            self.refuse(
                "is locked with a password, or a workbook of before 2007 (.xls)",
                "Take the password off, or save it as .xlsx.",
            )
        # Counted before the archive is opened, since opening it makes an object of each: an entry of the directory begins with this signature.
        if content.count(_ENTRY) > MOST_PARTS:
            self.refuse(f"has more than {MOST_PARTS} parts", _SAVE_AGAIN)
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
            self.refuse("is no .xlsx workbook", _SAVE_AGAIN)
        self._parts = {entry.filename.casefold(): entry for entry in self._archive.infolist()}
        self._left = LONGEST
        self._check()

    def refuse(self, what: str, remedy: str = _SAVE_AGAIN) -> NoReturn:
        """Says why the file is not read."""
        raise InputError(f"{self._name} {what}", remedy)

    def _check(self) -> None:
        entries = self._archive.infolist()
        if len(self._parts) != len(entries):
            self.refuse("has two parts of one name")
        if sum(entry.file_size for entry in entries) > LONGEST:
            self.refuse(
                f"unpacks to more than {_mib(LONGEST)}, which no table of events does",
                "Copy the rows that matter into an empty table.",
            )
        for entry in entries:
            if entry.flag_bits & 0x1:
                self.refuse("has parts that are locked with a password", "Take the password off.")
            if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                self.refuse("is packed in a way that no spreadsheet program packs")
            if entry.file_size > LONGEST_SMALL and entry.file_size > DENSEST * max(entry.compress_size, 1):
                self.refuse(
                    f"has a part that unpacks to more than {DENSEST} times its length, as no table of events does",
                    "Copy the rows that matter into an empty table.",
                )

    def __contains__(self, part: str) -> bool:
        return part.casefold() in self._parts

    def chunks(self, part: str) -> Iterator[bytes]:
        """The bytes of a part, unpacked. Raises InputError where it is missing or damaged, or the parts are longer than they may be."""
        entry = self._parts.get(part.casefold())
        if entry is None:
            self.refuse("is no workbook, or damaged: a part of it is missing")
        try:
            with self._archive.open(entry) as unpacked:
                while chunk := unpacked.read(_CHUNK):
                    self._left -= len(chunk)
                    if self._left < 0:
                        self.refuse(f"unpacks to more than {_mib(LONGEST)}")
                    yield chunk
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
            OSError,
            ValueError,
        ):
            self.refuse("is damaged: a part of it cannot be unpacked")

    def parse(self, part: str, target: Any) -> Iterator[None]:
        """Feeds a part to a target with `start`, `data`, `end` and `close`, piece by piece. Raises NotXml."""
        yield from parse(self.chunks(part), target)

    def small(self, part: str, target: Any) -> None:
        """Feeds a small part to a target. Raises InputError where it is none."""
        entry = self._parts.get(part.casefold())
        if entry is not None and entry.file_size > LONGEST_SMALL:
            self.refuse(f"has a part of more than {_mib(LONGEST_SMALL)} that holds no cells")
        self.whole(part, target)

    def whole(self, part: str, target: Any) -> None:
        """Feeds a part to a target. Raises InputError where it is not XML."""
        try:
            for _ in self.parse(part, target):
                pass
        except NotXml as error:
            self.refuse(f"cannot be read: {error}")


def parse(chunks: Iterator[bytes], target: Any) -> Iterator[None]:
    """Feeds XML to a target; yields after each piece. Raises NotXml for what is not well formed, not UTF-8, or has a document type."""
    parser = DefusedXMLParser(target=target, encoding="utf-8", forbid_dtd=True)
    try:
        fed = 0
        for chunk in chunks:
            # Told of first, since expat takes UTF-16 for what it is whatever it was told.
            if not fed and (b"\0" in chunk[:4] or chunk.startswith(_UTF_16)):
                raise NotXml(_NOT_WELL_FORMED)
            parser.feed(chunk)
            fed += len(chunk)
            # Expat before 2.6 begins an unfinished tag anew with every piece: a very long one would take forever (CVE-2023-52425).
            if fed - parser.parser.CurrentByteIndex > _LONGEST_TAG:
                raise NotXml(f"it has a tag of more than {_mib(_LONGEST_TAG)}")
            yield
        parser.close()
        yield
    except DefusedXmlException:
        raise NotXml("it has a document type or entities, which no workbook needs") from None
    except ParseError:
        raise NotXml(_NOT_WELL_FORMED) from None


@lru_cache(maxsize=256)
def local(tag: str) -> str:
    """An element's name without its namespace: workbooks of both kinds (ECMA-376, transitional and strict) have the same."""
    return tag.rpartition("}")[2]


class Elements:
    """A target that tells of the start of each element, by its local name."""

    def __init__(self, started: Callable[[str, dict[str, str]], None]) -> None:
        self._started = started

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._started(local(tag), attributes)

    def data(self, text: str) -> None:
        """Text between elements, which says nothing here."""

    def end(self, tag: str) -> None:
        """An element ends."""

    def close(self) -> None:
        """The part ends."""


def _mib(length: int) -> str:
    return f"{length // (1024 * 1024)} MiB"
