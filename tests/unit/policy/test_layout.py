"""One layout for all policy files: the same meaning, every comment where it was, and nothing more to do the second time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compliance.policy import layout
from compliance.policy.comments import comments_of
from compliance.policy.documents import read_text
from compliance.policy.file_kinds import FILE_KINDS, file_kind
from compliance.policy.layout import WIDTH, formatted, same
from compliance.policy.located import Document
from compliance.policy.scalars import Digits
from compliance.workbench.formatting import laid_out
from compliance.workbench.remembered import Memory

ROOT = Path(__file__).parents[3]
FOLDERS = (
    ROOT / "policies",
    ROOT / "tests" / "policies" / "timelines",
    ROOT / "tests" / "policies" / "valid",
)


def laid(text: str) -> str:
    """The text in the layout; a failed test where there is a problem."""
    found = formatted(text.encode(), "a.yaml")
    assert isinstance(found, str), found
    return found


def read(text: str) -> Document:
    """The document of a text that has one."""
    document = read_text(text, "a.yaml")
    assert isinstance(document, Document), document
    return document


def test_the_library_is_in_the_one_layout():
    """Every rule, table and timeline."""
    every = list(laid_out(FOLDERS, Memory(None)))
    assert len(every) > 370
    assert [one.source for one in every if one.changed or one.problems] == []


UNTIDY = """\
cases:
- name:   one   # the first
  expect: pass
  # behind the name
  now: '2026-03-02T08:00-06:00'
  event:
    kind: discharge
    session: "T1"
    # with a comment it is spread out
    occurred_at: 2026-03-02T08:00-06:00

# It begins here.
title: "Text: with a colon, and much more to say, so much that a line of it would be too long for anybody to read, whoever it is"
id: untidy
implements: ["A-1",
   A-2]
given:
    dose: { latest: administration,
            by: [session] }
    # dose2: {any: administration}
on: discharge
colour: red
require: event.dose_mg <= 84 && (dose == null || dose.route in ['intranasal', 'oral'] || dose.drug == event.drug) && event.intent == 'performed'
otherwise: {message: "m", severity: deny, remedy: 'It''s so.'}
# the end
"""
TIDY = """\
# It begins here.
id: untidy
title: >-
  Text: with a colon, and much more to say, so much that a line of it would be too long for anybody to read, whoever it
  is
implements: [A-1, A-2]

on: discharge
colour: red
given:
  dose: {latest: administration, by: [session]}
  # dose2: {any: administration}
require: >-
  event.dose_mg <= 84 && (dose == null || dose.route in ['intranasal', 'oral'] || dose.drug == event.drug)
  && event.intent == 'performed'

otherwise:
  severity: deny
  message: m
  remedy: It's so.

cases:
  - name: one  # the first
    event:
      kind: discharge
      session: T1
      # with a comment it is spread out
      occurred_at: '2026-03-02T08:00-06:00'
    # behind the name
    now: '2026-03-02T08:00-06:00'
    expect: pass
# the end
"""


def test_a_file_by_example():
    """Order, groups, quotes, folding, comments, unknown fields."""
    text = laid(UNTIDY)
    # `title` came first in the file, and what is above it stays above it.
    assert text == TIDY.replace("# It begins here.\n", "").replace(
        "title: >-", "# It begins here.\ntitle: >-"
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("no", "'no'"), ("On", "'On'"), ("y", "'y'"), ("null", "'null'"), ("~", "'~'"), ("true", "'true'"), ("12:30", "'12:30'"),
        ("1e3", "'1e3'"), ("7285", "'7285'"), ("0123", "'0123'"), ("0x1F", "'0x1F'"), (".5", "'.5'"), (".inf", "'.inf'"), ("", "''"),
        (" a", "' a'"), ("a ", "'a '"), ("a: b", "'a: b'"), ("a:", "'a:'"), ("a #b", "'a #b'"), ("#a", "'#a'"), ("- a", "'- a'"),
        ("-", "'-'"), ("? a", "'? a'"), ("?", "'?'"), (": a", "': a'"), ("[a", "'[a'"), ("{a", "'{a'"), ("&a", "'&a'"), ("*a", "'*a'"),
        ("!a", "'!a'"), ("|", "'|'"), (">", "'>'"), ("%a", "'%a'"), ("@a", "'@a'"), ("`a", "'`a'"), ("=", "'='"), ("---", "'---'"),
        ("...", "'...'"), ("2026-03-02T08:00Z", "'2026-03-02T08:00Z'"), ("it's #1", "\"it's #1\""), ("'", '"\'"'), ('"', "'\"'"),
        ("a\tb", '"a\\tb"'), ("\n", '"\\n"'), ("a\n\n", '"a\\n\\n"'), ("\\ '", "\\ '"), ("# \\ '", "'# \\ '''"), ("\x07", '"\\x07"'), ("\x85", '"\\x85"'),
        ("a\u2028b", '"a\\u2028b"'), ("\ufeffa", '"\\ufeffa"'), ("\U0001f600 #", "'\U0001f600 #'"), ("a, b", "a, b"), ("a#b", "a#b"),
        ("-a", "-a"), ("a:b", "a:b"), ("2026-03-02", "2026-03-02"), ("2h", "2h"), ("it's", "it's"), ("§ 3", "§ 3"), ("ä", "ä"),
    ],
)  # fmt: skip
def test_quotes_stand_where_they_must(value, written):
    """In one style, and nowhere else; what is read again is the same."""
    source = "a: " + layout.inline(value) + "\n"
    assert source == f"a: {written}\n"
    assert read(source).value == {"a": value}
    assert laid(source) == source


@pytest.mark.parametrize("value", ["a, b", "a]b", "{", "a?b:?c", "-a", "?x", ":x", "a}", "a ? b : c"])
def test_quotes_within_brackets(value):
    """Where commas and brackets mean something, text that has them is quoted."""
    assert read("a: {b: [" + layout.inline(value, flow=True) + "]}").value == {"a": {"b": [value]}}


@pytest.mark.parametrize(
    ("number", "written"),
    [("1e3", "1000."), ("33.0", "33.0"), ("+5", "5"), (".50", "0.50"), ("2.50", "2.50")],
)
def test_numbers_keep_their_digits(number, written):
    """A number with a fraction stays one, digit by digit."""
    assert laid(f"a: {number}") == f"a: {written}\n"


def test_line_ends_and_byte_order_marks():
    """Files from other systems end up with Unix line ends and no mark, and mean what they meant."""
    text = "a:\r\n- 'x'   # c\r\n- |\r\n  two\r\n  lines\r\n# end\r\n"
    assert (
        formatted(b"\xef\xbb\xbf" + text.encode(), "a.yaml")
        == "a:\n  - x  # c\n  - |\n    two\n    lines\n# end\n"
    )
    assert formatted(text.replace("\r\n", "\r").encode(), "a.yaml") == laid(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: # c\n  b: 1\n", "a: {b: 1}  # c\n"),
        ("a:\n  # c\n  b: 1\n", "a:\n  # c\n  b: 1\n"),
        ("a:\n  # c\n  x\n", "# c\na: x\n"),
        ("a: [1, # c\n 2]\n", "a:\n  - 1  # c\n  - 2\n"),
        ("a: [1, 2] # c\n", "a: [1, 2]  # c\n"),
        ("a: [ # c\n 1, 2]\n", "a: [1, 2]  # c\n"),
        ("a: >- # c\n  x\n  y\n", "a: x y  # c\n"),
        ("a: '#b' # c\n'd #': 1 # e", "a: '#b'  # c\n'd #': 1  # e\n"),
        ("- # c\n  a: 1\n  b: 2\n", "# c\n- {a: 1, b: 2}\n"),
        ("- a: 1\n  # c\n  b: 2\n", "- a: 1\n  # c\n  b: 2\n"),
        ("- {a: 1, # c\n  b: 2} # d\n# e\n", "- a: 1  # c\n  b: 2\n# d\n# e\n"),
        ("# head\n\n# c\na: 1\n\n\n# end\n", "# head\n\n# c\na: 1\n\n# end\n"),
        ("--- # c\na: 1\n... # d\n", "# c\na: 1\n# d\n"),
        (
            "a:\n  b:\n    c: [1]\n    # c\n  # b\n# a\nd: 1\n",
            "a:\n  b:\n    c: [1]\n    # c\n  # b\n# a\nd: 1\n",
        ),
        ("a: |\n  # no comment\n  x\n\n\nb: 1\n", "a: |\n  # no comment\n  x\n\nb: 1\n"),
        ("a: # one\n  x # two\n", "# one\na: x  # two\n"),
    ],
)
def test_comments_by_example(text, expected):
    """Above, behind, within, and below everything."""
    assert laid(text) == expected
    assert laid(expected) == expected


NASTY = st.text(
    alphabet=st.sampled_from([*"ab1 :#-?,[]{}&*!|>'\"%@`\\~.=\n\t", "\r", "é", "\x85", "\u2028", "\ufeff", "\U0001f600"]),
    max_size=12,
)  # fmt: skip
WORDS = st.sampled_from(
    [
        "no",
        "null",
        "12:30",
        "1e3",
        "2026-01-01",
        "a && b",
        "x " * 80,
        "a || (b && c) " * 12,
        "l\n  in\nout " * 9,
    ]
)
NUMBERS = st.sampled_from(
    [Digits("1.50"), Digits("1000"), Digits("0.5"), 0, -7, 999_999_999, True, False, None]
)
VALUES = st.recursive(
    NASTY | WORDS | NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NASTY.filter(lambda s: s[:1] != "$"), inner, max_size=4),
    max_leaves=16,
)  # fmt: skip


COMMENTS = ("# above", "# behind", "# within", "# deep", "# at the margin", "# end")


def written_out(value: object, draw, depth: int = 0) -> str:
    """A value as YAML in one of the ways in which people write it, with comments and blank lines put in."""
    flow = depth > 3 or draw(st.booleans())
    if isinstance(value, (dict, list)) and value and not flow:
        pad, lines = "  " * depth, []
        for name in value if isinstance(value, dict) else range(len(value)):
            lines += draw(
                st.sampled_from(
                    [[], [], [""], [f"{pad}# above {depth}"], ["# at the margin", "", f"{pad}    # deep"]]
                )
            )
            head = f"{pad}{layout.inline(name) if isinstance(name, str) else '-'}{':' if isinstance(name, str) else ''}"
            item = value[name]
            spread = isinstance(item, (dict, list)) and item
            text = written_out(item, draw, depth + 1)
            behind = draw(st.sampled_from(["", "", "  # behind"]))
            if spread and text.startswith("\n"):
                lines.append(head + behind + text)
            else:
                lines.append(f"{head} {text}{behind}")
        return "\n" + "\n".join(lines)
    if isinstance(value, dict) and value:
        cut = draw(st.sampled_from([", ", ", ", ",  # within\n" + " " * 40]))
        return (
            "{"
            + cut.join(f"{layout.inline(k, flow=True)}: {written_out(v, draw, 9)}" for k, v in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(written_out(item, draw, 9) for item in value) + "]"
    return layout.inline(value, flow=True)


@st.composite
def documents(draw):
    """The text of a document, and its value."""
    value = draw(
        st.dictionaries(NASTY.filter(lambda s: s[:1] != "$"), VALUES, min_size=1, max_size=4)
        | st.lists(VALUES, min_size=1, max_size=4)
    )
    return written_out(value, draw) + draw(st.sampled_from(["", "\n", "\n# end", "\n\n   # end\n"])), value


@settings(max_examples=200, deadline=None)
@given(documents())
def test_any_document_keeps_its_meaning_and_its_comments_and_stays_as_it_is_laid_out(made):
    """What is read is the same, type by type; each comment stands above or behind what it stood above or behind; twice is once."""
    text, value = made
    before = read(text)
    assert same(before.value, value)
    once = laid(text)
    after = read(once)
    assert same(after.value, before.value)
    assert laid(once) == once
    assert once.endswith("\n")
    assert "\r" not in once
    assert standing(after) == standing(before)
    for comment in COMMENTS:
        assert once.count(comment) == text.count(comment)


def standing(document: Document) -> list[tuple[str, object]]:
    """Each comment with what it stands at, in the order of the text."""
    comments = comments_of(document)
    placed = []
    for path in document.marks:
        placed += [(one.text, outermost(path)) for one in comments.at.get(path, ())]
        placed += [(one.text, path, "below") for one in comments.closing.get(path, ())]
    return [one for one in [*placed, *((one.text, None) for one in comments.last)] if one[0]]


def outermost(path: tuple) -> tuple:
    """The item that a first part belongs to."""
    while len(path) > 1 and path[-1] == 0:
        path = path[:-1]
    return path


@settings(max_examples=150, deadline=None)
@given(VALUES, st.integers(0, 100))
@example("a" * 200 + " b", 0)
@example("x  y " * 60 + "z", 2)
def test_any_text_is_written_so_that_it_reads_back(value, indent):
    """In a field, in an item, in brackets; folded or not, and however deep."""
    source = (
        "a: " + layout.inline(value)
        if not isinstance(value, (dict, list))
        else "a: " + written_in_brackets(value)
    )
    deep = {"a": value}
    for _ in range(indent % 5):
        deep = {"b": [deep]}
        source = "b:\n- " + source.replace("\n", "\n  ")
    assert same(read(laid(source)).value, deep)


def written_in_brackets(value: object) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{layout.inline(k, flow=True)}: {written_in_brackets(v)}" for k, v in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(written_in_brackets, value)) + "]"
    return layout.inline(value, flow=True)


@given(st.lists(st.text(alphabet="abc()|& ", min_size=1, max_size=60), min_size=1, max_size=8))
def test_folded_lines_are_no_wider_than_they_must_be(words):
    """A line that is too wide has no blank where it could be broken."""
    text = " ".join(word.strip() or "x" for word in words)
    for line in laid(f"a: {layout.inline(text)}").splitlines():
        assert len(line) <= WIDTH or " " not in line.strip() or "  " in line or "'" in line


def test_a_layout_that_would_change_the_meaning_is_not_written(monkeypatch):
    """The guard: what is written is read again. Without it each of these would lose something."""
    text = "a: 'no'  # c\nb: [1, 2]\n"
    for spoil in (
        lambda done: done.replace("'no'", "no: 1"),
        lambda done: done.replace("'no'", "'No'"),
        lambda done: done.replace("  # c", ""),
        lambda done: done.replace("[1, 2]", "[1, 2.]"),
        lambda done: "b: [1, 2]\na: 'no'  # c\n" + done[:0],
    ):
        with monkeypatch.context() as patch:
            real = layout.lay_out
            patch.setattr(
                layout,
                "lay_out",
                lambda document, schema, real=real, spoil=spoil: spoil(real(document, schema)),
            )
            found = formatted(text.replace("b: ", "b:   ").encode(), "a.yaml")
            assert isinstance(found, tuple)
            assert "would not say the same" in found[0].message
            patch.setattr(layout, "_faithful", lambda *_: True)
            assert isinstance(formatted(text.replace("b: ", "b:   ").encode(), "a.yaml"), str)


def test_a_field_name_too_long_for_a_line_is_left_as_it_is():
    """YAML reads a name of more than 1,024 characters only behind a question mark, which the layout does not write."""
    found = formatted(f"? {'k' * 1100}\n: 1\n".encode(), "a.yaml")
    assert isinstance(found, tuple)
    assert found[0].code == "layout"


def test_every_kind_of_file_has_its_fields_in_order():
    """Each field once, and each kind known by its own fields."""
    for kind in FILE_KINDS:
        assert len(set(kind.fields)) == len(kind.fields)
        assert file_kind(dict.fromkeys(kind.fields)) is kind
    assert file_kind({"nothing": 1}) is None
    assert file_kind([1]) is None
