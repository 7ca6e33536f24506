"""Whatever stands in a resource or in a file: reading never raises, and everything ends somewhere."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.errors import InputError
from compliance.ledger.log import Log
from tests.fhir import NDC, SPRAVATO, clinic, dose, in_bundle, intake, pressure, resource, visit

EXAMPLES = Path(__file__).resolve().parents[3] / "vectors" / "hl7-fhir-r4"
OURS = [dose(), pressure(), visit(), visit("V2", status="finished")]
STRANGE: list[Any] = [
    None, True, False, 0, -1, 1.5, 10**30, "", " ", "x", "Patient/1", "#x", "\x00", "\ud800", "2026-03-02T09:00:00-06:00", "2026", [], {}, [None],
    [[]], {"reference": "Encounter/V1"}, {"coding": [{"system": NDC, "code": SPRAVATO}]}, {"value": 5}, "{}", '{"reference": "Patient/1"}',
]  # fmt: skip


@pytest.fixture(scope="module")
def log() -> Iterator[Log]:
    with clinic() as made:
        yield made


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value within a value."""
    for step, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield (*path, step)
        yield from places(inner, (*path, step))


def changed(one: Any, chance: random.Random) -> Any:
    """A resource with a few values replaced, moved, taken away or doubled."""
    one = copy.deepcopy(one)
    for _ in range(chance.randint(1, 4)):
        every = list(places(one))
        if not every:
            break
        *before, last = chance.choice(every)
        holder = one
        for step in before:
            holder = holder[step]
        what = chance.randrange(5)
        if what == 0:
            del holder[last]
        elif what == 1 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[last]))
        elif what == 2:
            holder[last] = [holder[last]]
        else:
            holder[last] = copy.deepcopy(chance.choice(STRANGE))
    return one


def ends(log: Log, *files: bytes) -> None:
    outcome = intake(log, *files, written=False)
    assert all(one.reason for one in outcome.passed)
    assert outcome.results or outcome.passed or not any(one.strip() for one in files)


def read_changed(log: Log, seed: int, resources: list[Any]) -> None:
    chance = random.Random(seed)
    ours = [changed(one, chance) if chance.random() < 0.7 else one for one in resources]
    raw = json.dumps(ours if chance.random() < 0.5 else in_bundle(*ours)).encode()
    ends(log, raw)


@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_changed_resources_never_raise(log: Log, seed: int) -> None:
    read_changed(log, seed, OURS * 3)


def examples() -> list[Any]:
    found = []
    for path in sorted(EXAMPLES.glob("*.ndjson")):
        for line in path.read_bytes().splitlines():
            one = json.loads(line)
            if one["resourceType"].startswith("Medication") and "medicationReference" in one:
                one["medicationCodeableConcept"] = {"coding": [{"system": NDC, "code": SPRAVATO}]}
                del one["medicationReference"]
            found.append(one)
    return found


@pytest.mark.soak
@given(st.integers(0, 2**32))
@settings(max_examples=400, deadline=None)
def test_changed_official_examples_never_raise(log: Log, seed: int) -> None:
    chance = random.Random(seed)
    read_changed(log, seed, chance.sample(examples(), 20) + OURS)


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_changed_bytes_never_raise(log: Log, data: st.DataObject) -> None:
    raw = bytearray(json.dumps(in_bundle(*OURS), indent=data.draw(st.sampled_from([None, 1]))).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        ends(log, bytes(raw))
    except InputError as refused:  # the only thing that ends a call: an input that begins as no JSON does
        assert "does not begin as JSON does" in refused.message  # noqa: PT017 - it need not be raised


def test_many_levels_of_bundles_end(log: Log) -> None:
    nested = resource("Patient", id="1")
    for _ in range(40):
        nested = in_bundle(nested)
    ends(log, json.dumps(nested).encode())
