"""CSV as programs and people write it: what is taken, and what becomes a problem while all else goes on."""

from __future__ import annotations

import io
import time
import tracemalloc

import pytest

from compliance.domain.sheet_text import as_meant, disarmed
from compliance.errors import InputError
from compliance.intake.drafts import KEPT, Draft, Rejected
from compliance.intake.sheets.filling import Table
from compliance.intake.sheets.table import read_csv
from tests.tables import KIND, ROW, chicago, columns, csv_of, one, read

HEAD = b"Occurred at,Patient,Point,Equipment\n"
LINE = b"2026-03-04T09:05:00-06:00,P%d,during,%s\n"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\r\n", b"\n"),
        lambda text: text.replace(b"\r\n", b"\r"),
        lambda text: text.removesuffix(b"\r\n"),
        lambda text: text.replace(b",", b";"),
        lambda text: text.replace(b",", b"\t"),
        lambda text: b"sep=;\r\n" + text.replace(b",", b";"),
        lambda text: b'"' + text.replace(b",", b'","').replace(b"\r\n", b'"\r\n"').removesuffix(b'"'),
        lambda text: b"A title, with a comma; and more; and more; and more; and more\r\n" + text.replace(b",", b";"),
    ],
    ids=["mark", "lf", "cr", "no end", "semicolon", "tab", "sep", "quoted", "title"],
)  # fmt: skip
def test_what_programs_write_is_read(change):
    """Byte-order mark, line ends, separators, quotation marks."""
    assert read(change(csv_of(*columns(Session="T1")))).event.body["session"] == "T1"


def test_a_row_is_counted_as_a_spreadsheet_counts_it():
    """Line ends within quotation marks begin no row."""
    content = HEAD + LINE % (1, b'"large\ncuff,\r\nblue"') + b"\n" + LINE % (2, b"") + b"x,P3,during,\n"
    answer = read(content)
    assert [event.body.get("equipment") for event in answer.events] == ["large\ncuff,\r\nblue", None]
    assert [item.line for item in answer.items] == [2, 4, 5]


@pytest.mark.parametrize(
    ("line", "code", "rows"),
    [
        (LINE % (2, b"caf\xe9"), "not_text", [2, 3, 4]),
        (LINE % (2, b"a\0b"), "not_text", [2, 3, 4]),
        (LINE % (2, b'"large" cuff'), "not_csv", [2, 3, 4]),
        (LINE % (2, b"a,b"), "too_many_fields", [2, 3, 4]),
        (LINE % (2, b"x" * 200_000), "too_long", [2, 3, 4]),
        (b"x" * 3_000_000 + b"\n", "too_long", [2, 3, 4]),
        (b"," * 20_000 + b"x\n", "too_long", [2, 3, 4]),
        (LINE % (2, b'"large'), "not_csv", [2, 3]),
    ],
)
def test_a_bad_row_spoils_no_other(line, code, rows):
    """It is kept, with its bytes; only a quotation mark that is never closed takes what follows along."""
    answer = read(HEAD + LINE % (1, b"") + line + LINE % (3, b""))
    assert [item.line for item in answer.items] == rows
    (bad,) = [item for item in answer.items if isinstance(item, Rejected)]
    assert [problem.code for problem in bad.problems] == [code]
    assert bad.raw and len(bad.raw) <= KEPT
    assert not bad.raw.isascii() or b"P2" in bad.raw or code == "too_long"


def test_the_byte_that_is_not_utf_8_is_named_and_kept():
    """Which encoding it is in, nobody can tell; the bytes stay what they were."""
    answer = read(HEAD + LINE % (1, b"caf\xe9"))
    assert answer.problem.message == "character 4 is byte 0xe9, which is not UTF-8"
    assert str(answer.problem.place) == "t.csv:2:4: equipment (D2)"
    assert answer.items[0].raw.endswith(b'"caf\xe9"\r\n')


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_as_a_whole(encoding):
    """It is what some programs call Unicode text."""
    with pytest.raises(InputError, match="probably UTF-16"):
        read(csv_of(*columns()).decode().encode(encoding))


@pytest.mark.parametrize(
    "text", ["=1+1", "-5", "@x", "'=1", "''-1", " +1", "'quoted'", "\N{FULLWIDTH PLUS SIGN}1"]
)
def test_what_was_disarmed_reads_as_it_was(text):
    """An apostrophe that keeps a spreadsheet from calculating is no part of the text."""
    assert as_meant(disarmed(text)) == text
    assert one(Equipment=text).event.body["equipment"] == text.strip()


def test_a_negative_number_needs_no_apostrophe_and_may_have_one():
    """Columns of numbers hold numbers."""
    for text in ("-5", "'-5"):
        assert (
            read(HEAD.replace(b"Equipment", b"weight_kg") + LINE % (1, text.encode())).event.body["weight_kg"]
            == "-5"
        )


class Endless(io.RawIOBase):
    """A file of so many rows, made as it is read."""

    def __init__(self, rows: int) -> None:
        self._left = rows
        self._next = b"Occurred at,Patient,Point,Id\n"

    def readline(self, size: int = -1) -> bytes:
        line, self._left = self._next, self._left - 1
        self._next = b"2026-03-04T09:05:00-06:00,P1,during,E%d\n" % self._left if self._left >= 0 else b""
        return line


def peak(rows: int) -> int:
    """Bytes of memory at most, reading so many rows."""
    tracemalloc.start()
    table = Table(KIND, chicago, lambda _: None, "S1", "A1")
    assert sum(1 for _ in read_csv("t.csv", Endless(rows), table)) == rows
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_a_long_file_takes_no_more_memory_than_a_short_one():
    """Rows with ids are handed on and forgotten; of one without a hundred bytes are kept, for up to a million rows."""
    peak(10)
    assert peak(1500) < peak(300) + 100_000


def test_a_file_of_open_quotation_marks_takes_no_longer_than_another():
    """What was read once is not read again."""
    content = HEAD + (b'"x\n' + (b"y" * 5000 + b"\n") * 300) * 4
    began = time.monotonic()
    items = read(content).items
    assert not [item for item in items if isinstance(item, Draft)]
    assert time.monotonic() - began < 5


def test_the_headings_may_not_be_utf_8():
    """A column that is no field may be called anything."""
    assert read(
        csv_of(*columns()).replace(b"Point", b"Point,caf\xe9", 1).replace(ROW[2].encode(), b"during,x")
    ).event
