"""Texts, names and addresses as a report to a state has them: ASCII without separators, in parts where they can be told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.exports.asap_elements import segment
from compliance.exports.asap_texts import (
    Address,
    Name,
    address_of,
    digits_of_phone,
    gender_of,
    name_of,
    plain,
)
from tests.reports.pdmp import segments


@given(st.text())
def test_no_value_can_end_an_element(text):
    """Whatever a name holds: printable ASCII without the separators, or nothing."""
    said = plain(text)
    assert said is None or (
        said.isascii()
        and said.isprintable()
        and "*" not in said
        and "~" not in said
        and said == said.strip() != ""
    )
    (found,) = (
        segments(segment("TH", {"TH09": "~"}) + "\n")
        if said is None
        else [segment("PAT", {"PAT07": said}).split("*")]
    )
    assert said is None or found[7] == said + "~"


@pytest.mark.parametrize(
    ("text", "said"),
    [("José Ångström", "Jose Angstrom"), ("Łuk*asz~", "Luk asz"), ("O\u2019Hara", "O'Hara"), ("王", None), (" a\n b ", "a b"), ("", None), ("a\x00b", None)],
)  # fmt: skip
def test_texts_in_ascii(text, said):
    """Marks go, separators become spaces, and what has no such form is missing."""
    assert plain(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Doe, Jane", Name("Doe", "Jane")), ("Doe, Jane Ann Mae", Name("Doe", "Jane", "Ann Mae")), ("Jane Doe", Name("Doe", "Jane")),
        ("Jane Ann Doe", None), ("Jane", None), ("Doe,", None), (", Jane", None), ("Doe, Jane, Jr", None), ("van der Berg, Jo", Name("van der Berg", "Jo")),
    ],
)  # fmt: skip
def test_names_are_divided_where_they_can_be(text, said):
    """Three words might be anything."""
    assert name_of(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("7 Elm Row, Tulsa, OK 74101", Address("7 Elm Row", "Tulsa", "OK", "74101")),
        ("7 Elm Row\nApt 4\nTulsa, ok 74101-0001", Address("7 Elm Row\nApt 4", "Tulsa", "OK", "741010001")),
        ("7 Elm Row, Tulsa", None), ("7 Elm Row, Tulsa, OK", None), ("Tulsa, OK 74101", None), ("", None), ("7 Elm Row, Tulsa, Oklahoma 74101", None),
    ],
)  # fmt: skip
def test_addresses_are_divided_where_they_can_be(text, said):
    """Street, city, state and ZIP code, or nothing."""
    assert address_of(text) == said


def test_genders_and_telephones():
    """F, M, or U; ten digits, or nothing."""
    assert [gender_of(text) for text in ("F", "male", "X", None)] == ["F", "M", "U", "U"]
    assert [digits_of_phone(text) for text in ("(918) 555-0100", "1-918-555-0100", "555-0100", "")] == [
        "9185550100",
        "9185550100",
        "",
        "",
    ]
