"""Look-up keys from the body of an event: what verifying takes are those that recording took from its values."""

from __future__ import annotations

from compliance.domain.event import Event
from compliance.domain.lookup import indexed_fields, lookup_keys
from compliance.domain.making import make_event
from compliance.domain.vocabulary import KINDS, event_reference_fields
from tests.benchmarks.replicas import fortnight


def as_defined(kind, values):
    """Every event of its kind, each indexed field that is text, each reference to an event."""
    keys = {(kind, "*", "")}
    keys |= {
        (kind, field, values[field]) for field in indexed_fields(kind) if isinstance(values.get(field), str)
    }
    fields = event_reference_fields(kind)
    return keys | {(kind, "names", values[field]) for field in fields if isinstance(values.get(field), str)}


def test_body_and_values_give_the_same_keys():
    """For every event of the demonstration's fortnight, which has most kinds: same keys, in the same order, none twice."""
    kinds = set()
    for body in fortnight():
        event = make_event(body)
        assert isinstance(event, Event)
        keys = lookup_keys(event.kind, event.values)
        assert keys == lookup_keys(event.kind, event.body)
        assert set(keys) == as_defined(event.kind, event.values)
        assert len(set(keys)) == len(keys)
        kinds.add(event.kind)
    assert len(kinds) > 30


def test_every_indexed_field_is_text():
    """A field whose value is converted would be another key in the body than among the values."""
    for kind in KINDS:
        for field in (*indexed_fields(kind), *event_reference_fields(kind)):
            assert KINDS[kind].fields[field].type in {"id", "text", "enum"}, (kind, field)
