"""The facts a rule asks of the history (`given`), and what closes a duty (`expect`); policy-language.md, "Facts", "Deadline"."""

from __future__ import annotations

from typing import Any, Final, cast

from compliance.domain.time import SECOND
from compliance.domain.vocabulary import KINDS
from compliance.policy.expression.tree import Type
from compliance.policy.expression.types import ERROR
from compliance.policy.fields import Fields, Reading, elapsed, kind_of, unique
from compliance.policy.located import Path
from compliance.policy.model import Closing, Expect, Expression, Given, Quantifier
from compliance.policy.names import (
    BOOL,
    DURATION,
    IDENTIFIER,
    INSTANT,
    RESERVED,
    Known,
    event_of,
    field_types,
)
from compliance.policy.nearest import did_you_mean

QUANTIFIERS: Final = (
    "latest",
    "earliest",
    "any",
    "none",
    "count",
    "sum",
    "uncovered",
    "largest_gap",
    "balance",
)
_COMMON: Final = ("by", "where")
_WINDOW: Final = ("within", "after", "self")
OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "latest": (*_COMMON, *_WINDOW, "states"),
    "earliest": (*_COMMON, *_WINDOW),
    "any": (*_COMMON, *_WINDOW, "states"),
    "none": (*_COMMON, *_WINDOW, "states"),
    "count": (*_COMMON, *_WINDOW),
    "sum": (*_COMMON, *_WINDOW),
    "uncovered": (*_COMMON, "from", "to"),
    "largest_gap": (*_COMMON, "from", "to"),
    "balance": ("by", "for_each"),
}
CLOSING_FIELDS: Final = ("event", "by", "where", "at", "due")
_EXAMPLE: Final = "write it as {latest: administration, by: [session]}"


def read_given(rule: Fields, known: Known) -> tuple[Given, ...]:
    """The facts of a rule in order, each visible to those after it."""
    if not rule.has("given"):
        return ()
    written = rule.value["given"]
    if not isinstance(written, dict):
        rule.wrong("given", f"'given' must be a group of named facts, not {kind_of(written)}", _EXAMPLE)
        return ()
    found = []
    for name in written:
        path = (*rule.at("given"), name)
        if not IDENTIFIER.match(name):
            rule.reading.wrong(
                path, f"'{name}' cannot be a fact's name", "use small letters, digits and _", key=True
            )
        elif name in RESERVED or name in known.on:
            rule.reading.wrong(
                path,
                f"'{name}' already means something in every expression",
                "give the fact another name",
                key=True,
            )
            continue
        fact = _fact(rule.reading, path, name, known)
        known.add(name, fact[1] if fact is not None else ERROR)
        if fact is not None:
            found.append(fact[0])
    return tuple(found)


def _fact(reading: Reading, path: Path, name: str, known: Known) -> tuple[Given, Type] | None:
    what = f"fact '{name}'"
    value = reading.document.value
    for step in path:
        value = value[step]
    named = [word for word in QUANTIFIERS if isinstance(value, dict) and word in value]
    if len(named) != 1:
        if not isinstance(value, dict):
            reading.wrong(path, f"{what} must be a group of fields, not {kind_of(value)}", _EXAMPLE)
        elif named:
            reading.wrong(
                path,
                f"{what} asks for both {named[0]} and {named[1]}",
                "ask for one; make two facts",
                key=True,
            )
        else:
            stranger = next(
                (
                    word
                    for word in value
                    if word not in (*_COMMON, *_WINDOW, "states", "from", "to", "for_each")
                ),
                "",
            )
            near = did_you_mean(stranger, QUANTIFIERS) if stranger else ""
            reading.wrong(
                path,
                f"{what} does not say what to look for",
                near or f"begin it with one of: {', '.join(QUANTIFIERS)}",
                key=True,
            )
        return None
    quantifier = cast(Quantifier, named[0])
    fields = reading.fields(path, (quantifier, *OPTIONS[quantifier]), what)
    assert fields is not None  # it is a mapping, as seen above
    kinds, field = _kinds_and_field(fields, quantifier)
    if kinds is None:
        return None
    if quantifier == "balance":
        return _balance(fields, name, known)
    by = _keys(fields, known.on, kinds)
    given = Given(
        name=name,
        quantifier=quantifier,
        kinds=kinds,
        field=field,
        by=by,
        where=_optional(fields, "where", known, kinds, BOOL),
        within=_window(fields, "within", known),
        after=_window(fields, "after", known),
        present=_present(fields, quantifier, kinds),
        include_self=fields.truth("self", quantifier in ("count", "sum")),
        place=reading.place(path),
        span_from=_end(fields, "from", known, quantifier),
        span_to=_end(fields, "to", known, quantifier),
    )
    return given, _type(quantifier, kinds, field)


def _type(quantifier: str, kinds: tuple[str, ...], field: str | None) -> Type:
    if quantifier in ("latest", "earliest", "any"):
        return event_of(kinds)
    if quantifier == "none":
        return BOOL
    if quantifier == "sum":
        return field_types(kinds[0])[field or ""]
    return DURATION if quantifier in ("uncovered", "largest_gap") else Type("number")


def _kinds_and_field(fields: Fields, quantifier: str) -> tuple[tuple[str, ...] | None, str | None]:
    if quantifier == "balance":
        if fields.value["balance"] != "stock":
            fields.wrong("balance", "a balance is always of stock", "write balance: stock")
        return (), None
    names = fields.names(quantifier, f"write the kind of event to look for: {quantifier}: administration")
    if not names:
        return None, None
    if quantifier != "sum":
        kinds = known_kinds(fields, quantifier, names)
        return (kinds or None), None
    pairs = [name.partition(".") for name in names]
    if any(not dot for _, dot, _ in pairs):
        fields.wrong(
            "sum",
            "a sum needs the field that is added up",
            "write the kind, a point and the field: sum: administration.dose_mg",
        )
        return None, None
    kinds = known_kinds(fields, "sum", tuple(kind for kind, _, _ in pairs))
    columns = unique(column for _, _, column in pairs)
    if len(kinds) != len(pairs):
        return None, None
    if len(columns) > 1:
        fields.wrong(
            "sum",
            f"one sum adds up one field, not {columns[0]} and {columns[1]}",
            "make two facts and add them",
        )
        return None, None
    for kind in kinds:
        types = field_types(kind)
        if columns[0] not in types:
            fields.wrong("sum", f"{kind} has no field '{columns[0]}'", did_you_mean(columns[0], types))
            return None, None
        if types[columns[0]].name != "number":
            fields.wrong("sum", f"{kind}.{columns[0]} is not a number", "add up a number")
            return None, None
    return kinds, columns[0]


def known_kinds(
    fields: Fields, name: str, kinds: tuple[str, ...], *, any_kind: bool = False
) -> tuple[str, ...]:
    """Those of `kinds` that the vocabulary has (or ``any``, where `any_kind`); the others are noted."""
    if any_kind and kinds == ("any",):
        return kinds
    listed = isinstance(fields.value.get(name), list)
    for kind in kinds:
        if kind not in KINDS:
            path = fields.at(name)
            if listed:
                path = (
                    *path,
                    next(
                        i
                        for i, item in enumerate(fields.value[name])
                        if isinstance(item, str) and item.partition(".")[0] == kind
                    ),
                )
            fields.reading.wrong(path, f"there is no kind of event '{kind}'", did_you_mean(kind, KINDS))
    return tuple(kind for kind in kinds if kind in KINDS)


def _keys(fields: Fields, on: tuple[str, ...], kinds: tuple[str, ...]) -> tuple[str, ...]:
    """The shared keys, which both the judged kinds and the candidates must have."""
    keys = fields.names("by", "write the shared fields: by: [session]", required=False)
    for i, key in enumerate(keys):
        for kind in unique((*on, *kinds)):
            types = field_types(kind)
            if key not in types:
                path = (*fields.at("by"), i) if isinstance(fields.value["by"], list) else fields.at("by")
                fields.reading.wrong(path, f"{kind} has no field '{key}' to share", did_you_mean(key, types))
                break
    return keys


def _optional(
    fields: Fields, name: str, known: Known, it: tuple[str, ...], expected: Type
) -> Expression | None:
    if not fields.has(name):
        return None
    return fields.reading.expression(fields.at(name), known.names(it), expected)


def _window(fields: Fields, name: str, known: Known) -> Expression | None:
    """A window: ``24h`` for short, or an expression such as ``param.window``."""
    if not fields.has(name):
        return None
    short = elapsed(fields.value[name])
    if short is not None:
        return fields.reading.expression(
            fields.at(name), known.names(), DURATION, f"duration('{short // SECOND}s')"
        )
    return fields.reading.expression(fields.at(name), known.names(), DURATION)


def _end(fields: Fields, name: str, known: Known, quantifier: str) -> Expression | None:
    if quantifier not in ("uncovered", "largest_gap"):
        return None
    if not fields.required(
        name, "say which span is looked at: from: dose.occurred_at, to: event.occurred_at"
    ):
        return None
    return fields.reading.expression(fields.at(name), known.names(), INSTANT)


def _present(fields: Fields, quantifier: str, kinds: tuple[str, ...]) -> bool:
    keyed = any(KINDS[kind].key for kind in kinds)
    if fields.has("states") and fields.value["states"] != "all":
        fields.wrong(
            "states",
            "'states' can only be all",
            "write states: all, or delete it to look at the present state",
        )
    if fields.has("states") and not keyed:
        fields.wrong("states", f"{kinds[0]} has no present state: each event stands alone", "delete 'states'")
    return keyed and quantifier in ("latest", "any", "none") and not fields.has("states")


def _balance(fields: Fields, name: str, known: Known) -> tuple[Given, Type]:
    """Book stock by keys that stand on the judged event, or on each of its lines."""
    lines = None
    line_fields: dict[str, Type] = {}
    if fields.has("for_each"):
        lines = fields.reading.expression(fields.at("for_each"), known.names(), None)
        if lines is not None:
            element = lines.node.type.element
            if element is None or element.name != "record":
                fields.wrong("for_each", "'for_each' must be a list of lines", "write for_each: event.lines")
            else:
                line_fields = dict(element.fields)
    keys = fields.names("by", "write by: [registration, drug, lot] or by: [container]")
    for i, key in enumerate(keys):
        lacking = next((kind for kind in known.on if key not in field_types(kind)), None)
        if (
            lacking is not None
            and key not in line_fields
            and (lines is not None or not fields.has("for_each"))
        ):
            path = (*fields.at("by"), i) if isinstance(fields.value["by"], list) else fields.at("by")
            fields.reading.wrong(
                path,
                f"{lacking} has no field '{key}' to share",
                did_you_mean(key, {**field_types(lacking), **line_fields}),
            )
    given = Given(
        name,
        "balance",
        (),
        None,
        keys,
        None,
        None,
        None,
        False,
        False,
        fields.reading.place(fields.path),
        for_each=lines,
    )
    number = Type("number", unit="per quantity_unit")
    if not fields.has("for_each"):
        return given, number
    return given, Type("list", element=Type("record", fields=(*line_fields.items(), ("balance", number))))


def read_expect(rule: Fields, known: Known) -> Expect | None:
    """What closes the duty that the rule opens."""
    return _expect(rule.reading, rule.at("expect"), known, 0)


def _expect(reading: Reading, path: Path, known: Known, depth: int) -> Expect | None:
    fields = reading.fields(path, (*CLOSING_FIELDS, "any_of", "all_of"), "'expect'")
    if fields is None:
        return None
    groups = [word for word in ("any_of", "all_of") if word in fields.value]
    if not groups:
        closing = _closing(fields, known)
        return Expect("event", closing) if closing is not None else None
    group = groups[0]
    if len(fields.value) > 1:
        fields.wrong(
            group,
            f"'{group}' must stand alone",
            "put each closing event with its own due: into the list",
            key=True,
        )
    items: Any = fields.value[group]
    if not isinstance(items, list) or not items or depth > 3:
        fields.wrong(
            group,
            f"'{group}' must be a short list of closing events",
            "write any_of: [{event: ..., due: ...}, {event: ..., due: ...}]",
        )
        return None
    parts = [_expect(reading, (*fields.at(group), i), known, depth + 1) for i in range(len(items))]
    form = "any_of" if group == "any_of" else "all_of"
    return Expect(cast(Any, form), None, tuple(part for part in parts if part is not None))


def _closing(fields: Fields, known: Known) -> Closing | None:
    names = fields.names("event", "write the kind of event that closes the duty: event: monitoring_form")
    kinds = known_kinds(fields, "event", names) if names else ()
    if not kinds:
        return None
    by = _keys(fields, known.on, kinds)
    where = _optional(fields, "where", known, kinds, BOOL)
    counted = _optional(fields, "at", known, kinds, INSTANT)
    if not fields.required("due", "say by when: due: event.occurred_at + duration('24h')"):
        return None
    due = fields.reading.expression(fields.at("due"), known.names(due=True), INSTANT)
    return (
        Closing(kinds, by, where, counted, due, fields.reading.place(fields.path))
        if due is not None
        else None
    )
