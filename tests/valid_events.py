"""Valid events at random, of every kind, from the vocabulary: material for property tests."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from compliance.domain.drugs import DRUGS
from compliance.domain.vocabulary import KINDS, FieldSpec

IDS = st.text("ABCXYZabcxyz0189._:-", min_size=1, max_size=64)
PLAIN_TEXTS = st.from_regex(r"[!-~][ -~]{0,30}", fullmatch=True)
TEXTS = st.one_of(
    PLAIN_TEXTS,
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")), min_size=1, max_size=20).map(
        lambda text: unicodedata.normalize("NFC", text)
    ),
    st.sampled_from(["Zeile eins\nZeile zwei", "a\tb", 'with "quotes" and \\', "é", "🙂", "x" * 4000]),
)
DECIMALS = st.builds(
    lambda sign, whole, fraction: f"{sign}{whole}{'.' + fraction if fraction else ''}",
    st.sampled_from(["", "-"]),
    st.integers(0, 999_999_999),
    st.text("0123456789", max_size=6),
)
OFFSETS = st.sampled_from(["Z", "z", "-06:00", "+00:00", "-00:00", "+05:45", "-23:59", "+23:59"])
DATES = st.dates().filter(lambda day: day.year >= 1900).map(lambda day: day.isoformat())
INSTANTS = st.builds(
    lambda day, letter, time, fraction, offset: (
        f"{day}{letter}{time.isoformat('seconds')}{'.' + fraction if fraction else ''}{offset}"
    ),
    st.dates().filter(lambda day: 1900 < day.year < 9999),
    st.sampled_from("Tt"),
    st.times(),
    st.text("0123456789", max_size=6),
    OFFSETS,
)
_TYPES = {
    "id": IDS,
    "text": TEXTS,
    "integer": st.integers(-999_999_999, 999_999_999),
    "decimal": DECIMALS,
    "boolean": st.booleans(),
    "instant": INSTANTS,
    "date": DATES,
}


def values_for(spec: FieldSpec) -> st.SearchStrategy[Any]:
    """JSON values that a field may have."""
    if spec.values:
        return st.sampled_from(spec.values)
    if spec.listed == "drug":
        return st.sampled_from(sorted(DRUGS))
    if spec.listed == "zone":
        return st.sampled_from(["America/Chicago", "America/Phoenix", "UTC"])
    if spec.element is not None:
        return st.lists(values_for(spec.element), max_size=3)
    if spec.fields is not None:
        return records(spec.fields)
    return _TYPES[spec.type]


def records(fields: Mapping[str, FieldSpec]) -> st.SearchStrategy[dict[str, Any]]:
    """Records with all required fields and some of the optional ones."""
    sent = [spec for spec in fields.values() if not spec.derived]
    return st.fixed_dictionaries(
        {spec.name: values_for(spec) for spec in sent if spec.required},
        optional={spec.name: values_for(spec) for spec in sent if not spec.required},
    )


_BODIES = {
    name: records(kind.fields).map(lambda body, name=name: body | {"kind": name})
    for name, kind in KINDS.items()
}


def bodies(kind: str | None = None) -> st.SearchStrategy[dict[str, Any]]:
    """Valid events of one kind, or of any."""
    return _BODIES[kind] if kind else st.sampled_from(sorted(KINDS)).flatmap(_BODIES.__getitem__)
