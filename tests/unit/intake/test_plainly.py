"""What is read without a closer look is what the exact reader gives, and what needs one is left to it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compliance.errors import Place
from compliance.intake.fhir.modifiers import modifiers
from compliance.intake.fhir.structure import Structure
from compliance.intake.json_lines import MAX_DEPTH, NOTHING, ExactReader, plainly
from tests.fhir import dose, pressure

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(':{}[]"\\.09e \u00e9a'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(':"0a\u00e9', max_size=3), inner),
    max_leaves=12,
)  # fmt: skip
PLAIN = b'{"resourceType": "Patient", "name": [{"family": "\xc3\xa9: {[", "n": [-1, 0, true, null]}]}'
CLOSER = {
    "a name twice": b'{"a": 1, "a": 1}', "a name twice within": b'[{"a": {"b": 1, "c": 2, "b": 3}}]', "a fraction": b'{"a": 28.50}',
    "an exponent": b"[1e2]", "a great exponent": b"[-1E2]", "nineteen digits": b"[1234567890123456789]", "an escape": b'{"a": "\\u0062"}',
    "a name twice by an escape": b'{"a": 1, "\\u0061": 1}', "NUL": b'{"a": "\0"}', "no UTF-8": b'"\xff"', "not a number": b"[NaN]",
    "too deep": b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "broken off": b'{"a": 1', "nothing": b"", "a mark": b"\xef\xbb\xbf{}",
}  # fmt: skip


def exactly(content: bytes) -> tuple[str, Any]:
    value, problems = ExactReader().parsed(content, Place("f", 1))
    return repr(value), problems


def test_plain_bytes_are_read_at_once() -> None:
    assert repr(plainly(PLAIN)) == exactly(PLAIN)[0]


@pytest.mark.parametrize("name", CLOSER)
def test_what_needs_a_closer_look_is_left_to_the_exact_reader(name: str) -> None:
    assert plainly(CLOSER[name]) is NOTHING


@given(VALUES, st.booleans())
@example({"a": 10**17, "b": -(10**17)}, False)
def test_both_readers_agree(value: Any, ascii_only: bool) -> None:
    content = json.dumps(value, ensure_ascii=ascii_only).encode()
    found = plainly(content)
    assert found is NOTHING or (repr(found), ()) == exactly(content)


@given(st.text('{}[]:,"a1 ', max_size=24))
@example('{"a":1,"a":":"}')
def test_both_readers_agree_on_what_is_nearly_json(text: str) -> None:
    found = plainly(text.encode())
    assert found is NOTHING or (repr(found), ()) == exactly(text.encode())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("effectiveDateTime",), "2026-13-02"), (("component", 0, "code"), "x"), (("status",), 1), (("id",), "a b"), (("meta",), None),
        (("component", 0, "valueQuantity", "value"), "120"), (("component", 0, "valueQuantity", "volume"), 1), (("subject",), []),
    ],
)  # fmt: skip
def test_what_was_sound_before_hides_nothing_that_is_wrong_now(path: tuple[Any, ...], value: Any) -> None:
    structure = Structure()
    assert not structure.problems(pressure(), Place("f", 1))
    broken = pressure()
    holder: Any = broken
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    first, again = (structure.problems(broken, Place("f", 1)) for _ in range(2))
    assert first
    assert first == again == Structure().problems(broken, Place("f", 1))


def test_an_escape_does_not_hide_what_changes_the_meaning() -> None:
    changed = dose(modifierExtension=[{"url": "urn:x"}], implicitRules="urn:y")
    raw = json.dumps(changed).replace("modifier", "m\\u006fdifier").replace("implicit", "\\u0069mplicit")
    assert list(modifiers(json.loads(raw), raw.encode())) == ["implicitRules", "modifierExtension"]
    assert not list(modifiers(dose(), json.dumps(dose()).encode()))
