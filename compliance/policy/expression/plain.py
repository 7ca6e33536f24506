"""The typed tree in words, for officers who read rules aloud."""

from __future__ import annotations

from compliance.domain.time import format_instant
from compliance.policy.expression.printer import duration_text, to_text
from compliance.policy.expression.tree import (
    And,
    Arith,
    Compare,
    Conditional,
    Const,
    Func,
    Has,
    In,
    IsNull,
    ListOf,
    Macro,
    Node,
    Not,
    Or,
    Ref,
    Select,
)

_WORDS = {
    "==": "is", "!=": "is not", "<": "is less than", "<=": "is at most", ">": "is more than", ">=": "is at least",
    "+": "plus", "-": "minus", "*": "times",
}  # fmt: skip
_IN_TIME = {"<": "is before", "<=": "is not after", ">": "is after", ">=": "is not before"}
_PHRASES = {
    "local_date": "the site's date of {0}", "today": "today", "now": "now", "days": "{0} days", "months": "{0} months",
    "years": "{0} years", "business_days": "{0} business days", "minutes": "{0} minutes", "abs": "the amount of {0}",
    "min": "the smallest of {all}", "max": "the largest of {all}", "distinct": "the different values of {0}",
    "sum": "the sum of {0}", "qids_total": "the QIDS total of {0}", "size": "the number in {0}", "matches": "{0} matches the pattern {1}",
    "drug_info": "the drug list's row of {0}", "state_rule": "the rule {1} of the state {0}",
    "permits": "the role {0} may enter {1}", "dea_number_ok": "{0} is a well-formed DEA number",
    "npi_ok": "{0} is a well-formed NPI", "ndc11": "the 11-digit NDC of {0}", "end_of_day": "the end of {0}",
    "end_of_day_after": "the end of the day {1} after {0}", "getHours": "the hour of {0}", "getMinutes": "the minute of {0}",
    "getDayOfWeek": "the weekday (Sunday is 0) of {0}", "getDate": "the day of the month of {0}",
    "getMonth": "the month (January is 0) of {0}", "getFullYear": "the year of {0}",
}  # fmt: skip
_MACROS = {
    "exists": "some {1} of {0} has: {2}", "all": "every {1} of {0} has: {2}", "exists_one": "exactly one {1} of {0} has: {2}",
    "filter": "those {1} of {0} that have: {2}", "map": "{2} for each {1} of {0}",
}  # fmt: skip


def to_plain(node: Node) -> str:
    """A readable rendering for officers: ``the event's occurred_at minus the dose's completed_at is at least 2h``."""
    match node:
        case Const():
            return _plain_const(node)
        case Ref():
            return _plain_ref(node)
        case Has():
            return f"{to_plain(node.ref)} is recorded"
        case IsNull():
            return f"nothing was found for {node.root}"
        case Not(operand=IsNull(root=root)):
            return f"{root} was found"
        case Not(operand=Has(ref=ref)):
            return f"{to_plain(ref)} is not recorded"
        case Not(operand=In() as inside):
            return f"{to_plain(inside.item)} is not one of {to_plain(inside.items)}"
        case Not():
            return f"not ({to_plain(node.operand)})"
        case And():
            return " and ".join(_grouped(operand) for operand in node.operands)
        case Or():
            return " or ".join(_grouped(operand) for operand in node.operands)
        case Conditional():
            return f"if {to_plain(node.condition)}, then {_grouped(node.then)}, otherwise {_grouped(node.otherwise)}"
        case Compare():
            words = _WORDS | _IN_TIME if node.left.type.name in ("instant", "date") else _WORDS
            return f"{_grouped(node.left)} {words[node.op]} {_grouped(node.right)}"
        case In():
            return f"{_grouped(node.item)} is one of {to_plain(node.items)}"
        case ListOf():
            return f"({', '.join(to_plain(item) for item in node.items)})"
        case Arith():
            return f"{_grouped(node.left)} {_WORDS[node.op]} {_grouped(node.right)}"
        case Func():
            words_of = [to_plain(argument) for argument in node.args]
            return _PHRASES[node.name].format(*words_of, all=", ".join(words_of))
        case Select():
            return f"{to_plain(node.base)}: {node.field}"
        case Macro():
            return _MACROS[node.name].format(to_plain(node.items), node.variable, to_plain(node.body))
        case _:
            raise TypeError(type(node).__name__)


def _grouped(node: Node) -> str:
    """What is itself made of several clauses, in parentheses."""
    text = to_plain(node)
    return (
        f"({text})"
        if isinstance(node, (And, Or, Conditional, Compare, Arith)) and not _simple(node)
        else text
    )


def _simple(node: Node) -> bool:
    """A comparison needs no parentheses among clauses, nor a sum within a comparison."""
    parts = (node.left, node.right) if isinstance(node, (Compare, Arith)) else ()
    return (
        bool(parts)
        and not any(isinstance(part, (And, Or, Conditional, Compare)) for part in parts)
        and not (isinstance(node, Arith) and any(isinstance(part, Arith) for part in parts))
    )


def _plain_ref(node: Ref) -> str:
    if node.root == "param" and node.path:
        return f"the limit {node.path[-1]}"
    if node.root == "zone":
        return "the site's time zone"
    owner = {"it": "its", "event": "the event's"}.get(node.root, f"the {node.root}'s")
    return f"{owner} {' '.join(node.path)}" if node.path else node.root


def _plain_const(node: Const) -> str:
    if isinstance(node.value, tuple):
        element = node.type.element or node.type
        return ", ".join(_plain_const(Const(element, node.span, item)) for item in node.value) or "nothing"
    if isinstance(node.value, bool):
        return "yes" if node.value else "no"
    if isinstance(node.value, str):
        return f"'{node.value}'"
    if node.type.name == "duration" and isinstance(node.value, int):
        return duration_text(node.value)
    if node.type.name == "instant" and isinstance(node.value, int):
        return format_instant(node.value)
    return to_text(node)
