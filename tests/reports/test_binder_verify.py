"""The script in a binder: it finds a good binder good, and says what was done to a bad one."""

from __future__ import annotations

import ast
import json
import shutil
import sys
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from compliance.ledger.note import Signer
from compliance.reports.binder import verify
from compliance.reports.binder.script import digest, script
from compliance.reports.binder.verify_log import (
    Wrong,
    is_signed,
    point_of,
    require_continued,
    require_included,
)
from tests.logs import ORIGIN, SIGNER
from tests.reports.binders import edited, relisted, verified

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
WASTAGE = "30-receipts-and-dispositions/wastage.csv"
DOSES = "30-receipts-and-dispositions/administrations.csv"
DECISIONS, FINDINGS = "70-decisions/decisions.csv", "70-decisions/findings.csv"
ENTRIES, PROOFS, CHECKPOINT = "90-proof/entries.ndjson", "90-proof/proofs.ndjson", "90-proof/checkpoint.txt"
RELEASE = "99-seal/release.tlog-proof"


@pytest.fixture
def mesa(binders, tmp_path):
    """A copy of a binder, to be changed."""
    return Path(shutil.copytree(binders["MESA"].folder, tmp_path / "MESA"))


def faults(folder, key=""):
    """What the checks find, without a process."""
    check = verify.Check(folder, key)
    check.run()
    return check.faults


@pytest.mark.parametrize("site", ["LAKE", "MESA"])
def test_a_good_binder_verifies_with_python_alone(binders, site):
    """Isolated, without site packages, in an empty environment: exit 0, and it says what was looked at and what that does not show."""
    done = verified(binders[site].folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "GOOD" in done.stdout
    assert "FAULT" not in done.stdout
    assert f"{binders[site].made.entries} entries, each with its proof" in done.stdout
    assert "What this does not show" in done.stdout
    assert str(SIGNER.verifier) in done.stdout


def test_the_key_that_somebody_has_is_compared(binders):
    """With --key the binder's own key counts for nothing."""
    folder = binders["MESA"].folder
    assert verified(folder, str(folder), "--key", str(SIGNER.verifier)).returncode == 0
    other = verified(folder, str(folder), "--key", str(Signer(ORIGIN, bytes(32)).verifier))
    assert other.returncode == 1
    assert "is not the verifier key that you gave" in other.stdout
    assert verified(folder, "--keys").returncode == 2


def test_the_script_is_the_one_of_the_software_and_runs_on_old_pythons(binders):
    """It imports the standard library alone, and has no syntax that Python 3.8 lacks."""
    assert (binders["MESA"].folder / "verify.py").read_bytes() == script()
    assert sha256(script()).hexdigest() == digest()
    tree = ast.parse(script(), feature_version=(3, 8))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names
    assert "socket" not in imported
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not called & {
        "removeprefix",
        "removesuffix",
        "bit_count",
        "walk_up",
        "is_relative_to",
    }  # since 3.9


def swapped(text: str, first: int, second: int) -> str:
    lines = text.split("\n")
    lines[first], lines[second] = lines[second], lines[first]
    return "\n".join(lines)


def without(text: str, number: int) -> str:
    lines = text.split("\n")
    del lines[number]
    return "\n".join(lines)


def line_of(folder: Path, name: str, start: str) -> int:
    return next(n for n, line in enumerate((folder / name).read_text().split("\n")) if start in line)


def resigned(note: str) -> str:
    """The checkpoint under the same name, signed by another key."""
    return Signer(ORIGIN, bytes(32)).sign(note.partition("\n\n")[0] + "\n")


def forged(note: str) -> str:
    """A signature with one bit changed."""
    text, _, encoded = note.rstrip("\n").rpartition(" ")
    raw = bytearray(b64decode(encoded))
    raw[-40] ^= 1
    return f"{text} {b64encode(raw).decode()}\n"


def proof_of_another(text: str) -> str:
    """The hashes of two proofs exchanged, each under the other's index."""
    lines = text.split("\n")
    one, other = json.loads(lines[10]), json.loads(lines[40])
    one["index"], other["index"] = other["index"], one["index"]
    lines[10], lines[40] = json.dumps(other), json.dumps(one)
    return "\n".join(lines)


TAMPERED = {
    "a changed amount": (WASTAGE, lambda text: text.replace(",16.10,", ",16.00,"), "Quantity is '16.00', and entry"),
    "a changed amount of what was first recorded": (WASTAGE, lambda text: text.replace(",15.9,", ",1.59,", 1), "Quantity is '1.59', and entry"),
    "a row that names another event": (DOSES, lambda text: text.replace(".administration\r\n", ".administration.9\r\n", 1), "Event id is"),
    "another supplier": ("30-receipts-and-dispositions/receipts.csv", lambda text: text.replace(",ADDR-RIGHT,", ",ADDR-WRONG,", 1), "address is 'ADDR-WRONG', and entry"),
    "a row taken out": (DOSES, lambda text: without(text, 2), "has no row for entry"),
    "a decision taken out": (DECISIONS, lambda text: without(text, 5), "has no row for entry"),
    "a finding taken out": (FINDINGS, lambda text: without(text, 2), "fewer than entry"),
    "a milder verdict": (DECISIONS, lambda text: text.replace(",violation,violation,", ",violation,compliant,", 1), "Verdict now is 'compliant'"),
    "a row of an entry that is not there": (DOSES, lambda text: text.replace(",stands,,", ",stands,99999,", 1), "99999 is not among the proven entries"),
    "a column that can no longer be compared": (DOSES, lambda text: text.replace("Quantity [event.quantity]", "Quantity"), "has no column event.quantity"),
    "a row of too few cells": (DOSES, lambda text: text.replace(",stands,", ",", 1), "cells, and there are"),
    "a sum": ("30-receipts-and-dispositions/by-drug.csv", lambda text: text.replace(",200,", ",180,", 1), "add up to 200"),
    "a policy": ("60-policies/bundle-*.json", lambda text: text.replace("140", "180", 1), "has another digest than the entry names"),
    "a changed entry": (ENTRIES, lambda text: text.replace('"quantity":"16.3"', '"quantity":"16.0"', 1), "does not lead to the root"),
    "an entry put in": (ENTRIES, lambda text: text + '{"type":"event"}\n', "there are entries without a proof"),
    "swapped proofs": (PROOFS, proof_of_another, "does not lead to the root"),
    "two proofs in each other's line": (PROOFS, lambda text: swapped(text, 3, 4), "is not in its place"),
    "a proof that is cut off": (PROOFS, lambda text: text[:-9], "is cut off"),
    "proofs that are cut off": (PROOFS, lambda text: text[: text.rindex("\n", 0, -2) + 1], "there are entries without a proof"),
    "a checkpoint signed by another key": (CHECKPOINT, resigned, "is not signed by the verifier key"),
    "a forged signature": (CHECKPOINT, forged, "its signature is wrong"),
    "a checkpoint of another size": (CHECKPOINT, lambda text: text.replace("\n1", "\n2", 1), "its signature is wrong"),
    "no checkpoint at all": (CHECKPOINT, lambda text: "hello\n", "no checkpoint"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_changed_is_found_even_under_a_new_manifest(mesa, name):
    """Whoever changes a file and lists it anew is contradicted by the entries, by the proofs, or by the signature; and always by the seal."""
    pattern, change, says = TAMPERED[name]
    (path,) = mesa.glob(pattern)
    edited(mesa, path.relative_to(mesa).as_posix(), change)
    relisted(mesa)
    found = faults(mesa)
    assert [fault for fault in found if says in fault], found
    assert [fault for fault in found if fault.startswith(RELEASE)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda folder: edited(folder, WASTAGE, lambda text: swapped(text, 1, 2)), f"{WASTAGE}: was changed"),
        (lambda folder: edited(folder, "index.html", lambda text: text.replace("MESA", "LAKE")), "index.html: was changed"),
        (lambda folder: (folder / "80-changes/voids.csv").unlink(), "80-changes/voids.csv: is missing"),
        (lambda folder: (folder / "note.txt").write_text("hello"), "note.txt: is in the folder and not in the manifest"),
        (lambda folder: (folder / "more").symlink_to(folder), "more: is in the folder and not in the manifest"),
        (lambda folder: (folder / "MANIFEST.sha256").unlink(), "MANIFEST.sha256: is missing"),
        (lambda folder: edited(folder, "MANIFEST.sha256", lambda text: without(text, 3)), "it was added"),
        (lambda folder: edited(folder, "MANIFEST.sha256", lambda text: f"{'0' * 64}  ../x\n{text}"), "a line that no manifest has"),
        (lambda folder: (folder / RELEASE).unlink(), f"{RELEASE}: is missing"),
        (lambda folder: edited(folder, RELEASE, lambda text: text.replace("index 1", "index 2")), f"{RELEASE}: its proof"),
        (lambda folder: edited(folder, "99-seal/continues.json", lambda text: text.replace('["', '["AAAA')), f"{RELEASE}: "),
    ],
)  # fmt: skip
def test_files_changed_added_removed_and_rows_swapped_are_found(mesa, change, says):
    """The manifest holds every file, and the seal the manifest."""
    change(mesa)
    found = faults(mesa)
    assert [fault for fault in found if says in fault], found


def test_a_bad_binder_makes_the_script_exit_1_and_say_so(mesa):
    """As a process, as an inspector runs it; the faults are told before the verdict."""
    edited(mesa, WASTAGE, lambda text: text.replace(",16.10,", ",16.00,"))
    done = verified(mesa)
    assert done.returncode == 1
    assert f"FAULT  {WASTAGE}: was changed: its SHA-256 is not that of the manifest" in done.stdout
    assert "NOT GOOD: 3 fault(s)" in done.stdout


def test_an_empty_folder_is_not_good(tmp_path):
    """And so is one that is not there."""
    (tmp_path / "verify.py").write_bytes(script())
    assert verified(tmp_path).returncode == 1
    assert verified(tmp_path, str(tmp_path / "none")).returncode == 1


def test_many_faults_are_counted_and_not_all_told(mesa):
    """Forty, and how many more there are."""
    edited(mesa, DECISIONS, lambda text: text.replace(",P-5", ",P-6"))
    relisted(mesa)
    done = verified(mesa)
    assert done.stdout.count("FAULT  ") == verify.MOST_TOLD
    assert "... and " in done.stdout


# ---- the signature, against the published vectors


WYCHEPROOF = json.loads((VECTORS / "wycheproof/testvectors_v1/ed25519_test.json").read_text())
SIGNED = [(group["publicKey"]["pk"], case) for group in WYCHEPROOF["testGroups"] for case in group["tests"]]


def test_ed25519_agrees_with_wycheproof():
    """All 151 cases: signatures that are not canonical, too long, of S + L, of small order, and so on."""
    wrong = [
        case["tcId"]
        for key, case in SIGNED
        if is_signed(*map(bytes.fromhex, (key, case["msg"], case["sig"]))) != (case["result"] == "valid")
    ]
    assert len(SIGNED) == 151
    assert wrong == []


RFC_8032 = (
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
)  # fmt: skip
L = 2**252 + 27742317777372353535851937790883648493


@pytest.mark.parametrize("key, message, signature", RFC_8032)
def test_ed25519_agrees_with_rfc_8032(key, message, signature):
    """Section 7.1; and any bit changed anywhere makes it false, as does S + L, which another check would take."""
    key, message, signature = map(bytes.fromhex, (key, message, signature))
    assert is_signed(key, message, signature)
    for at in range(0, 512, 37):
        changed = bytearray(signature)
        changed[at // 8] ^= 1 << at % 8
        assert not is_signed(key, message, bytes(changed))
    assert not is_signed(key, message + b"x", signature)
    larger = (int.from_bytes(signature[32:], "little") + L).to_bytes(32, "little")
    assert not is_signed(key, message, signature[:32] + larger)
    assert not is_signed(key, message, signature[:63])
    assert not is_signed(key[:31], message, signature)


@pytest.mark.parametrize(
    "encoded",
    [
        (2**255 - 19).to_bytes(32, "little"), (2**255 - 1).to_bytes(32, "little"), (2**255 - 18).to_bytes(32, "little"),
        (1 | 1 << 255).to_bytes(32, "little"), (2**255 - 20 | 1 << 255).to_bytes(32, "little"), (2).to_bytes(32, "little"),
    ],
    ids=["p", "the largest", "p + 1", "minus zero", "minus zero at -1", "no point of the curve"],
)  # fmt: skip
def test_bytes_that_encode_no_point_are_refused(encoded):
    """RFC 8032 5.1.3: y below p, a root that exists, and no sign for zero."""
    assert point_of(encoded) is None
    assert not is_signed(encoded, b"", bytes(64))


@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_merkle_proofs_agree_with_the_vectors(kind):
    """The published proofs, good and bad; roots that are no SHA-256 hashes are refused besides, as they are in the ledger."""
    paths = sorted((VECTORS / "rfc9162-proofs/testdata" / kind).rglob("*.json"))
    assert len(paths) == 98
    for path in paths:
        case = json.loads(path.read_text())
        proof = [b64decode(one) for one in case["proof"] or ()]
        if kind == "inclusion":
            arguments = (
                case["leafIdx"],
                case["treeSize"],
                b64decode(case["leafHash"]),
                proof,
                b64decode(case["root"]),
            )
            check, refused = require_included, case["wantErr"]
        else:
            roots = b64decode(case["root1"]), b64decode(case["root2"])
            arguments = (case["size1"], case["size2"], *roots, proof)
            check, refused = require_continued, case["wantErr"] or {len(root) for root in roots} != {32}
        try:
            check(*arguments)
        except Wrong:
            assert refused, path
        else:
            assert not refused, path
