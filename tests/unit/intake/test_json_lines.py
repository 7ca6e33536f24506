"""Events from JSON files: whatever the bytes are, each piece is an event or a rejection, and reading goes on."""

from __future__ import annotations

import io
import json
import time
import tracemalloc
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.making import make_event
from compliance.intake.drafts import KEPT, Draft, Rejected
from compliance.intake.json_lines import read_json
from compliance.intake.pieces import MAX_PIECE
from tests.valid_events import bodies

VOID: dict[str, Any] = {
    "id": "E-2", "kind": "void", "site": "S", "actor": "A", "occurred_at": "2026-03-02T09:00:00Z", "corrects": "E-1", "reason": "twice",
    "reason_code": "duplicate",
}  # fmt: skip
LINE = json.dumps(VOID).encode()


def read(content: bytes) -> list[Draft | Rejected]:
    return list(read_json("in.json", io.BytesIO(content)))


def rejection(content: bytes) -> Rejected:
    (item,) = read(content)
    assert isinstance(item, Rejected), item
    return item


def drafts(content: bytes) -> list[str]:
    items = read(content)
    assert all(isinstance(item, Draft) for item in items), items
    return [item.event.id for item in items if isinstance(item, Draft)]


def event(number: int) -> dict[str, Any]:
    return VOID | {"id": f"E-{number}"}


@pytest.mark.parametrize("indent", [None, 0, 2])
@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n\r\n  "])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"\n \n"])
def test_objects_arrays_and_lines_are_told_apart(indent: int | None, ending: bytes, mark: bytes) -> None:
    """One object, an array, or one object per line, laid out as may be, with a byte-order mark or blank lines in front."""
    one = json.dumps(event(1), indent=indent).encode()
    many = json.dumps([event(1), event(2), event(3)], indent=indent).encode()
    lines = b"\n".join(json.dumps(event(n)).encode() for n in (1, 2, 3))
    assert drafts(mark + one + ending) == ["E-1"]
    assert drafts(mark + many + ending) == ["E-1", "E-2", "E-3"]
    assert drafts(mark + lines + ending) == ["E-1", "E-2", "E-3"]
    assert drafts(mark + lines.replace(b"\n", b"\r\n") + ending) == ["E-1", "E-2", "E-3"]


@given(st.lists(bodies(), max_size=4), st.sampled_from([None, 1]))
def test_every_layout_gives_the_same_events(sent: list[dict[str, Any]], indent: int | None) -> None:
    """The events of an array are those of the lines, with their values."""
    expected = [made for body in sent if not isinstance(made := make_event(body), tuple)]
    array = json.dumps([made.body for made in expected], indent=indent).encode()
    lines = b"".join(json.dumps(made.body, ensure_ascii=False).encode() + b"\n" for made in expected)
    for content in (array, lines):
        assert [item.event for item in read(content) if isinstance(item, Draft)] == expected


def test_each_event_knows_its_line() -> None:
    """Lines are counted from 1, blank ones included; in an array it is the line where the element begins."""
    assert [item.line for item in read(b"\n" + LINE + b"\n\n" + LINE)] == [2, 4]
    assert [item.line for item in read(b"[\n\n" + LINE + b",\n" + LINE + b"\n,\n nonsense]")] == [3, 4, 6]
    broken = read(b'{\n "id": "E-1",\n "kind": oops\n}')[0]
    assert isinstance(broken, Rejected)
    assert str(broken.problems[0].place) == "in.json:3:10"


@pytest.mark.parametrize("content", [b"", b"\n", b" \r\n\t\n", b"[]", b"[ \n ]", b"\xef\xbb\xbf"])
def test_an_empty_input_has_no_events(content: bytes) -> None:
    """Nothing is nothing, not a mistake."""
    assert read(content) == []


BAD = [
    (b'{"id":"E-1","kind":', 20, "breaks off"),
    (b'{"id":"E-1', None, "breaks off"),
    (b"{", 2, "breaks off"),
    (b"nonsense", 1, "expecting value"),
    (b'{"id":"E-1"} {"id":"E-2"}', 14, "extra data"),
    (b"{'id':'E-1'}", 2, "double quotes"),
    (b'{"id":"E-1",}', None, "not valid JSON"),
    (b'{"id":"a\tb"}', 9, "control character"),
    (b'{"id":"E-1","dose_mg":NaN}', None, "NaN is no JSON number"),
    (b'{"id":"E-1","dose_mg":-Infinity}', None, "-Infinity is no JSON number"),
    (b'{"id":"E-\x001"}', 10, "NUL"),
    (b'{"id":"\xff"}', 8, "not UTF-8"),
    (b'{"id":"\xed\xa0\x80"}', 8, "not UTF-8"),
    ('{"id":"E-1"}'.encode("utf-16-le"), 2, "NUL"),
    (b"[" * 1000, None, "64 levels"),
    (b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}", None, "64 levels"),
    (b'{"a":' * 100_000, None, "64 levels"),
    (b'{"dose_mg":01}', None, "not valid JSON"),
    (b'{"dose_mg":.5}', None, "expecting value"),
    (b'{"dose_mg":0x1}', None, "not valid JSON"),
    (b'["text"', None, "JSON object"),
    (b"17", None, "JSON object"),
    (b"null", None, "JSON object"),
]  # fmt: skip


@pytest.mark.parametrize("content, column, says", BAD, ids=[f"{i}" for i in range(len(BAD))])
def test_what_is_no_json_is_rejected_with_its_place(content: bytes, column: int | None, says: str) -> None:
    """The first rejection says what is wrong and where; its bytes are kept with their digest. What comes after is still read."""
    first = read(content)[0]
    assert isinstance(first, Rejected)
    assert says in first.problems[0].message
    assert first.problems[0].remedy
    assert column is None or first.problems[0].place.column == column
    lines = read(LINE + b"\n" + content + b"\n" + LINE + b"\n")
    assert [type(item) for item in lines] == [Draft, Rejected, Draft]
    assert isinstance(lines[1], Rejected)
    assert lines[1].sha256 == sha256(content.strip()).hexdigest()
    assert lines[1].raw == content.strip()[:KEPT]


def test_a_broken_first_line_spoils_no_other() -> None:
    """Lines are lines even where the first is cut off."""
    items = read(LINE[:30] + b"\n" + LINE + b"\n" + b"garbage\n" + LINE)
    assert [type(item) for item in items] == [Rejected, Draft, Rejected, Draft]


def test_a_broken_element_spoils_no_other() -> None:
    """In an array, what stands between two commas is judged by itself."""
    items = read(b"[" + LINE + b', {"id": oops}, ' + LINE + b", 17, " + LINE + b"]")
    assert [type(item) for item in items] == [Draft, Rejected, Draft, Rejected, Draft]


def test_an_array_that_breaks_off_is_never_taken_for_a_whole_one() -> None:
    """Events before the break are read, and the break is reported."""
    for content in (b"[" + LINE + b",", b"[" + LINE, b"[" + LINE + b"," + LINE[:40]):
        items = read(content)
        assert [type(item) for item in items] == [Draft, Rejected]
        assert isinstance(items[1], Rejected)
        assert "breaks off" in items[1].problems[0].message


def test_brackets_and_quotes_within_strings_cut_nothing() -> None:
    """A text may hold any of the signs that the cutter looks for, split over chunks as may be."""
    for text in ('"],[{,}', "\\", '\\"', "[" * 200, "x" * 3900 + '\\"]}', "}{"):
        body = VOID | {"reason": text + "."}
        assert drafts(json.dumps([body, body], indent=1).encode()) == ["E-2", "E-2"]
    for pad in range(64 * 1024 - len(LINE) - 8, 64 * 1024):
        content = b"[" + b" " * pad + LINE.replace(b"twice", b'\\"tw\\\\ice') + b"," + LINE + b"]"
        assert drafts(content) == ["E-2", "E-2"]


def test_a_repeated_name_is_refused_with_whatever_else_is_wrong() -> None:
    """Nobody can say which of two values was meant."""
    found = rejection(LINE[:-1] + b',"reason":"other","reason":"third","reason_code":"x"}')
    assert {(p.place.field, p.code) for p in found.problems} == {
        ("reason", "repeated_name"),
        ("reason_code", "repeated_name"),
        ("reason_code", "not_listed"),
    }


def test_numbers_keep_their_digits() -> None:
    """No float and no conversion comes between the file and the event."""
    body = json.dumps(
        VOID | {"kind": "vital_signs", "patient": "P", "point": "pre_dose", "weight_kg": "@"}
    ).encode()
    body = body.replace(b'"corrects": "E-1", ', b"").replace(b', "reason_code": "duplicate"', b"")
    for written, kept in (
        (b"81.20", "81.20"),
        (b"8.12e1", "81.2"),
        (b"0.100000", "0.100000"),
        (b"81", "81"),
        (b'"81.20"', "81.20"),
    ):
        (item,) = read(body.replace(b'"@"', written))
        assert isinstance(item, Draft), item
        assert item.event.body["weight_kg"] == kept
    for written in (b"9" * 5000, b"1e999999999999", b"0.1234567", b"-1" + b"0" * 9):
        assert rejection(body.replace(b'"@"', written)).problems[0].place.field == "weight_kg"


def test_a_huge_integer_is_no_traceback() -> None:
    """Python refuses to convert more than 4300 digits; such a number is a rejection like any other."""
    found = rejection(LINE.replace(b'"E-2"', b"7" * 100_000))
    assert found.problems[0].place.field == "id"
    assert len(str(found.problems[0])) < 300


@pytest.mark.parametrize("layout", [b"%s\n%s\n%s\n", b"[%s,%s,%s]"])
def test_a_huge_piece_is_dropped_and_its_digest_kept(layout: bytes) -> None:
    """A piece beyond 1 MiB never lies whole in memory; its beginning and the digest of all of it are kept."""
    huge = LINE.replace(b"twice", b"x" * 30 * MAX_PIECE)
    stream = io.BytesIO(layout % (LINE, huge, LINE))
    tracemalloc.start()
    items = list(read_json("in.json", stream))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [type(item) for item in items] == [Draft, Rejected, Draft]
    assert isinstance(items[1], Rejected)
    assert items[1].problems[0].code == "too_long"
    assert items[1].sha256 == sha256(huge).hexdigest()
    assert items[1].raw == huge[:KEPT]
    assert peak < 8 * MAX_PIECE


def test_a_huge_first_line_does_not_hide_the_next() -> None:
    """Where the first line is beyond 1 MiB, the others are read all the same."""
    for first in (
        b'{"'
        + b"a" * (KEPT - 4)
        + b'":'
        + b"x" * 3 * MAX_PIECE,  # what is kept of it ends like an open object
        b"x" * 3 * MAX_PIECE,
        b'{"a":"' + b"x" * 3 * MAX_PIECE,
        b"{" + b'"a":1,' * MAX_PIECE + b"}",
    ):
        items = read(first + b"\n" + LINE + b"\n")
        assert [type(item) for item in items] == [Rejected, Draft]


def test_a_piece_of_many_lines_costs_no_more_than_its_bytes() -> None:
    """An object laid out over half a million lines is gathered in place, not copied line by line."""
    content = b'{"a": [\n' + b"1,\n" * (MAX_PIECE // 3 - 10) + b"1]}"
    begin = time.process_time()
    assert rejection(content).problems[0].place.field == "kind"
    assert time.process_time() - begin < 20


def test_a_piece_of_just_one_mebibyte_is_read() -> None:
    """The limit is 1 MiB, not a byte less."""
    padding = MAX_PIECE - len(LINE)
    for extra, code in ((0, "bad_value"), (1, "too_long")):
        found = rejection(LINE.replace(b"twice", b"twice" + b"x" * (padding + extra)))
        assert {problem.code for problem in found.problems} == {code}


@given(st.binary(max_size=300))
def test_no_bytes_raise(content: bytes) -> None:
    """Whatever the bytes, reading gives rejections (hardly ever an event), never an exception."""
    for item in read(content):
        assert isinstance(item, Rejected)
        assert item.problems


@given(
    st.text('{}[]",:\\ \n\ue000e1-.naN0\ufeff', max_size=60).map(
        lambda text: text.replace("\ue000", '"id"').encode()
    )
)
def test_no_nearly_json_raises(content: bytes) -> None:
    """The same for what looks like JSON, within and behind good lines; no line is lost."""
    assert all(isinstance(item, Rejected) for item in read(content))
    items = read(LINE + b"\n" + content + b"\n" + LINE)
    assert isinstance(items[0], Draft) and isinstance(items[-1], Draft)
    assert len(items) == 2 + sum(1 for line in content.split(b"\n") if line.strip(b" \t\r"))


def test_a_draft_can_be_rejected_later() -> None:
    """What does not fit the log is rejected with the event's canonical bytes."""
    (draft,) = read(LINE)
    assert isinstance(draft, Draft)
    rejected = Rejected.of(draft, ())
    assert json.loads(rejected.raw) == VOID
    assert rejected.sha256 == sha256(rejected.raw).hexdigest()
    assert (rejected.source, rejected.line) == ("in.json", 1)
