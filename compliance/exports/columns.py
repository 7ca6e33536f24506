"""The columns of exported tables: one table for each kind of event, one of decisions, one of findings, one of persons.

A table of events has ``log_entry``, the fields of the vocabulary in its order, then what the log says of the event. Where the vocabulary's
version stays the same, columns are only added, at the end of its fields; `VERSION` changes where anything else does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from compliance.domain.vocabulary import KINDS, FieldSpec

VERSION: Final = 1
"""Of names, order and types of the columns; it stands in every manifest."""

UNKNOWN_OUTSIDE: Final = ("effective", "matches_target")
"""Fields that are known of an event only while it is judged: no log holds them, so no table has them."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its name, which is its file's, and its columns."""

    name: str
    columns: tuple[FieldSpec, ...]


def _column(name: str, kind: str, says: str, *, values: tuple[str, ...] = ()) -> FieldSpec:
    return FieldSpec(name, kind, required=False, says=says, values=values)  # type: ignore[arg-type]


def _texts(name: str, says: str) -> FieldSpec:
    element = FieldSpec("", "text", required=True, says="")
    return FieldSpec(name, "list", required=False, says=says, element=element)


_ENTRY: Final = _column("log_entry", "integer", "The entry that holds the event")
_OF_THE_LOG: Final = (
    _column("log_state", "enum", "As it was sent, corrected since, or void", values=("as_sent", "corrected", "void")),
    _column("log_verdict", "text", "The last decision"),
    _column("log_judged_in", "integer", "The entry that holds it"),
    _column("log_bundle", "text", "The policies that it was made under"),
)  # fmt: skip

DECISIONS: Final = Table("decisions", (
    _column("entry", "integer", "The entry that holds the decision"),
    _column("type", "enum", "On arrival, or when judged again", values=("event", "rejudgement")),
    _column("recorded_at", "instant", "When it was recorded"),
    _column("event", "id", "The event"),
    _column("event_entry", "integer", "The entry that holds the event"),
    _column("kind", "text", "Its kind"),
    _column("site", "id", "Its site, as it stands"),
    _column("verdict", "text", "The decision"),
    _column("last", "boolean", "No later decision on the event"),
    _column("findings", "integer", "How many rules object"),
    _column("cause", "id", "The later event because of which it was judged again"),
    _column("bundle", "text", "The policies, by digest"),
    _column("case", "text", "Digest of what was judged"),
    _column("engine", "text", "Which evaluator judged"),
))  # fmt: skip

FINDINGS: Final = Table("findings", (
    _column("entry", "integer", "The entry that holds the decision"),
    _column("event", "id", "The event"),
    _column("event_entry", "integer", "The entry that holds the event"),
    _column("kind", "text", "Its kind"),
    _column("site", "id", "Its site, as it stands"),
    _column("last", "boolean", "No later decision on the event"),
    _column("rule", "text", "The rule that objects"),
    _texts("implements", "The requirements that it keeps"),
    _column("severity", "text", "deny, warn or report"),
    _column("outcome", "text", "fail, indeterminate or overridden"),
    _column("overridden_by", "id", "The event that lets it go on"),
    _column("message", "text", "The finding in words"),
    _column("because", "text", "The values that decided it, as JSON"),
    _column("policy_file", "text", "Where the rule is written"),
    _column("policy_line", "integer", "The line in it"),
    _column("bundle", "text", "The policies, by digest"),
))  # fmt: skip

PERSONS: Final = Table("persons", (
    _column("pseudonym", "id", "Who, as events name them"),
    _column("version", "id", "Handle of this version of the identity"),
    _column("valid_from", "date", "The day from which it holds"),
    _column("name", "text", "Full name"),
    _column("birth_date", "date", "Date of birth"),
    _column("sex", "text", "As on the record"),
    _column("address", "text", "Postal address"),
    _column("phone", "text", "Telephone"),
    _column("email", "text", "E-mail"),
    _texts("record_numbers", "Numbers of records elsewhere"),
    _column("erased_by", "id", "The event by which the person was erased; nothing else is known then"),
))  # fmt: skip


@cache
def events_of(kind: str) -> Table:
    """The table of a kind; KeyError for an unknown one."""
    fields = KINDS[kind].fields
    known = (spec for name, spec in fields.items() if name not in UNKNOWN_OUTSIDE)
    return Table(f"events-{kind}", (_ENTRY, *known, *_OF_THE_LOG))


def type_name(spec: FieldSpec) -> str:
    """A column's type as a manifest names it: ``decimal``, ``list<text>``, ``record<name:text,old:text>``."""
    if spec.element is not None:
        return f"list<{type_name(spec.element)}>"
    if spec.fields is not None:
        inner = ",".join(f"{name}:{type_name(field)}" for name, field in spec.fields.items())
        return f"record<{inner}>"
    return spec.type
