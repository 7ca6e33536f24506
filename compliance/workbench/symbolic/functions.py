"""The functions of the policy language over values that are not known yet (compliance.policy.expression.functions).

Tables are written out row by row. Calendars that no formula gives are functions that never run backwards, between bounds; in a concrete
world the solver is told their results where it guesses wrong. Texts are asked through predicates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from compliance.domain.time import DAY, HOUR
from compliance.domain.values import SCALE, Unknown
from compliance.policy.expression import implementations as how
from compliance.policy.expression.functions import FUNCTIONS
from compliance.policy.expression.tree import Const, Func, Node, Ref
from compliance.workbench.symbolic.events import EPOCH
from compliance.workbench.symbolic.terms import Scope, Terms
from compliance.workbench.symbolic.values import (
    MISSING,
    Group,
    Lines,
    Sym,
    Unseen,
    both,
    choose,
    chosen,
    either,
    floored,
    no,
    same,
    sym,
    total,
)

CLOCK: Final[Mapping[str, tuple[int, int]]] = {
    "getHours": (0, 23), "getMinutes": (0, 59), "getDayOfWeek": (0, 6), "getDate": (1, 31), "getMonth": (0, 11), "getFullYear": (1900, 2200),
}  # fmt: skip
"""Parts of a date and time, each with its least and greatest value."""


def call(terms: Terms, node: Func, scope: Scope) -> Sym:
    """The value of a call; raises Unseen where the function is not seen through."""
    arguments = [terms.argument(node, argument, scope) for argument in node.args]
    known = both(*(argument.known for argument in arguments))
    if known is False:
        return MISSING
    run = _FUNCTIONS.get(node.name)
    if run is None:
        raise Unseen(f"{node.name}()")
    found = run(terms, node, [argument.value for argument in arguments])
    return Sym(both(known, found.known), found.value)


def _clock(terms: Terms, node: Func, values: list[Any]) -> Sym:
    """A part of the date and time at a place: by a formula in UTC, else by the function itself."""
    instant, zone = values
    world = terms.world
    least, most = CLOCK[node.name]
    at_site = isinstance(node.args[1], Ref) and node.args[1].root == "zone"
    if world.concrete and at_site:
        if node.name == "getHours":
            return sym(floored(instant % DAY, HOUR) * SCALE)
        if node.name == "getMinutes":
            return sym(floored(instant % HOUR, 60_000_000) * SCALE)
        if node.name == "getDayOfWeek":
            return sym((floored(instant, DAY) + 4) % 7 * SCALE)  # 1970-01-01 was a Thursday
    place = "UTC" if at_site else world.texts.word(zone) if isinstance(zone, int) else None
    name = f"{node.name}@{'site' if at_site else place}"
    exact: Callable[..., Any] | None = None
    if world.concrete and place is not None:
        function = FUNCTIONS[node.name].run

        def exact(at: int) -> Any:
            found = function(at, place)
            return found if isinstance(found, Unknown) else found // SCALE

    if place is None and not at_site:
        raise Unseen(f"{node.name}() in a zone that a field names")
    alike = _same_month if place == "UTC" and node.name in ("getMonth", "getFullYear") else None
    return sym(world.function(name, (instant,), least, most, exact, alike) * SCALE)


def _local_date(terms: Terms, _node: Func, values: list[Any]) -> Sym:
    return Sym(terms.world.zone.known, terms.world.local_date(values[0]))


def _today(terms: Terms, _node: Func, _values: list[Any]) -> Sym:
    return Sym(terms.world.zone.known, terms.world.local_date(terms.world.now.value))


def _end_of_day(terms: Terms, _node: Func, values: list[Any]) -> Sym:
    return Sym(terms.world.zone.known, terms.world.end_of_day(values[0]))


def _end_of_day_after(terms: Terms, _node: Func, values: list[Any]) -> Sym:
    last = day_after(terms, sym(terms.world.local_date(values[0])), sym(values[1]), 1)
    return Sym(both(terms.world.zone.known, last.known), terms.world.end_of_day(last.value))


def _period(_terms: Terms, node: Func, values: list[Any]) -> Sym:
    (count,) = values
    if isinstance(count, int):
        return MISSING if count % SCALE else sym((node.name, count // SCALE))
    return Sym(count % SCALE == 0, (node.name, count / SCALE))


def day_after(terms: Terms, day: Sym, period: Sym, sign: int) -> Sym:
    """The date a calendar period after (sign 1) or before (-1) a date."""
    known = both(day.known, period.known)
    if known is False:
        return MISSING
    unit, count = period.value
    if unit == "days":
        return Sym(known, day.value + sign * count)
    months = 12 if unit == "years" else 1
    count = sign * count * (1 if unit == "business_days" else months)
    world, tables = terms.world, terms.tables
    if unit == "business_days":
        name = f"business days {id(world.tables_of(tables))}"

        def later(start: int, steps: int) -> Any:
            return how.day_after(tables, start, ("business_days", steps), 1)

        alike = None
        least, most = choose(count >= 0, count, 3 * count - 10), choose(count >= 0, 3 * count + 10, count)
    else:
        name = "months"

        def later(start: int, steps: int) -> Any:
            return how.day_after(tables, start, ("months", steps), 1)

        alike = _same_days
        least, most = _months_at_least(count), _months_at_most(count)
    exact = later if world.concrete else None
    if isinstance(count, int):
        run = (lambda start: later(start, count)) if world.concrete else None
        found = world.forward(f"{name} {count}", day.value, day.value + least, day.value + most, run, alike)
        return Sym(known, found)
    return Sym(
        known,
        world.function(
            name,
            (day.value, count),
            day.value + least,
            day.value + most,
            exact,
            alike,
            sloping=alike is not None,
        ),
    )


def _same_days(day: int) -> tuple[int, int]:
    """The days of a month that every month has: whatever months are added, they come out equally far away."""
    here = date.fromordinal(day)
    first = here.replace(day=1).toordinal()
    return (first, first + 27) if here.day <= 28 else (day, day)


def _same_month(instant: int) -> tuple[int, int]:
    """The instants (UTC) of a month."""
    here = date.fromordinal(instant // DAY + EPOCH)
    first = here.replace(day=1).toordinal()
    after = (here.replace(day=28) + timedelta(days=4)).replace(day=1).toordinal()
    return (first - EPOCH) * DAY, (after - EPOCH) * DAY - 1


def _months_at_least(count: Any) -> Any:
    """A year has 365 or 366 days; three more where the months are unlucky."""
    return choose(count >= 0, floored(count * 365, 12) - 3, floored(count * 366, 12) - 3)


def _months_at_most(count: Any) -> Any:
    return choose(count >= 0, floored(count * 366, 12) + 4, floored(count * 365, 12) + 4)


def _minutes(_terms: Terms, _node: Func, values: list[Any]) -> Sym:
    return sym(values[0] * 60)


def _drug_info(terms: Terms, _node: Func, values: list[Any]) -> Sym:
    """A row of the drug list: each field chosen by the code."""
    (code,) = values
    rows = [(same(code, terms.constant(drug)), row) for drug, row in terms.tables.drugs.items()]

    def get(name: str) -> Sym:
        return chosen([(here, sym(terms.constant(row[name]))) for here, row in rows if name in row])

    return Sym(either(*(here for here, _ in rows)), Group("drug_info", get))


def _state_rule(terms: Terms, node: Func, values: list[Any]) -> Sym:
    """A state's rule by the row in force on the day; the federal floor where the state has none of its own then."""
    name = node.args[1]
    if not isinstance(name, Const):
        raise Unseen("state_rule() of a rule that a field names")
    state, wanted, day = values[0], str(name.value), terms.world.day
    alternatives: list[tuple[Any, Sym]] = []
    otherwise: Any = True
    for code, rows in terms.tables.states.items():
        here = same(state, terms.constant(code))
        for (start, row), later in zip(rows, (*rows[1:], None), strict=True):
            during = both(here, day >= start, True if later is None else day < later[0])
            if wanted in row:
                alternatives.append((during, sym(terms.constant(row[wanted]))))
                otherwise = both(otherwise, no(during))
    if wanted in terms.tables.state_defaults:
        alternatives.append((otherwise, sym(terms.constant(terms.tables.state_defaults[wanted]))))
    return chosen(alternatives)


def _permits(terms: Terms, _node: Func, values: list[Any]) -> Sym:
    role, kind = values
    allowed = [
        both(
            same(role, terms.constant(who)),
            either(*(same(kind, terms.constant(what)) for what in sorted(kinds))),
        )
        for who, kinds in terms.tables.permissions.items()
    ]
    return sym(either(*allowed))


def _matches(terms: Terms, node: Func, values: list[Any]) -> Sym:
    pattern = node.args[1]
    if not isinstance(pattern, Const):
        raise Unseen("matches() with a pattern that a field names")
    text = str(pattern.value)
    return sym(
        terms.world.predicate(f"matches {text}", values[0], lambda word: how.matches(word, text), truth=True)
    )


def _checked(terms: Terms, node: Func, values: list[Any]) -> Sym:
    """An identifier's form and check digit."""
    return sym(terms.world.predicate(node.name, values[0], FUNCTIONS[node.name].run, truth=True))


def _size(terms: Terms, _node: Func, values: list[Any]) -> Sym:
    (value,) = values
    if isinstance(value, Lines):
        terms.world.counts_lines()
        return sym(total((there, SCALE) for there, _ in value.items))
    return sym(terms.world.predicate("size", value, how.size, truth=False))


def _abs(_terms: Terms, _node: Func, values: list[Any]) -> Sym:
    return sym(choose(values[0] >= 0, values[0], -values[0]))


def _extreme(_terms: Terms, node: Func, values: list[Any]) -> Sym:
    found = values[0]
    for value in values[1:]:
        found = choose(value < found if node.name == "min" else value > found, value, found)
    return sym(found)


def _distinct(terms: Terms, _node: Func, values: list[Any]) -> Sym:
    terms.world.counts_lines()
    kept: list[tuple[Any, Sym]] = []
    items = values[0].items
    for number, (there, item) in enumerate(items):
        before = either(*(both(earlier, same(other.value, item.value)) for earlier, other in items[:number]))
        kept.append((both(there, no(before)), item))
    return sym(Lines(tuple(kept)))


def _sum(terms: Terms, _node: Func, values: list[Any]) -> Sym:
    terms.world.counts_lines()
    return sym(total((there, item.value) for there, item in values[0].items))


def _now(terms: Terms, _node: Node, _values: list[Any]) -> Sym:
    return terms.world.now


_FUNCTIONS: Final[Mapping[str, Callable[[Terms, Any, list[Any]], Sym]]] = {
    **dict.fromkeys(CLOCK, _clock),
    "local_date": _local_date, "today": _today, "now": _now, "end_of_day": _end_of_day, "end_of_day_after": _end_of_day_after,
    **dict.fromkeys(("days", "months", "years", "business_days"), _period),
    "minutes": _minutes, "drug_info": _drug_info, "state_rule": _state_rule, "permits": _permits, "matches": _matches,
    "dea_number_ok": _checked, "npi_ok": _checked, "size": _size, "abs": _abs, "min": _extreme, "max": _extreme, "distinct": _distinct,
    "sum": _sum,
}  # fmt: skip
