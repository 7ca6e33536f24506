"""Which fields are free text, and what of an event is replaced."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.event import Event
from compliance.domain.free_text import (
    FREE_TEXT,
    OTHER_TEXT,
    PREFIX,
    Said,
    commitment_text,
    commitments,
    is_commitment,
    replaced,
)
from compliance.domain.making import make_event
from compliance.domain.vocabulary import KINDS, FieldSpec
from compliance.policy.expression.tree import Has, Node, Ref
from compliance.policy.model import Expression, Message
from tests.recording import shipped
from tests.valid_events import bodies


def text_names(fields: dict[str, FieldSpec]) -> set[str]:
    """The names of all fields of type text, within lists and records too; not of those on a closed list."""
    found = set()
    for name, spec in fields.items():
        if spec.derived:
            continue
        element = spec.element or spec
        if element.type == "text" and not element.listed:
            found.add(name)
        found |= text_names(element.fields or {})
    return found


def test_every_text_field_is_classified_one_way_or_the_other():
    """A field that is added to the vocabulary must be put on one of the two lists, and neither list holds a name that nothing has."""
    names = set().union(*(text_names(kind.fields) for kind in KINDS.values()))
    assert names == FREE_TEXT | OTHER_TEXT
    assert not FREE_TEXT & OTHER_TEXT


def test_no_free_text_is_a_look_up_key_or_a_list():
    """What is looked up must stand in the log as it is; a list of texts would need a commitment for each."""
    from compliance.domain.lookup import indexed_fields

    for kind in KINDS:
        assert not FREE_TEXT & set(indexed_fields(kind))
    assert not [
        name
        for kind in KINDS.values()
        for name, spec in kind.fields.items()
        if spec.type == "list" and name in FREE_TEXT
    ]


def compared(node: Node, asked: bool = False) -> list[str]:
    """The free-text fields that an expression reads by anything but presence."""
    if isinstance(node, Has):
        return []
    found = (
        [node.path[-1]]
        if isinstance(node, Ref) and node.path and node.type.name == "text" and node.path[-1] in FREE_TEXT
        else []
    )
    for name in getattr(node, "__dataclass_fields__", {}):
        below = getattr(node, name)
        for part in below if isinstance(below, tuple) else (below,):
            if isinstance(part, Node):
                found += compared(part)
    return found


def conditions(value: object) -> list[Expression]:
    """All expressions of a rule that decide something; messages may print what they like."""
    if isinstance(value, Expression):
        return [value]
    if isinstance(value, (tuple, list)):
        return [one for item in value for one in conditions(item)]
    if not is_dataclass(value) or isinstance(value, Message):
        return []
    names = {field.name for field in fields(value)} - {"cases"}
    return [one for name in names for one in conditions(getattr(value, name))]


def test_no_shipped_rule_compares_free_text():
    """Rules ask whether a free text is there; what it says they never see, since the log holds a commitment."""
    read = {
        rule.id: names
        for rule in shipped().bundle.rules
        if (names := [n for one in conditions(rule) for n in compared(one.node)])
    }
    assert read == {}
    assert sum(len(conditions(rule)) for rule in shipped().bundle.rules) > 700


def test_the_look_for_comparisons_finds_one():
    """A rule that compares a reason is found, so that the test above means something."""
    from tests.recording import bundle, rule

    made = bundle(rule("compares", "wastage", "has(event.narrative) && event.narrative != 'x'"))
    (one,) = made.rules
    assert compared(one.require.node) == ["narrative"]


def mark(said: Said) -> str:
    return f"<{said.subject}|{said.path}|{said.text}{'|quoted' if said.quoted else ''}{'|raw' if said.raw else ''}>"


def nobody(_: str) -> None:
    return None


@given(bodies())
def test_only_free_text_of_an_event_is_replaced(body):
    """Of any valid event exactly the free texts are replaced, each once, and it is as valid as before."""
    event = make_event(body)
    assert isinstance(event, Event)
    said = []
    digest = commitment_text(bytes(32))

    def replace(one: Said) -> str:
        said.append(one)
        return digest

    result = replaced(event.kind, event.id, event.body, replace, nobody)
    if result is None:
        assert not said
        return
    assert (
        isinstance(make_event(result), Event)
        or len(json.dumps(result)) > 30_000
        or event.kind == "correction"
    )
    for name, value in event.body.items():
        if isinstance(value, str):
            assert result[name] == (
                digest if name in FREE_TEXT and KINDS[event.kind].fields[name].type == "text" else value
            )


def test_texts_within_lists_of_records_are_replaced():
    """The treatment of a trial is free text, its kind is not."""
    body = {"kind": "evaluation", "trials": [{"kind": "drug", "treatment": "what her mother took"}]}
    assert replaced("evaluation", "E", body, mark, nobody)["trials"] == [
        {"kind": "drug", "treatment": "<E|trials.treatment|what her mother took>"}
    ]


def test_an_event_without_free_text_stays_the_same_object():
    """Nothing is copied where nothing is replaced."""
    assert replaced("wastage", "E", {"kind": "wastage", "witness": "N-1"}, mark, nobody) is None


def changes(*listed_changes, **more):
    listed = [{"name": name, "old": old, "new": new} for name, old, new in listed_changes]
    return {"kind": "correction", "corrects": "T", "fields": listed, **more}


def test_what_a_correction_quotes_belongs_to_the_event_that_it_names():
    """Old and new are values of the target's field; the correction's own reason is its own."""
    body = changes(("narrative", '"was"', '"is"'), ("dose_mg", '"1"', '"2"'), reason="typed wrongly")
    found = replaced("correction", "C", body, mark, nobody)
    assert found["reason"] == "<C|reason|typed wrongly>"
    assert found["fields"] == [
        {"name": "narrative", "old": '"<T|narrative|was|quoted>"', "new": '"<T|narrative|is>"'},
        {"name": "dose_mg", "old": '"1"', "new": '"2"'},
    ]


def test_an_absent_text_stays_absent():
    """null is no text."""
    body = changes(("reason", "null", '"is"'))
    assert replaced("correction", "C", body, mark, nobody)["fields"][0]["old"] == "null"


def test_a_list_that_is_corrected_keeps_its_numbers():
    """Within JSON text only the free texts change; digits stay as they were written."""
    old = '[{"treatment": "this", "weeks": 6, "dose_mg": 28.50}]'
    found = replaced("correction", "C", changes(("trials", old, "null")), mark, nobody)["fields"][0]["old"]
    assert json.loads(found) == [
        {"treatment": "<T|trials.treatment|this|quoted>", "weeks": 6, "dose_mg": "28.50"}
    ]


def test_a_correction_of_a_correction_speaks_of_the_event_behind_both():
    """Its old and new list the first correction's changes, whose texts are the event's."""
    inner = json.dumps([{"name": "narrative", "old": '"a"', "new": '"b"'}])
    body = {
        "kind": "correction",
        "corrects": "C1",
        "fields": [{"name": "fields", "old": inner, "new": inner}],
    }
    found = replaced("correction", "C2", body, mark, {"C1": "T"}.get)["fields"][0]
    assert json.loads(found["old"])[0] == {
        "name": "narrative",
        "old": '"<T|narrative|a|quoted>"',
        "new": '"<T|narrative|b|quoted>"',
    }
    assert json.loads(found["new"])[0]["new"] == '"<T|narrative|b>"'


@pytest.mark.parametrize("text", ["Jane fell", '"Jane', "[" * 2000])
def test_words_that_are_no_json_are_replaced_and_stay_no_json(text):
    """Such a correction has no effect, with a vault and without; its words do not get into the log."""
    new = replaced("correction", "C", changes(("narrative", "null", text)), mark, nobody)["fields"][0]["new"]
    assert new == f"<T|narrative|{text}|raw>"
    with pytest.raises(ValueError):
        json.loads(new)


def test_a_field_that_no_kind_has_is_taken_for_free_text():
    """A misspelt name must not carry words into the log."""
    assert (
        "narative|Jane"
        in replaced("correction", "C", changes(("narative", "null", '"Jane"')), mark, nobody)["fields"][0][
            "new"
        ]
    )


def test_words_of_a_closed_list_stay_where_the_name_is_shared():
    """findings is a text of one kind and an enum of another; a correction cannot know which, so the enum's words stay."""
    found = replaced("correction", "C", changes(("findings", '"none"', '"two odd looks"')), mark, nobody)[
        "fields"
    ][0]
    assert found["old"] == '"none"'
    assert found["new"] == '"<T|findings|two odd looks>"'


@given(st.binary(min_size=32, max_size=32), st.text())
def test_a_commitment_is_known_by_its_form_alone(digest, other):
    """Every commitment is known as one, and is found within JSON text; other text is none."""
    text = commitment_text(digest)
    assert is_commitment(text)
    assert list(commitments({"a": [{"b": json.dumps(text)}], "c": 1})) == [text]
    assert not is_commitment(text + other[:1] + "x")
    assert not is_commitment(text.upper())
    assert not is_commitment(PREFIX + other)
