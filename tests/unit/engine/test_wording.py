"""Values in words: what a finding was decided by (compliance.engine.wording)."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.domain.time import HOUR, MINUTE, parse_date, parse_instant
from compliance.domain.values import UNKNOWN
from compliance.engine.explained import NEVER_QUOTED
from compliance.engine.wording import rendered, shown
from compliance.policy.expression.tree import Type
from tests.rulebook import SITE, bundle, entry, judged, rule

INSTANT = parse_instant("2026-03-02T09:05:00-06:00")


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        (UNKNOWN, Type("number"), "missing"),
        (None, Type("event"), "missing"),
        (True, Type("bool"), "yes"),
        (False, Type("bool"), "no"),
        (28_500_000, Type("number", unit="mg"), "28.5 mg"),
        (-3_000_000, Type("number"), "-3"),
        (1, Type("number"), "0.000001"),
        (0, Type("number", unit="mg"), "0 mg"),
        (2_000_000, Type("number", unit="per quantity_unit"), "2"),
        (INSTANT, Type("instant"), "2026-03-02T09:05:00-06:00"),
        (2 * HOUR, Type("duration"), "2 h 0 min"),
        (45 * MINUTE, Type("duration"), "45 min"),
        (parse_date("2026-03-02"), Type("date"), "2026-03-02"),
        ("intranasal", Type("enum"), "intranasal"),
        ("d-1:a.b_c", Type("id"), "d-1:a.b_c"),
        ("Maria had to be driven home", Type("text"), "text of 27 characters"),
        ("Zoë", Type("text"), "text of 3 characters"),
        ("x" * 65, Type("text"), "text of 65 characters"),
        ("", Type("text"), "text of 0 characters"),
        ((), Type("list", element=Type("text")), "none"),
        (("sedation", "no driving"), Type("list", element=Type("text")), "sedation, text of 10 characters"),
        (
            tuple("abcdefghijklmn"),
            Type("list", element=Type("text")),
            "a, b, c, d, e, f, g, h, i, j, k, l ...",
        ),
        ((28_500_000,), Type("list", element=Type("number", unit="mg")), "28.5 mg"),
        ({"id": "d1", "narrative": "Maria fell"}, Type("event"), "d1"),
        (({"lot": "L1", "quantity": 1},), Type("list", element=Type("record")), "a record of 2 fields"),
    ],
    ids=str,
)
def test_a_value_as_a_person_reads_it(value: Any, kind: Type, words: str) -> None:
    """Numbers with their units, instants in the site's zone, handles as they are, free text counted."""
    assert shown(value, kind, "America/Chicago") == words


def test_an_instant_of_a_site_without_zone_is_shown_in_utc() -> None:
    """Where nobody knows the zone, the instant is still exact."""
    assert shown(INSTANT, Type("instant"), UNKNOWN) == "2026-03-02T15:05:00Z"


@pytest.mark.parametrize(
    ("value", "scale", "words"),
    [
        (10**12, 12, "1"),
        (15 * 10**11, 12, "1.5"),
        (1, 12, "0.000000000001"),
        (-1, 12, "-0.000000000001"),
        (-15 * 10**11 - 1, 12, "-1.500000000001"),
        (123_456_789 * 10**12 + 1, 18, "123.456789000000000001"),
        (10**18 * 10**12, 12, str(10**18)),
    ],
)
def test_products_are_exact(value: int, scale: int, words: str) -> None:
    """A product has more digits than a decimal, and none is rounded away."""
    assert shown(value, Type("number", scale=scale), "UTC", scale) == words


def because(document: dict[str, Any], *bodies: dict[str, Any]) -> dict[str, str]:
    (finding,) = judged(bundle(document), [SITE, *bodies]).decision.findings
    return dict(finding.because)


DOSE = entry("administration", "09:00", id="d1", dose_mg="0.5")


@pytest.mark.parametrize("text", ["Maria", "Maria had to be driven home"])
def test_no_word_of_a_free_text_is_quoted(text: str) -> None:
    """Not in what decided, not in the holes of a message, not even one word that looks like a handle."""
    document = rule(
        on="administration", require="event.reason == 'none'", message="Given because of {event.reason}."
    )
    said = because(document, {**DOSE, "reason": text})
    assert said == {"event.reason": f"text of {len(text)} characters"}
    assert "Maria" not in rendered(bundle(document).rules[0].message, said)


def test_no_word_of_a_free_text_is_quoted_where_no_message_asks_for_it() -> None:
    """What decided is counted, too."""
    document = rule(on="administration", require="event.reason == 'none'")
    assert because(document, {**DOSE, "reason": "Maria"}) == {"event.reason": "text of 5 characters"}


@pytest.mark.parametrize("field", sorted(NEVER_QUOTED))
def test_every_field_of_free_text_is_known(field: str) -> None:
    """The list names fields of the vocabulary, so that a renamed field does not slip out of it."""
    from compliance.domain.vocabulary import KINDS

    inner = (spec for kind in KINDS.values() for top in kind.fields.values() for spec in (top, *_below(top)))
    assert any(spec.name == field for spec in inner)


def _below(spec: Any) -> list[Any]:
    element = spec.element
    return [] if element is None or element.fields is None else list(element.fields.values())


def test_what_decided_is_named_as_it_was_written() -> None:
    """The rule's own names: givens, parameters, fields; each once, whatever is in a macro left out."""
    document = rule(
        on="administration", given={"check": {"latest": "vital_signs"}, "n": {"count": "vital_signs"}},
        parameters={"most": {"tighten": "down", "values": [{"from": "2000-01-01", "value": 2, "cites": "none"}]}},
        when="event.dose_mg > 0", require="check != null && n * event.dose_mg > param.most",
        message="{n * event.dose_mg} of {param.most}, last checked {check.occurred_at}",
    )  # fmt: skip
    said = because(document, entry("vital_signs", "08:00", id="v1"), DOSE)
    assert said == {
        "event.dose_mg": "0.5 mg", "check": "v1", "n": "1", "param.most": "2",
        "n * event.dose_mg": "0.5", "check.occurred_at": "2026-03-02T08:00:00-06:00",
    }  # fmt: skip
    assert (
        rendered(bundle(document).rules[0].message, said)
        == "0.5 of 2, last checked 2026-03-02T08:00:00-06:00"
    )


def test_a_hole_over_something_missing_says_so() -> None:
    """A message is never left with a gap or a wrong number."""
    document = rule(
        on="administration", require="event.observer == 'N1'", message="Given at {event.completed_at}."
    )
    said = because(document, DOSE)
    assert said == {"event.observer": "missing", "event.completed_at": "missing"}
    assert rendered(bundle(document).rules[0].message, said) == "Given at missing."
