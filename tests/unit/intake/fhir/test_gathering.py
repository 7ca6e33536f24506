"""How FHIR input is cut: one resource, Bundles of every size and kind, bulk files, arrays."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.intake import pieces as cutting
from compliance.intake.fhir.gathering import BROKEN, EMPTY, Gathered, own_id, relative
from tests.fhir import in_bundle, resource

ONE, TWO = resource("Patient", id="1"), resource("Goal", id="2", note=[{"text": 'a "b" ],}'}])


def kept(*files: bytes | str | Any) -> list[tuple[Any, ...]]:
    streams = [
        (
            "f",
            io.BytesIO(
                one
                if isinstance(one, bytes)
                else one.encode()
                if isinstance(one, str)
                else json.dumps(one).encode()
            ),
        )
        for one in files
    ]
    with Gathered(streams) as gathered:
        return [(one.file, one.line, one.key or one.type) for one in gathered.in_order()]


def keys(*files: Any) -> list[str]:
    return [key for *_, key in kept(*files)]


BOTH = ["Patient/1", "Goal/2"]
LAYOUTS: dict[str, Any] = {
    "one a line": f"{json.dumps(ONE)}\n{json.dumps(TWO)}\n",
    "one a line, Windows": f"\ufeff{json.dumps(ONE)}\r\n\r\n{json.dumps(TWO)}",
    "an array": [ONE, TWO],
    "an array, laid out": json.dumps([ONE, TWO], indent=2),
    "one after another, laid out": f"{json.dumps(ONE, indent=1)}\n{json.dumps(TWO, indent=1)}",
    "a Bundle": in_bundle(ONE, TWO),
    "a Bundle, laid out": json.dumps(in_bundle(ONE, TWO), indent=4),
    "a Bundle, laid out with Windows' line ends": json.dumps(in_bundle(ONE, TWO), indent=4).replace(
        "\n", "\r\n"
    ),
    "a Bundle whose type comes last": json.dumps(dict(reversed(in_bundle(ONE, TWO).items()))),
    "Bundles, one a line": f"{json.dumps(in_bundle(ONE))}\n{json.dumps(in_bundle(TWO))}\n",
    "Bundles in an array": [in_bundle(ONE), in_bundle(TWO)],
    "a Bundle in a Bundle": in_bundle(in_bundle(in_bundle(ONE)), TWO, kind="batch-response"),
    "an entry's name with an escape": json.dumps(in_bundle(ONE, TWO)).replace('"entry"', '"\\u0065ntry"', 1),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_the_same_resources(name: str) -> None:
    assert keys(LAYOUTS[name]) == BOTH


def test_every_piece_knows_its_line() -> None:
    laid_out = json.dumps(in_bundle(ONE, TWO), indent=1)
    lines = laid_out.split("\n")
    found = [line for _, line, _ in kept(laid_out)]
    assert [lines[line - 1].strip() for line in found] == ["{", "{"]
    assert found == sorted(set(found))


ENDS: dict[str, tuple[Any, list[str]]] = {
    "a broken line spoils no other": (f"{json.dumps(ONE)}\n{{broken\n{json.dumps(TWO)}\n", ["Patient/1", BROKEN, "Goal/2"]),
    "no type": ({"id": "1"}, [BROKEN]),
    "a type that is none": ({"resourceType": "../x"}, [BROKEN]),
    "a type that is no text": ({"resourceType": {"a": 1}}, [BROKEN]),
    "no object": ('[1, "x", null]', [BROKEN] * 3),
    "an empty Bundle": (resource("Bundle", type="searchset"), ["Bundle"]),
    "an entry without a resource": (resource("Bundle", entry=[{"request": {"method": "DELETE"}}]), [EMPTY]),
    "an entry that is no object": (resource("Bundle", entry=[7, {"resource": 8}, {"resource": ONE}]), [BROKEN, BROKEN, "Patient/1"]),
    "entries that are no list": (resource("Bundle", entry={"resource": ONE}), ["Patient/1"]),
    "a List has entries, too": (resource("List", id="l", entry=[{"item": {"reference": "Patient/1"}}]), ["List/l"]),
    "a List, laid out": (json.dumps(resource("List", id="l", entry=[{"item": 1}, {"item": 2}]), indent=1), ["List/l"]),
    "a Bundle that breaks off": (json.dumps(in_bundle(ONE, TWO))[:-20], ["Patient/1", BROKEN, BROKEN]),
    "a Bundle that breaks off, laid out": (json.dumps(in_bundle(ONE, TWO), indent=1)[:-40], ["Patient/1", BROKEN, BROKEN]),
    "a name that stands for two": ('{"resourceType":"Bundle","entry":[],"entry":[{"resource":{"resourceType":"Patient","id":"1"}}]}', ["Patient/1", BROKEN]),
    "a URL that is none": (resource("Bundle", entry=[{"fullUrl": "\ud800", "resource": ONE}]), ["Patient/1"]),
    "nothing": ("", []),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_what_is_no_resource_is_kept_as_such(name: str) -> None:
    said, expected = ENDS[name]
    assert keys(said) == expected


def big(count: int, **of_each: Any) -> Iterator[bytes]:
    yield b'{"resourceType":"Bundle","type":"collection","entry":['
    for number in range(count):
        yield (
            b"," * bool(number)
            + json.dumps({"resource": resource("Goal", id=f"g{number}", **of_each)}).encode()
        )
    yield b"]}"


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["end of file", "end of line"])
def test_a_bundle_longer_than_any_piece_on_one_line_is_cut_at_its_entries(end: bytes) -> None:
    raw = b"".join(big(300, note="x" * 8000)) + end
    assert len(raw) > 2 * cutting.MAX_PIECE
    assert len(keys(raw + json.dumps(ONE).encode())) == 301


def test_an_entry_that_is_too_long_spoils_no_other() -> None:
    long = resource("Goal", id="2", note="x" * cutting.MAX_PIECE)
    with Gathered([("f", io.BytesIO(json.dumps(in_bundle(ONE, long, TWO)).encode()))]) as gathered:
        found = list(gathered.in_order())
    assert [one.key for one in found] == ["Patient/1", None, "Goal/2"]
    assert found[1].digest is not None
    assert len(found[1].raw) <= cutting.KEPT


@given(
    st.lists(
        st.sampled_from([ONE, TWO, resource("Goal", id="q", entry=[1, [2]], text='"entry":[{')]), max_size=4
    ),
    st.sampled_from([None, 0, 1]),
    st.integers(1, 40),
)
@settings(max_examples=60, deadline=None)
def test_where_a_chunk_ends_does_not_matter(resources: list[Any], indent: int | None, chunk: int) -> None:
    bundle = {"a": "entry", **in_bundle(*resources), "z": ["entry", ["entry"]]}
    raw = json.dumps(bundle, indent=indent).encode() + b"\n" + json.dumps(ONE).encode()
    whole = list(cutting.pieces(io.BytesIO(raw), "entry"))
    before, cutting._CHUNK = cutting._CHUNK, chunk
    try:
        cut = list(cutting.pieces(io.BytesIO(raw), "entry"))
    finally:
        cutting._CHUNK = before
    contents = [(one.line, json.loads(one.content)) for one in cut if one.element is not None]
    if cut[0].element is not None or not resources:
        assert [value["resource"] for _, value in contents] == resources
    if whole[0].element is not None:
        assert cut == whole


def test_without_a_member_nothing_is_cut_out() -> None:
    raw = json.dumps(in_bundle(ONE, TWO), indent=1).encode()
    (whole,) = cutting.pieces(io.BytesIO(raw))
    assert json.loads(whole.content) == in_bundle(ONE, TWO)


def test_order_is_when_it_occurred_then_file_then_line() -> None:
    def at(name: str, when: str | None) -> dict[str, Any]:
        return resource("Consent", id=name, **({} if when is None else {"dateTime": when}))

    first = [at("c", "2026-03-02T10:00:00Z"), at("unknown", None), at("a", "2026-03-02T04:00:00-04:00")]
    second = [at("b", "2026-03-02T09:00:00Z"), at("d", "2026-03-02T10:00:00Z"), at("day", "2026-03-02")]
    assert keys(first, second) == [f"Consent/{one}" for one in ("a", "b", "c", "unknown", "d", "day")]


REFERENCES = {
    "Patient/1": "Patient/1",
    "https://a.example/fhir/Patient/1": "Patient/1",
    "https://a.example/fhir/Patient/1/_history/2": "Patient/1",
    "Patient/1/_history/2": "Patient/1",
    "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0",
    "patients?id=3": "patients?id=3",
    "": "",
}


@pytest.mark.parametrize("reference", REFERENCES)
def test_references_are_made_relative(reference: str) -> None:
    assert relative(reference) == REFERENCES[reference]


def test_a_resource_without_an_id_has_that_of_its_entry() -> None:
    assert own_id("urn:uuid:0c3151bd-1cbf") == "0c3151bd-1cbf"
    assert own_id("https://a.example/fhir/Patient/7") == "7"
    assert own_id("urn:oid:1.2.3") is None
    assert own_id(None) is None
