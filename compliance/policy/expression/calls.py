"""Calls: ``has``, the macros over lists, and the functions of `functions.py`."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import replace

from compliance.domain.reading import Unreadable
from compliance.domain.time import parse_instant
from compliance.domain.zone import zone_known
from compliance.policy.expression import syntax
from compliance.policy.expression.functions import ABSENT, FUNCTIONS, STATE_RULES, Function
from compliance.policy.expression.regexp import PatternError, compiled
from compliance.policy.expression.reporting import ANYTHING, Reporting, whole
from compliance.policy.expression.tree import Const, Func, Has, Macro, Node, Ref, Span, Type, scale_of
from compliance.policy.expression.types import (
    BOOL,
    DURATION,
    ERROR,
    INSTANT,
    NUMBER,
    PLAIN,
    plain,
    same_unit,
    united,
)
from compliance.policy.nearest import did_you_mean

_RESERVED = ("event", "it", "param", "zone", "now", "key", "log")
_LOOK_UP = re.compile(r"f[0-9]+\Z")  # in a clause, facts have such names (engine/clause.py)
MACROS = ("exists", "all", "exists_one", "filter", "map")
_DURATION = re.compile(r"([+-]?)((?:[0-9]+(?:\.[0-9]+)?(?:ms|h|m|s))+)\Z")
_DURATION_PART = re.compile(r"([0-9]+)(?:\.([0-9]+))?(ms|h|m|s)")
_MICROSECONDS = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000}
_LONGEST = 10**5 * 366 * 24 * 3_600_000_000


class CallRules(Reporting):
    """The rules of everything that is written with parentheses after a name."""

    def call(self, tree: syntax.Call) -> Node:
        """A call of any form."""
        if tree.function == "has" and tree.receiver is None:
            return self._has(tree)
        if tree.function in MACROS and tree.receiver is not None:
            return self._macro(tree, tree.receiver)
        function = FUNCTIONS.get(tree.function)
        arguments = ((tree.receiver,) if tree.receiver is not None else ()) + tree.arguments
        if function is None or function.form == "internal":
            for argument in arguments:
                self.check(argument)
            return self._unknown(tree)
        if function.form == "receiver" and tree.receiver is None:
            return self.wrong(
                tree.span, f"{function.name} is asked of a point in time.", f"Write x.{function.name}(zone)."
            )
        if function.form == "call" and tree.receiver is not None:
            remedy = f"Write {function.name}({'x, ...' if len(function.parameters) > 1 else 'x'})."
            return self.wrong(tree.name_span, f"{function.name} takes its values in parentheses.", remedy)
        return self._function(tree, function, [self.check(argument) for argument in arguments])

    def _unknown(self, tree: syntax.Call) -> Node:
        if tree.function in ABSENT:
            return self.wrong(
                tree.name_span,
                f"The function {tree.function} is not part of the policy language.",
                ABSENT[tree.function],
            )
        if tree.function in MACROS:
            return self.wrong(
                tree.name_span, f"{tree.function} is asked of a list.", f"Write list.{tree.function}(x, ...)."
            )
        known = [*(name for name, known in FUNCTIONS.items() if known.form != "internal"), "has", *MACROS]
        return self.wrong(
            tree.name_span, f"There is no function {tree.function}.", did_you_mean(tree.function, known)
        )

    # ---- has and macros

    def _has(self, tree: syntax.Call) -> Node:
        if len(tree.arguments) != 1 or not isinstance(tree.arguments[0], syntax.Member):
            remedy = "Write has(event.field)."
            if len(tree.arguments) == 1 and isinstance(tree.arguments[0], syntax.Name):
                remedy = f"Write has({tree.arguments[0].name}.field), or {tree.arguments[0].name} != null for an event."
            return self.wrong(tree.span, "has() asks whether one field is there.", remedy)
        node = self.check(tree.arguments[0])
        if node.type is ERROR:
            return Const(BOOL, tree.span, False)
        if not isinstance(node, Ref):
            return self.wrong(
                tree.span, "has() cannot ask for a field of a computed row.", "Name a field of an event."
            )
        return Has(BOOL, tree.span, node)

    def _macro(self, tree: syntax.Call, receiver: syntax.Syntax) -> Node:
        items = self.check(receiver)
        if len(tree.arguments) != 2 or not isinstance(tree.arguments[0], syntax.Name):
            form = f"list.{tree.function}(x, {'value' if tree.function == 'map' else 'condition on x'})"
            return self.wrong(
                tree.span, f"{tree.function} takes a new name and what is asked of it.", f"Write {form}."
            )
        variable = tree.arguments[0]
        taken = {*self.names.roots, *self.names.aliases, *self.variables, *_RESERVED}
        if variable.name in taken or _LOOK_UP.match(variable.name):
            return self.wrong(
                variable.span, f"The name '{variable.name}' is already in use.", "Choose another, such as x."
            )
        if items.type.name not in ("list", "error"):
            return self.wrong(
                items.span, f"{tree.function} goes over a list, but this is {plain(items.type)}.", ""
            )
        self.variables[variable.name] = items.type.element or ERROR
        body = self.check(tree.arguments[1])
        del self.variables[variable.name]
        if items.type.element is None and items.type is not ERROR:
            return self.wrong(items.span, "This list is always empty.", "Name a list field.")
        if tree.function != "map":
            body = self.condition(body, tree.function)
        if ERROR in (items.type, body.type):
            return replace(ANYTHING, span=tree.span)
        if tree.function == "map" and body.type.name in ("event", "record", "list", "period"):
            return self.wrong(
                body.span, f"map cannot give {plain(body.type)} for each element.", "Name one value of it."
            )
        kind = {"filter": items.type, "map": Type("list", element=body.type)}.get(tree.function, BOOL)
        return Macro(kind, tree.span, tree.function, items, variable.name, body)  # type: ignore[arg-type]

    @abstractmethod
    def condition(self, node: Node, of: str) -> Node:
        """A node that must be a truth value; the whole checker defines it."""

    # ---- functions

    def _function(self, tree: syntax.Call, function: Function, arguments: list[Node]) -> Node:
        wanted = function.parameters
        if len(arguments) < len(wanted) or (len(arguments) > len(wanted) and not function.variadic):
            least = "at least " if function.variadic else ""
            hidden = 1 if tree.receiver is not None else 0
            remedy = "Name the site's zone: getHours(zone)." if function.name.startswith("get") else ""
            return self.wrong(
                tree.span,
                f"{function.name} takes {least}{_count(len(wanted) - hidden)}, but {len(arguments) - hidden or 'none'} "
                f"{'is' if len(arguments) - hidden == 1 else 'are'} given.",
                remedy,
            )
        if any(argument.type is ERROR for argument in arguments):
            return replace(ANYTHING, span=tree.span)
        for place, argument in enumerate(arguments):
            allowed = wanted[min(place, len(wanted) - 1)]
            if argument.type.name not in allowed:
                return self._wrong_argument(function, argument, allowed)
        special = getattr(self, f"_call_{function.name}", None)
        if special is not None:
            node: Node = special(tree.span, arguments)
            return node
        if function.name.startswith("get"):
            self._check_zone(arguments[1])
        result = function.result
        assert result is not None  # those without one are worked out above
        return Func(result, tree.span, function.name, tuple(arguments))

    def _wrong_argument(self, function: Function, argument: Node, allowed: tuple[str, ...]) -> Node:
        words = " or ".join(dict.fromkeys(PLAIN[name] for name in allowed if name != "enum"))
        already = function.result is not None and function.result.name == argument.type.name
        remedy = f"Leave out {function.name}( ): this is {plain(argument.type)} already." if already else ""
        return self.wrong(
            argument.span, f"{function.name} takes {words}, but this is {plain(argument.type)}.", remedy
        )

    def _check_zone(self, zone: Node) -> None:
        if isinstance(zone, Const) and not zone_known(str(zone.value)):
            self.wrong(
                zone.span,
                f"There is no time zone '{zone.value}'.",
                "Write zone for the site's own, or 'America/Chicago'.",
            )

    def _call_timestamp(self, span: Span, arguments: list[Node]) -> Node:
        text = self._constant(arguments[0], "timestamp")
        if text is None:
            return replace(ANYTHING, span=span)
        try:
            return Const(INSTANT, span, parse_instant(text))
        except Unreadable as error:
            return self.wrong(arguments[0].span, f"{error.message}.", f"{error.remedy}.")

    def _call_duration(self, span: Span, arguments: list[Node]) -> Node:
        text = self._constant(arguments[0], "duration")
        if text is None:
            return replace(ANYTHING, span=span)
        value = read_duration(text)
        if isinstance(value, int):
            return Const(DURATION, span, value)
        return self.wrong(arguments[0].span, *value)

    def _constant(self, argument: Node, name: str) -> str | None:
        if isinstance(argument, Const) and isinstance(argument.value, str):
            return argument.value
        remedy = (
            "Give the parameter the value 2h, and name it alone."
            if name == "duration"
            else "Name a field that is a point in time."
        )
        self.wrong(argument.span, f"{name}() takes a text in quotes.", remedy)
        return None

    def _call_matches(self, span: Span, arguments: list[Node]) -> Node:
        pattern = arguments[1]
        if not (isinstance(pattern, Const) and isinstance(pattern.value, str)):
            return self.wrong(pattern.span, "The pattern of matches must be a text in quotes.", "")
        try:
            compiled(pattern.value)
        except PatternError as error:
            return self.wrong(pattern.span, f"This pattern cannot be used: {error.message}.", error.remedy)
        return Func(BOOL, span, "matches", tuple(arguments))

    def _call_minutes(self, span: Span, arguments: list[Node]) -> Node:
        (count,) = arguments
        if not same_unit(count.type.unit, "min"):
            return self.wrong(
                count.span, f"minutes takes a number of minutes, but this is in {count.type.unit}.", ""
            )
        if isinstance(count, Const) and isinstance(count.value, int):
            return Const(DURATION, span, count.value * 60)
        return Func(DURATION, span, "minutes", (count,))

    def _call_days(self, span: Span, arguments: list[Node]) -> Node:
        return self._period(span, arguments, "days", "day")

    def _call_months(self, span: Span, arguments: list[Node]) -> Node:
        return self._period(span, arguments, "months", "month")

    def _call_years(self, span: Span, arguments: list[Node]) -> Node:
        return self._period(span, arguments, "years", "year")

    def _call_business_days(self, span: Span, arguments: list[Node]) -> Node:
        return self._period(span, arguments, "business_days", "day")

    def _period(self, span: Span, arguments: list[Node], name: str, unit: str) -> Node:
        (count,) = arguments
        if not same_unit(count.type.unit, unit):
            return self.wrong(
                count.span, f"{name} takes a number of {unit}s, but this is in {count.type.unit}.", ""
            )
        if isinstance(count, Const) and isinstance(count.value, int) and not whole(count.value):
            return self.wrong(
                count.span, f"{name} takes a whole number.", "Write elapsed time as duration('12h')."
            )
        return Func(Type("period"), span, name, (count,))

    def _call_state_rule(self, span: Span, arguments: list[Node]) -> Node:
        state, name = arguments
        if not (isinstance(name, Const) and isinstance(name.value, str)):
            return self.wrong(name.span, "The name of a state's rule must be a text in quotes.", "")
        kind = STATE_RULES.get(name.value)
        if kind is None:
            return self.wrong(
                name.span, f"The state table has no '{name.value}'.", did_you_mean(name.value, STATE_RULES)
            )
        return Func(kind, span, "state_rule", (state, name))

    def _call_abs(self, span: Span, arguments: list[Node]) -> Node:
        return Func(arguments[0].type, span, "abs", tuple(arguments))

    def _call_min(self, span: Span, arguments: list[Node]) -> Node:
        return self._extreme(span, arguments, "min")

    def _call_max(self, span: Span, arguments: list[Node]) -> Node:
        return self._extreme(span, arguments, "max")

    def _extreme(self, span: Span, arguments: list[Node], name: str) -> Node:
        kind = arguments[0].type
        for argument in arguments[1:]:
            together = united(kind, argument.type)
            if together is None or not same_unit(kind.unit, argument.type.unit):
                return self.wrong(
                    argument.span,
                    f"{name} takes values of one type, but this is {plain(argument.type)}.",
                    f"The first is {plain(kind)}.",
                )
            kind = replace(together, unit=kind.unit or argument.type.unit)
        return Func(replace(kind, scale=max(scale_of(a) for a in arguments)), span, name, tuple(arguments))

    def _call_distinct(self, span: Span, arguments: list[Node]) -> Node:
        kind = arguments[0].type
        if kind.element is not None and kind.element.name == "record":
            return self.wrong(
                arguments[0].span,
                "distinct takes a list of values, not of groups of fields.",
                "Use map first.",
            )
        return Func(kind, span, "distinct", tuple(arguments))

    def _call_sum(self, span: Span, arguments: list[Node]) -> Node:
        return self._of_numbers(span, arguments, "sum")

    def _call_qids_total(self, span: Span, arguments: list[Node]) -> Node:
        return self._of_numbers(span, arguments, "qids_total")

    def _of_numbers(self, span: Span, arguments: list[Node], name: str) -> Node:
        element = arguments[0].type.element or NUMBER
        if element.name != "number":
            return self.wrong(
                arguments[0].span,
                f"{name} takes a list of numbers, but this is {plain(arguments[0].type)}.",
                "",
            )
        return Func(element, span, name, tuple(arguments))


def read_duration(text: str) -> int | tuple[str, str]:
    """CEL's duration text (h, m, s, ms, each with a fraction) in microseconds, or message and remedy."""
    match = _DURATION.match(text)
    if match is None:
        if days := re.fullmatch(r"([0-9]{1,5})(d|w)", text):
            hours = int(days.group(1)) * (24 if days.group(2) == "d" else 168)
            remedy = f"Write '{hours}h' for elapsed time, or a date + days({hours // 24}) for calendar days."
            return f"'{text}' is not an elapsed time: days and weeks are not used here.", remedy
        return (
            f"'{text[:40]}' is not an elapsed time.",
            "Write hours, minutes and seconds, such as '2h', '1h30m' or '45s'.",
        )
    total = 0
    for part in _DURATION_PART.finditer(match.group(2)):
        unit = _MICROSECONDS[part.group(3)]
        fraction = part.group(2) or ""
        value, rest = divmod(int(part.group(1) + fraction) * unit, 10 ** len(fraction))
        if rest:
            return f"'{text[:40]}' is finer than a microsecond.", "Use fewer digits."
        total += value
    if total > _LONGEST:
        return f"'{text[:40]}' is too long.", "Use a shorter time."
    return -total if match.group(1) == "-" else total


def _count(number: int) -> str:
    return {0: "no values", 1: "one value", 2: "two values"}.get(number, f"{number} values")
