"""Values in words: what a finding was decided by, and the holes of a message.

Only what identifies nobody is shown: numbers, instants, enum values, ids. Free text is counted, not quoted (audit-log.md, "Personal
identity never enters a leaf").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from compliance.domain.free_text import IN_THE_VAULT, is_commitment
from compliance.domain.quantity import format_decimal, with_unit
from compliance.domain.time import format_date, format_duration, format_instant
from compliance.domain.values import UNKNOWN
from compliance.engine.explained import NEVER_QUOTED
from compliance.engine.plan import RulePlan, walk
from compliance.policy.expression import to_text
from compliance.policy.expression.tree import IsNull, Macro, Node, Ref, Type, scale_of
from compliance.policy.model import Expression, Message, Rule

MISSING: Final = "missing"
_HANDLE: Final = re.compile(r"[A-Za-z0-9._:/+@-]{1,64}")


def shown(value: Any, kind: Type, zone: Any, scale: int = 6, *, quoted: bool = True) -> str:
    """One engine value as a person reads it, with its unit; instants in the site's zone where it is known. Text is only
    counted unless `quoted`."""
    if value is UNKNOWN or value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        element = kind.element or Type("text")
        items = ", ".join(shown(item, element, zone, element.scale, quoted=quoted) for item in value[:12])
        return items + (" ..." if len(value) > 12 else "") or "none"
    if isinstance(value, dict):
        return shown(value["id"], Type("text"), zone) if "id" in value else f"a record of {len(value)} fields"
    if isinstance(value, str):
        if is_commitment(value):
            return IN_THE_VAULT
        return value if quoted and _HANDLE.fullmatch(value) else f"text of {len(value)} characters"
    if kind.name == "instant":
        return format_instant(value, "UTC" if zone is UNKNOWN else zone)
    if kind.name == "duration":
        return format_duration(value)
    if kind.name == "date":
        return format_date(value)
    return with_unit(_number(value, scale), kind.unit)


def private(text: str) -> bool:
    """Whether a reference, as written, is to a text that people fill with anything: one word of it may be a name."""
    return text.rpartition(".")[2] in NEVER_QUOTED


def _number(value: int, scale: int) -> str:
    """A number of any scale; products have more than six fractional digits, and are never rounded."""
    shift = 10 ** (scale - 6)
    if value % shift == 0:
        return format_decimal(value // shift)
    whole, rest = divmod(abs(value), 10**scale)
    return f"{'-' if value < 0 else ''}{whole}.{rest:0{scale}d}".rstrip("0")


def because(
    plan: RulePlan, scope: Mapping[str, Any], evaluate: Callable[[Expression], Any]
) -> dict[str, str]:
    """What a rule was decided by: each value it names, as written in the rule, and the holes of its message and remedy."""
    rule, zone = plan.rule, scope["zone"]
    said = _said(rule)
    result: dict[str, str] = {}
    for mentions in said.conditions:
        for text, (value, kind) in _values(mentions, rule, plan.names, scope).items():
            result[text] = shown(value, kind, zone, quoted=kind.name == "enum" or not private(text))
    for hole, quoted in said.holes:
        node = hole.node
        result[hole.text] = shown(evaluate(hole), node.type, zone, scale_of(node), quoted=quoted)
    return result


class _Mention(NamedTuple):
    """A value that a condition names, as written; without a reference, whether there is such an event at all."""

    text: str
    ref: Ref | None


class _Said(NamedTuple):
    """What a rule says in words, taken apart once: the values of its conditions, and the holes of its message and remedy with whether their
    text may be quoted."""

    conditions: tuple[tuple[_Mention, ...], ...]
    holes: tuple[tuple[Expression, bool], ...]


_SAID: Final[
    dict[int, tuple[Rule, _Said]]
] = {}  # by identity: to compare rules would cost more than to take one apart


def _said(rule: Rule) -> _Said:
    known = _SAID.get(id(rule))
    if known is None or known[0] is not rule:
        holes = (part for message in (rule.message, rule.remedy) for part in message.parts)
        made = _Said(
            tuple(_mentions(one.node) for one in (rule.when, rule.require) if one is not None),
            tuple((hole, _quotable(hole)) for hole in holes if isinstance(hole, Expression)),
        )
        known = _SAID[id(rule)] = (rule, made)
    return known[1]


def _quotable(hole: Expression) -> bool:
    return not any(
        private(to_text(node))
        for node in walk(hole.node)
        if isinstance(node, Ref) and node.type.name != "enum"
    )


def _mentions(node: Node) -> tuple[_Mention, ...]:
    """The values that a condition names outside of macro bodies, in order of appearance."""
    parts = list(walk(node))
    inner = {part.variable for part in parts if isinstance(part, Macro)}
    found = []
    for part in parts:
        if isinstance(part, IsNull) and part.root not in inner:
            found.append(_Mention(part.root, None))
        elif (
            isinstance(part, Ref)
            and part.root not in {*inner, "zone"}
            and (part.path or part.type.name != "event")
        ):
            found.append(_Mention(to_text(part), part))
    return tuple(found)


def _values(
    mentions: tuple[_Mention, ...], rule: Rule, names: Mapping[str, str], scope: Mapping[str, Any]
) -> dict[str, tuple[Any, Type]]:
    """What they are in a case, each once, where it is first named."""
    found: dict[str, tuple[Any, Type]] = {}
    for text, ref in mentions:
        if text in found:
            continue
        if ref is None:
            value = scope.get(names.get(text, text), UNKNOWN)
            found[text] = (MISSING if value is None or value is UNKNOWN else value, _EVENT)
        else:
            found[text] = (_value(ref, rule, names, scope), ref.type)
    return found


_EVENT: Final = Type("event")


def _value(ref: Ref, rule: Rule, names: Mapping[str, str], scope: Mapping[str, Any]) -> Any:
    if ref.root == "param":
        return scope["param"].get(rule.id, {}).get(ref.path[0], UNKNOWN)
    value = scope.get(names.get(ref.root, ref.root), UNKNOWN)
    for field in ref.path:
        if not isinstance(value, dict):
            return UNKNOWN
        value = value.get(field, UNKNOWN)
    return value


def rendered(message: Message, values: Mapping[str, str]) -> str:
    """A message with its holes filled from a finding's `because`."""
    return "".join(
        part if isinstance(part, str) else values.get(part.text, MISSING) for part in message.parts
    )
