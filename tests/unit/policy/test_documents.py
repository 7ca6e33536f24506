"""Reading YAML: exact values, places to the column, and refusals in plain words."""

import json
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from compliance.policy import documents
from compliance.policy.documents import MAX_BYTES, MAX_DEPTH, read_bytes, read_file, read_text
from compliance.policy.expression.tree import Span
from compliance.policy.located import Document, as_json, from_json
from compliance.policy.scalars import Digits

ROOT = Path(__file__).parents[3]


def value_of(text):
    document = read_text(text, "a.yaml")
    assert isinstance(document, Document), document
    return document.value


def refusal(text):
    problems = read_text(text, "a.yaml")
    assert isinstance(problems, tuple)
    return problems[0]


@pytest.mark.parametrize(
    "written,meant",
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2026-11-22", "2026-11-22"),
        ("2026-03-02T09:05:00-06:00", "2026-03-02T09:05:00-06:00"),
        ("true", True),
        ("null", None),
        ("~", None),
        ("42", 42),
        ("-7", -7),
        ("'42'", "42"),
        ("2h", "2h"),
        ("3N", "3N"),
        ("1_000", "1_000"),
        ("28.50", Digits("28.50")),
        ("0.1", Digits("0.1")),
        ("2.85e1", Digits("28.5")),
        (".5", Digits("0.5")),
        ("-0.000001", Digits("-0.000001")),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(written, meant):
    """No dates, times or yes/no words are guessed, and no number becomes a binary float."""
    read = value_of(f"a: {written}\n")["a"]
    assert read == meant
    assert type(read) is type(meant)


@pytest.mark.parametrize(
    "written,part",
    [
        ("007", "lose its leading zeros"),
        ("1000000000", "too large"),
        ("1234567.1234567", "too many digits"),
        ("1e999999999", "too many digits"),
        ("1e400", "too many digits"),
        (".inf", "not a number"),
        (".nan", "not a number"),
        ("0x1F", "another base"),
    ],
)
def test_numbers_that_would_lose_something_are_refused(written, part):
    """A slip that would change a value silently is an error, and costs nothing to find."""
    problem = refusal(f"a: {written}\n")
    assert part in problem.message
    assert (problem.place.line, problem.place.column) == (1, 4)


def test_anchors_that_explode_are_refused_at_once():
    """A few lines that would unfold to billions of values are refused at the first anchor."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    start = time.process_time()
    problem = refusal("\n".join(lines))
    assert time.process_time() - start < 1
    assert problem.message == "what begins with & is taken for a YAML anchor, which policies do not have"


def test_an_alias_is_refused_where_no_anchor_is_seen_first():
    """Aliases are refused on their own account, too."""
    assert (
        refusal("a: *x\n").message
        == "what begins with * is taken for a YAML alias, which policies do not have"
    )


def test_depth_is_limited_and_costs_no_recursion():
    """A hundred thousand brackets are an error message, not a crash; fifty levels are allowed."""
    assert refusal("a: " + "[" * 100_000).message == f"this is nested more than {MAX_DEPTH} levels deep"
    inner = MAX_DEPTH - 1
    assert value_of("a: " + "[" * inner + "]" * inner)


def test_a_file_is_at_most_256_kib():
    """The limit is on bytes, before anything is parsed."""
    head = b"a: 1\n#"
    assert isinstance(read_bytes(head + b"x" * (MAX_BYTES - len(head)), "a.yaml"), Document)
    problems = read_bytes(head + b"x" * (MAX_BYTES - len(head) + 1), "a.yaml")
    assert isinstance(problems, tuple)
    assert problems[0].message == "this file is larger than 256 KiB"


def test_bytes_that_are_not_utf8_are_placed():
    """The first bad byte is named by line and column."""
    problems = read_bytes("a: ü\nb: x".encode() + b"\xff", "a.yaml")
    assert isinstance(problems, tuple)
    assert (problems[0].place.line, problems[0].place.column) == (2, 5)


def test_a_byte_order_mark_is_no_part_of_the_first_field():
    """Editors that write one do not change the document."""
    document = read_bytes(b"\xef\xbb\xbfid: a\n", "a.yaml")
    assert isinstance(document, Document)
    assert document.value == {"id": "a"}
    assert document.place(("id",)).column == 5


@pytest.mark.parametrize("text", ["", "   \n", "# only a comment\n"])
def test_an_empty_file_is_an_error(text):
    """Nothing is not a policy."""
    assert refusal(text).message == "this file is empty"


@pytest.mark.parametrize("text", ["a: 1\n---\nb: 2\n", "a: 1\n...\n---\nb: 2\n"])
def test_two_documents_in_a_file_are_refused(text):
    """The second one would be lost."""
    assert refusal(text).message == "a second document begins here"


def test_directives_and_tags_are_refused():
    """``%YAML 1.1`` would bring `no` is false back, and a tag another type."""
    assert "directives" in refusal("%YAML 1.1\n---\na: no\n").message
    assert (
        refusal("a: !!str 1\n").message
        == "what begins with ! is taken for a YAML tag, which policies do not have"
    )


def test_a_file_that_is_not_there_is_a_problem(tmp_path):
    """Reading never raises for a missing file."""
    problems = read_file(tmp_path / "none.yaml")
    assert isinstance(problems, tuple)
    assert "cannot be read" in problems[0].message


STYLES = {
    "plain": "e: {}\n",
    "single": "e: '{}'\n",
    "double": 'e: "{}"\n',
    "flow": "e: [1, {{f: {}}}]\n",
    "folded": "e: >-\n    {}\n",
    "literal": "e: |\n    {}\n",
    "comment after the header": "e: >- # why\n    {}\n",
}


@pytest.mark.parametrize("style", STYLES)
def test_a_part_of_a_text_is_placed_to_the_column(style):
    """Whatever the quoting, the span of an expression is the span in the file."""
    expression = "event.lot == param.lot && has(event.wrong)"
    document = read_text(STYLES[style].format(expression), "a.yaml")
    assert isinstance(document, Document)
    path = ("e", 1, "f") if style == "flow" else ("e",)
    start = expression.index("event.wrong")
    problem = document.problem(path, "x", span=Span(start, start + len("event.wrong")))
    line, marks = problem.excerpt.split("\n")
    assert line[marks.index("^") : marks.rindex("^") + 1] == "event.wrong"
    assert problem.place.column is not None
    assert document.lines[problem.place.line - 1][problem.place.column - 1 :].startswith("event.wrong")


words = st.lists(st.text("abcü'\"\\#é", min_size=1, max_size=5), min_size=1, max_size=12)


@given(words, st.data())
def test_places_agree_in_every_quoting_and_folding(parts, data):
    """Law: the n-th word of the value stands where its first character says, through escapes, doubled quotes and folds."""
    gaps = [data.draw(st.sampled_from([" ", "\n  "])) for _ in parts]
    style = data.draw(st.sampled_from(["single", "double", "folded"]))
    if style == "single":
        written = [part.replace("'", "''") for part in parts]
        text = (
            "e: '" + "".join(gap + part for gap, part in zip(["", *gaps[1:]], written, strict=True)) + "'\n"
        )
    elif style == "double":
        written = [part.replace("\\", "\\\\").replace('"', '\\"').replace("ü", "\\xfc") for part in parts]
        text = (
            'e: "' + "".join(gap + part for gap, part in zip(["", *gaps[1:]], written, strict=True)) + '"\n'
        )
    else:
        written = parts
        text = (
            "e: >-\n  "
            + "".join(gap + part for gap, part in zip(["", *gaps[1:]], written, strict=True))
            + "\n"
        )
    document = read_text(text, "a.yaml")
    assert isinstance(document, Document)
    value = document.value["e"]
    assert value == " ".join(parts)
    chosen = data.draw(st.integers(0, len(parts) - 1))
    start = len(" ".join(parts[:chosen])) + (1 if chosen else 0)
    place = document.problem(("e",), "x", span=Span(start, start + len(parts[chosen]))).place
    assert place.line is not None
    assert document.lines[place.line - 1][place.column - 1 :].startswith(written[chosen])


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp")), max_size=20)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(10**9) + 1, 10**9 - 1), texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=20,
)


@given(st.dictionaries(texts, values, min_size=1, max_size=4))
def test_json_is_read_as_itself(value):
    """Law: YAML contains JSON; a JSON document without fractions is read back equal."""
    text = json.dumps(value, ensure_ascii=False)
    assume("\ufeff" not in text and '"$' not in text and '"<<"' not in text)
    assert value_of(text) == value


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=6, min_value=-999_999_999, max_value=999_999_999
    )
)
def test_decimals_keep_every_digit_through_the_stored_form(number):
    """Law: digits in, digits out; the stored JSON says that it is a number and not text."""
    text = format(number, "f")
    read = value_of(f"a: {text}\nb: '{text}'\n")
    stored = json.loads(json.dumps(as_json(read)))
    again = from_json(stored)
    assert again == read
    assert type(again["a"]) is Digits
    assert type(again["b"]) is str
    assert again["a"] == text


def test_duplicate_keys_are_all_reported():
    """Each repetition is an error with the line of the first."""
    problems = read_text("a: 1\nb: {c: 1, c: 2}\na: 2\n", "a.yaml")
    assert isinstance(problems, tuple)
    assert [problem.message for problem in problems] == [
        "'c' is written twice; it stands on line 2 already",
        "'a' is written twice; it stands on line 1 already",
    ]


@given(st.text(max_size=200))
def test_any_text_is_a_document_or_a_list_of_problems(text):
    """Law: reading never raises, whatever the text."""
    read = read_text(text, "a.yaml")
    assert isinstance(read, Document) or read


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_a_list_of_problems(content):
    """Law: the same for bytes."""
    read = read_bytes(content, "a.yaml")
    assert isinstance(read, Document) or read


def read_by_ruamel(text):
    """What the second parser alone makes of a text."""
    builder = documents._Builder("a.yaml", text, tuple(documents._BREAK.split(text)))
    builder.take_all(YAML(typ="safe", pure=True).parse(text))
    assert not builder.problems
    return builder


@pytest.mark.parametrize(
    "file", sorted((ROOT / "policies").glob("*/*.yaml"))[::7], ids=lambda file: file.stem
)
def test_both_parsers_read_the_same(file):
    """Values and the places of all of them, of shipped files: what libyaml takes, ruamel.yaml would have taken."""
    text = file.read_text(encoding="utf-8")
    read, slow = read_text(text, "a.yaml"), read_by_ruamel(text)
    assert (read.value, read.marks) == (slow.root, slow.marks)


@given(st.recursive(st.one_of(st.text("abc: -'\"#\n", max_size=8), st.booleans(), st.integers(-9, 9)), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcd", min_size=1, max_size=3), inner, max_size=3), max_leaves=12), st.booleans())  # fmt: skip
def test_both_parsers_read_the_same_of_random_documents(value, flow):
    """Block and flow style, quoted and plain, empty and multi-line texts."""
    text = yaml.safe_dump({"v": value}, default_flow_style=flow, allow_unicode=True)
    read, slow = read_text(text, "a.yaml"), read_by_ruamel(text)
    assert (read.value, list(read.marks)) == (slow.root, list(slow.marks))
