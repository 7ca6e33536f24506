"""An input that does not begin as JSON does is refused before anything of it is written."""

from __future__ import annotations

import io

import pytest

from compliance.errors import InputError
from compliance.intake.fhir.gathering import Gathered

REFUSED = {
    "a spreadsheet": b"PK\x03\x04\x14\x00\x06\x00",
    "a PDF": b"%PDF-1.7\n",
    "XML": b'<?xml version="1.0"?>\n<Patient/>',
    "UTF-16": '{"resourceType": "Goal"}'.encode("utf-16"),
    "UTF-16 without a mark": '{"resourceType": "Goal"}'.encode("utf-16-le"),
    "compressed": b"\x1f\x8b\x08\x00",
    "NUL bytes": b"\x00" * 64,
    "a bracket, and then anything": b"[\x00",
    "a table": b"patient;dose\n1;56\n",
}
TAKEN = {
    "nothing": b"",
    "white space": b" \r\n\t\n",
    "an object": b'\n {"resourceType": "Goal", "id": "g"}\n',
    "with a byte-order mark": b'\xef\xbb\xbf{"resourceType": "Goal"}',
    "an array": b"[]",
    "a broken line": b'{"resourceType" "Goal"}\n{"resourceType": "Goal"}\n',
    "a long line": b'{"resourceType": "Goal", "note": [{"text": "' + "é".encode() * 4096 + b'"}]}',
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_json_is_refused(name: str) -> None:
    good = ("good.json", io.BytesIO(b'{"resourceType": "Goal"}'))
    with pytest.raises(InputError, match=r"f[.]bin does not begin as JSON does"):
        Gathered([good, ("f.bin", io.BytesIO(REFUSED[name]))])


@pytest.mark.parametrize("name", TAKEN)
def test_what_may_be_json_is_read(name: str) -> None:
    with Gathered([("f.json", io.BytesIO(TAKEN[name]))]) as gathered:
        assert len(list(gathered.in_order())) == TAKEN[name].count(b"resourceType")
