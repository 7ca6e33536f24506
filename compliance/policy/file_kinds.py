"""The kinds of policy file: rules, ``bundle.yaml``, ``requirements.yaml``, what a site asks, and timelines of cases.

Each has fields in groups, a JSON Schema that its first line names, and a shape: which parts of it stand on one line each, and which are spread
out. `layout` writes by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType
from typing import Any, Final, Literal

from compliance.domain.codes import GROUPS
from compliance.policy import case_files, cases, facts, parameters, rules, sites, tables
from compliance.policy.site_codes import CODE_FIELDS

SCHEMA_FOLDER: Final = "schema"


@dataclass(frozen=True, slots=True)
class Shape:
    """How one value is laid out: on one line where it fits, always on one line, or always spread out.

    `order` are fields whose order is fixed; `below` has the shapes of fields by name, ``*`` those of all others and of items.
    """

    style: Literal["fits", "line", "block"] = "fits"
    order: tuple[str, ...] = ()
    below: Mapping[str, Shape] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, step: str | int) -> Shape:
        """The shape of a field or an item."""
        found = self.below.get(step) if isinstance(step, str) else None
        return found or self.below.get("*") or FITS


FITS: Final = Shape()
_LINE: Final = Shape("line")
_LINES: Final = Shape(below={"*": _LINE})


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of policy file. `name` is also the word for its schema on the command line."""

    name: str
    groups: tuple[tuple[str, ...], ...]
    below: Mapping[str, Shape]

    @property
    def schema(self) -> str:
        """The name of its schema's file."""
        return f"{self.name}.v1.json"

    @property
    def fields(self) -> tuple[str, ...]:
        """Its fields in their order."""
        return tuple(chain.from_iterable(self.groups))

    @property
    def shape(self) -> Shape:
        """How a file of this kind is laid out."""
        return Shape("block", self.fields, self.below)


_PARAMETER: Final = Shape("block", parameters.FIELDS, {"values": _LINES})
_CASE: Final = Shape("block", cases.CASE_FIELDS, {"history": _LINES, "event": _LINE})
_TIMELINE: Final = Shape(
    "block",
    case_files.CASE_FIELDS,
    {"prelude": _LINE, "events": _LINES, "findings": _LINE, "clear": _LINE},
)

RULE: Final = FileKind(
    "policy",
    rules.GROUPS,
    {
        "cites": _LINES,
        "parameters": Shape("block", below={"*": _PARAMETER}),
        "expect": Shape(order=facts.CLOSING_FIELDS),
        "otherwise": Shape("block", rules.OTHERWISE_FIELDS),
        "cases": Shape("block", below={"*": _CASE}),
    },
)
BUNDLE: Final = FileKind(
    "bundle",
    (("name", "version"), *((name,) for name in tables.BUNDLE_FIELDS[2:])),
    {
        "holidays": _LINES,
        "drugs": _LINES,
        "states": Shape(
            "block",
            below={"defaults": _LINE, "rows": Shape("block", below={"*": Shape("line", below={"*": _LINE})})},
        ),
        "permissions": Shape("block"),
    },
)  # fmt: skip
REQUIREMENTS: Final = FileKind(
    "requirements",
    tuple((name,) for name in tables.REQUIREMENTS_FIELDS),
    {
        "requirements": _LINES,
        "properties": Shape("block", below={"*": Shape("block", tables.PROPERTY_FIELDS)}),
    },
)
SITE: Final = FileKind(
    "site",
    (sites.FIELDS[:-2], sites.FIELDS[-2:-1], sites.FIELDS[-1:]),
    {
        "parameters": Shape("block", below={"*": Shape("block", below={"*": _LINES})}),
        "codes": Shape("block", GROUPS, {"*": Shape("block", below={"*": Shape("line", CODE_FIELDS)})}),
    },
)
CASES: Final = FileKind(
    "cases",
    tuple((name,) for name in case_files.FILE_FIELDS),
    {
        "preludes": Shape("block", below={"*": _LINES}),
        "cases": Shape("block", below={"*": _TIMELINE}),
    },
)
FILE_KINDS: Final = (RULE, BUNDLE, REQUIREMENTS, SITE, CASES)


def file_kind(value: Any) -> FileKind | None:
    """The kind of file that a document is by its fields: that which knows most of them; None where none knows any."""
    if not isinstance(value, dict):
        return None
    known = {kind.name: len(value.keys() & set(kind.fields)) for kind in FILE_KINDS}
    likely = max(FILE_KINDS, key=lambda kind: known[kind.name])
    return likely if known[likely.name] else None
