"""What is plainly odd in a rule, or between rules that follow one another: found by reading alone, without the solver (``policy lint``).

A literal that a parameter already names; parameters and facts that nothing uses; days on which neither, or both, of two rules that follow one
another are in force; days between two values of a site.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compliance.domain.time import format_date
from compliance.engine.plan import parts, walk
from compliance.policy.expression.tree import Arith, Compare, Const, Func, In, IsNull, ListOf, Node, Ref
from compliance.policy.located import Path
from compliance.policy.model import Bundle, Expression, Parameter, Rule, SiteValue
from compliance.policy.parameters import value_words
from compliance.workbench.conditions import expressions_of
from compliance.workbench.remarks import Remark

_UNTOLD: Final = frozenset({0, 1_000_000})
"""None and one are everybody's numbers: that a parameter has the same value says nothing."""
_PERIODS: Final = frozenset({"days", "months", "years", "business_days", "minutes"})


def plain_remarks(bundle: Bundle) -> Iterator[Remark]:
    """All that is odd, rule by rule in the order of the bundle."""
    followers = _following(bundle)
    for rule in bundle.rules:
        yield from _unused(rule)
        yield from _named_already(rule)
        yield from followers.get(rule.id, ())


def _unused(rule: Rule) -> Iterator[Remark]:
    nodes = [node for _, expression in expressions_of(rule) for node in walk(expression.node)]
    parameters = {
        node.path[0] for node in nodes if isinstance(node, Ref) and node.root == "param" and node.path
    }
    roots = {node.root for node in nodes if isinstance(node, Ref | IsNull)}
    for parameter in rule.parameters:
        if parameter.name not in parameters:
            yield Remark(
                rule.id, ("parameters", parameter.name), "unused-parameter", f"nothing in this rule uses the parameter '{parameter.name}'",
                f"name it as param.{parameter.name} where it is meant, or delete it", key=True,
            )  # fmt: skip
    for given in rule.given:
        if given.name not in roots:
            yield Remark(
                rule.id, ("given", given.name), "unused-fact", f"nothing in this rule uses the fact '{given.name}'",
                "name it where it is meant, or delete it: it is looked up for nothing", key=True,
            )  # fmt: skip


def _named_already(rule: Rule) -> Iterator[Remark]:
    """Literals of the type, the unit and a value of one of the rule's parameters."""
    for path, expression in expressions_of(rule):
        if path[0] == "otherwise":
            continue
        for literal, unit in _literals(expression.node, None):
            for parameter in rule.parameters:
                if _same(parameter, literal, unit):
                    yield _named(rule, path, expression, literal, parameter)
                    break


def _named(rule: Rule, path: Path, expression: Expression, literal: Const, parameter: Parameter) -> Remark:
    written = expression.text[literal.span.start : literal.span.end]
    whole = path[-1] in ("within", "after") and literal is expression.node
    words = value_words(parameter, literal.value)
    return Remark(
        rule.id, path, "literal-named",
        f"{words if whole else written} is what the parameter '{parameter.name}' says: where the parameter is changed, this stays behind",
        f"write param.{parameter.name}, or say with another parameter what this one is", None if whole else literal.span,
    )  # fmt: skip


def _literals(node: Node, unit: str | None) -> Iterator[tuple[Const, str | None]]:
    """The constants of an expression, numbers with the unit that their place gives them."""
    match node:
        case Const():
            yield node, node.type.unit or unit
        case Compare(left=left, right=right) | Arith(op="+" | "-", left=left, right=right):
            yield from _literals(left, right.type.unit)
            yield from _literals(right, left.type.unit)
        case In(item=item, items=ListOf(items=items)):
            for one in items:
                yield from _literals(one, item.type.unit)
            yield from _literals(item, None)
        case Func(name=name, args=args):
            for argument in args:
                yield from _literals(argument, name if name in _PERIODS else None)
        case _:
            for below in parts(node):
                yield from _literals(below, None)


def _same(parameter: Parameter, literal: Const, unit: str | None) -> bool:
    kind = parameter.type
    if (
        kind.name == "bool"
        or literal.value in ((), "")
        or (kind.name == "number" and literal.value in _UNTOLD)
    ):
        return False
    words = {"text", "enum"}
    if kind.name != literal.type.name and not {kind.name, literal.type.name} <= words:
        return False
    if kind.name == "number" and (kind.unit or "").rstrip("s") != (unit or "").rstrip("s"):
        return False
    return any(value.value == literal.value for value in parameter.values)


def _following(bundle: Bundle) -> dict[str, list[Remark]]:
    """What is odd between the dates of rules that follow one another: they keep the same requirements, on the same events."""
    found: dict[str, list[Remark]] = {}
    groups: dict[object, list[Rule]] = {}
    for rule in bundle.rules:
        about = (rule.on, rule.expect is None) if rule.each is None else (rule.each.kind, rule.each.by)
        groups.setdefault((frozenset(rule.implements), about), []).append(rule)
    for group in groups.values():
        for rule in group:
            remark = _next_in(group, rule)
            if remark is not None:
                found.setdefault(rule.id, []).append(remark)
    return found


def _next_in(group: list[Rule], rule: Rule) -> Remark | None:
    end = rule.in_force.end
    later = [other for other in group if other.in_force.start > rule.in_force.start]
    if end is None or not later:
        return None
    following = min(later, key=lambda other: (abs(other.in_force.start - end), other.id))
    begins = following.in_force.start
    if begins > end and not any(other is not rule and other.in_force.holds(end) for other in group):
        return Remark(
            rule.id, ("in_force", "to"), "date-gap",
            f"from {format_date(end)} to {format_date(begins - 1)} neither '{rule.id}' nor '{following.id}', which follows it, is in force",
            f"let one end on the day on which the other begins: to: {format_date(begins)} here, or from: {format_date(end)} there",
        )  # fmt: skip
    if begins < end:
        return Remark(
            rule.id, ("in_force", "to"), "date-overlap",
            f"from {format_date(begins)} to {format_date(end - 1)} both '{rule.id}' and '{following.id}', which follows it, are in force",
            f"write to: {format_date(begins)}; 'to' is the first day on which it no longer holds",
        )  # fmt: skip
    return None


def site_gaps(values: tuple[SiteValue, ...]) -> Iterator[tuple[int, int, int]]:
    """Between which values of a site (the position of the later one) there are days, first and last, on which it has none."""
    for number in range(1, len(values)):
        end = values[number - 1].end
        if end is not None and end < values[number].start:
            yield number, end, values[number].start - 1
