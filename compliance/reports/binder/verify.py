"""Check a binder of compliance records: with Python alone (3.8 or newer), without a network, without installing anything.

    python3 verify.py                       checks the folder that this script lies in
    python3 verify.py FOLDER --key KEY      with the log's verifier key as you have it from somewhere else

It reads and never writes. Exit code 0: all that was checked holds. 1: something does not; every fault is told in words.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from compliance.reports.binder.verify_cells import (
    CHECKPOINT,
    CONTINUES,
    ENTRIES,
    KEY,
    MANIFEST,
    PROOFS,
    RELEASE,
    SINCE,
)
from compliance.reports.binder.verify_log import (
    Wrong,
    checkpoint_of,
    decoded,
    leaf_of,
    require_continued,
    require_included,
)
from compliance.reports.binder.verify_rows import Entries, Tables

UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    csv.Error,
)
"""What a changed file may make this stumble over."""

MOST_TOLD = 40
"""Faults that are told one by one."""


class Check:
    """One look at a binder: `faults` is what does not hold, `counts` what was looked at."""

    def __init__(self, folder: Path, key: str = "") -> None:
        self.folder, self.key, self.given = folder, key, bool(key)
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self.head: tuple[str, int, bytes] | None = None
        self.entries = Entries(folder)
        self.released: tuple[int, Any] | None = None

    def run(self) -> None:
        """Look at everything; whatever is wrong with one part, the others are looked at, too."""
        tables = Tables(self.folder, self.entries, self.fault, self.counts)
        for name, step in (
            (MANIFEST, self.manifest),
            (CHECKPOINT, self.checkpoint),
            (PROOFS, self.proofs),
            ("tables", tables.check),
            (SINCE, self.since),
            (RELEASE, self.seal),
        ):
            try:
                step()
            except Wrong as wrong:
                self.fault(name, str(wrong))
            except UNREADABLE as wrong:
                self.fault(name, f"cannot be read: {wrong!r}")

    def fault(self, where: str, what: str) -> None:
        """Note a fault."""
        self.faults.append(f"{where}: {what}")

    def text(self, name: str) -> str:
        """A file's text; raises Wrong where there is none."""
        try:
            return (self.folder / name).read_bytes().decode()
        except (OSError, UnicodeDecodeError):
            raise Wrong("is missing, or is no text") from None

    def digest(self, name: str) -> str:
        """The SHA-256 of a file."""
        found = hashlib.sha256()
        with (self.folder / name).open("rb") as file:
            for part in iter(lambda: file.read(1 << 20), b""):
                found.update(part)
        return found.hexdigest()

    def manifest(self) -> None:
        """Every file is there, none is more, each has its digest."""
        listed: dict[str, str] = {}
        for line in self.text(MANIFEST).splitlines():
            digest, _, name = line.partition("  ")
            if not name or name in listed or name.startswith("/") or ".." in name.split("/"):
                raise Wrong(f"has a line that no manifest has: {line!r}")
            listed[name] = digest
        files = [one for one in self.folder.rglob("*") if one.is_symlink() or not one.is_dir()]
        there = {one.relative_to(self.folder).as_posix(): one for one in files}
        for name in sorted(set(there) - set(listed) - {MANIFEST, RELEASE, CONTINUES}):
            self.fault(name, "is in the folder and not in the manifest: it was added")
        for name, digest in sorted(listed.items()):
            if name not in there:
                self.fault(name, "is missing: the manifest lists it")
            elif there[name].is_symlink() or self.digest(name) != digest:
                self.fault(name, "was changed: its SHA-256 is not that of the manifest")
        self.counts["files"] = len(listed)

    def checkpoint(self) -> None:
        """The checkpoint is signed by the log's key."""
        printed = self.text(KEY).strip()
        if self.given and self.key != printed:
            self.fault(KEY, f"is not the verifier key that you gave: {printed}")
        self.key = self.key or printed
        self.head = checkpoint_of(self.text(CHECKPOINT), self.key)

    def proofs(self) -> None:
        """Each entry is in the log of the checkpoint."""
        if self.head is None:
            raise Wrong("not looked at, since there is no good checkpoint")
        last, offset = -1, 0
        path: list[bytes] = []
        with (self.folder / ENTRIES).open("rb") as entries, (self.folder / PROOFS).open("rb") as proofs:
            for line, proof in enumerate(proofs, 1):
                entry = entries.readline()
                if not proof.endswith(b"\n") or not entry.endswith(b"\n"):
                    raise Wrong(f"line {line}, or that of {ENTRIES}, is cut off or missing")
                said = json.loads(proof)
                index, shared = said["index"], said["shared"]
                path = [*map(decoded, said["hashes"]), *path[len(path) - shared :]]
                where = f"entry {index} ({PROOFS}, line {line})"
                if index <= last:
                    self.fault(where, "is not in its place: the entries stand in the order of the log")
                try:
                    require_included(index, self.head[1], leaf_of(entry[:-1]), path, self.head[2])
                except Wrong as wrong:
                    self.fault(where, str(wrong))
                self.entries.add(index, offset, json.loads(entry))
                last, offset = index, offset + len(entry)
            if entries.readline():
                raise Wrong("is cut off: there are entries without a proof")
        self.counts["entries"] = len(self.entries.indices)

    def since(self) -> None:
        """The checkpoint continues an earlier one, where the binder has one."""
        if self.head is None or not (self.folder / SINCE).exists():
            return
        said = json.loads(self.text(SINCE))
        origin, size, root = checkpoint_of(said["note"], said["key"])
        if origin != self.head[0]:
            raise Wrong("the earlier checkpoint is of another log")
        require_continued(size, self.head[1], root, self.head[2], list(map(decoded, said["hashes"])))
        self.counts["since"] = size
        self.counts["other key"] = said["key"] != self.key

    def seal(self) -> None:
        """The log says, in an entry of its own, which manifest was handed out."""
        if self.head is None:
            raise Wrong("not looked at, since there is no good checkpoint")
        top, _, note = self.text(RELEASE).partition("\n\n")
        origin, size, root = checkpoint_of(note, self.key)
        first, extra, index, *hashes = top.split("\n")
        if (first, extra[:6], index[:6], origin) != (
            "c2sp.org/tlog-proof@v1",
            "extra ",
            "index ",
            self.head[0],
        ):
            raise Wrong("it is no proof of this log (C2SP tlog-proof)")
        entry = decoded(extra[6:])
        require_included(int(index[6:]), size, leaf_of(entry), list(map(decoded, hashes)), root)
        event = json.loads(entry).get("event", {})
        if event.get("kind") != "record_access" or event.get("sha256") != self.digest(MANIFEST):
            raise Wrong(
                "the log's record of this binder names another manifest: this is not what was handed out"
            )
        between = json.loads(self.text(CONTINUES))["hashes"]
        require_continued(self.head[1], size, self.head[2], root, list(map(decoded, between)))
        self.released = (int(index[6:]), event)


def told(check: Check) -> list[str]:
    """What was looked at, what came of it, and what that does not show."""
    counts, lines = check.counts, []
    if check.head is not None:
        lines += [
            f"The log {check.head[0]}, as its checkpoint of {check.head[1]} entries says it.",
            f"Verifier key: {check.key}",
        ]
    lines += [
        f"Looked at: the digests of {counts['files']} files; {counts['entries']} entries, each with its proof that it is in that log;",
        f"{counts['rows']} rows of tables, of which {counts['cells']} cells repeat what an entry says, word for word. Every event, decision",
        "and finding that was proved must have its row, and the sums by drug must be those of the rows.",
    ]
    if counts["words"]:
        lines.append(
            f"{counts['words']} cells hold words from the clinic's vault; the log holds only commitments to them."
        )
    if counts["since"]:
        lines.append(f"The log continues the earlier checkpoint of {counts['since']} entries.")
    if counts["other key"]:
        lines.append(
            f"That one was signed by an earlier key of the log, which you must compare, too: see {SINCE}."
        )
    if check.released is not None:
        index, event = check.released
        lines.append(
            f"Sealed: entry {index} of the log says that {event.get('actor')} made this binder at {event.get('occurred_at')}."
        )
    lines += ["", *(f"FAULT  {one}" for one in check.faults[:MOST_TOLD])]
    if len(check.faults) > MOST_TOLD:
        lines.append(f"... and {len(check.faults) - MOST_TOLD} more")
    bad = f"NOT GOOD: {len(check.faults)} fault(s). Do not rely on this copy."
    lines += [bad if check.faults else "GOOD: all that was looked at holds.", "", *NOT_SHOWN]
    if not check.given:
        lines.append(
            "- that the verifier key above is the clinic's: compare it with the one that you have from somewhere else (--key)."
        )
    return lines


NOT_SHOWN = (
    "What this does not show:",
    "- that what was entered is true, or that everything that happened was entered;",
    "- that the log holds nothing else on the matter: a proof shows that an entry is there, not that others are not;",
    "- columns without a member of the entry in brackets, names and words from the vault, pages and prints: the manifest holds them, and the",
    "  seal the manifest, so nobody changed them since; they are not proved one by one;",
    "- that this script is the right one: its digest should be that of the script that comes with the software.",
)


def main(arguments: list[str]) -> int:
    """Check the folder that is named, or the script's own; 0 where all holds."""
    key, rest = "", list(arguments)
    if "--key" in rest[:-1]:
        at = rest.index("--key")
        key = rest[at + 1].strip()
        del rest[at : at + 2]
    if len(rest) > 1 or any(one.startswith("-") for one in rest):
        sys.stderr.write(__doc__ or "")
        return 2
    check = Check(Path(rest[0]) if rest else Path(__file__).resolve().parent, key)
    check.run()
    sys.stdout.write("\n".join(told(check)) + "\n")
    return 1 if check.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
