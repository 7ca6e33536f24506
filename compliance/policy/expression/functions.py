"""The functions of the policy language: few, pure, typed, documented.

CEL's own: ``matches size timestamp duration getHours getMinutes getDayOfWeek getDate getMonth getFullYear``. The others are CEL
extension functions of the field. ``timestamp``, ``duration`` are folded to constants; ``end_of_day`` and ``end_of_day_after``
cannot be written: the checker makes them of dates and calendar periods in ``due:``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from compliance.domain import identifiers
from compliance.policy.expression import implementations as how
from compliance.policy.expression.tree import Type
from compliance.policy.expression.types import BOOL, DATE, DURATION, INSTANT, NUMBER, PERIOD, TEXT

_WORDS = ("text", "enum")
_ORDERED = ("number", "instant", "duration", "date")


@dataclass(frozen=True, slots=True)
class Function:
    """One function: what it takes, gives and means.

    `parameters` are the type names that each argument may have. `result` is None where the checker works it out (it depends on
    the arguments). `needs` are what is handed to `run` before the arguments: the bundle's tables, the site's zone, the
    present instant. `form`: called on a receiver (``x.getHours(zone)``), as a plain call, either, or not by authors at all.
    """

    name: str
    parameters: tuple[tuple[str, ...], ...]
    result: Type | None
    says: str
    run: Callable[..., Any]
    needs: tuple[Literal["tables", "zone", "now", "day"], ...] = ()
    form: Literal["call", "receiver", "either", "internal"] = "call"
    variadic: bool = False


DRUG = Type(
    "record",
    fields=(
        ("code", TEXT),
        ("generic", TEXT),
        ("form", TEXT),
        ("route", TEXT),
        ("schedule", TEXT),
        ("dea_code", TEXT),
        ("is_rems", BOOL),
        ("is_compounded", BOOL),
        ("stock_unit", TEXT),
        ("strength_mg_per_unit", Type("number", unit="mg/unit")),
        ("strength_mg_per_ml", Type("number", unit="mg/mL")),
    ),
)
"""A row of the bundle's drug list."""

STATE_RULES: dict[str, Type] = {
    "separate_csr": BOOL,
    "in_person_required": BOOL,
    "wastage_witness": BOOL,
    "pdmp_query": Type("list", element=TEXT),
    "rn_scope": Type("list", element=TEXT),
    "pdmp_max_age": DURATION,
    "pdmp_max_age_business_days": NUMBER,
    "pdmp_repeat_months": NUMBER,
    "pdmp_report_within": DURATION,
    "pdmp_report_days": NUMBER,
    "pdmp_report_business_days": NUMBER,
    "pdmp_report_exempt": Type("list", element=TEXT),
    "retention_years": NUMBER,
}
"""The state table's columns."""

_ALL = (
    Function(
        "matches",
        (_WORDS, _WORDS),
        BOOL,
        "the pattern (RE2) is found in the text",
        how.matches,
        form="either",
    ),
    Function(
        "size",
        (("text", "enum", "list"),),
        NUMBER,
        "characters of a text, elements of a list",
        how.size,
        form="either",
    ),
    Function("timestamp", (_WORDS,), INSTANT, "the point in time that an RFC 3339 text names", how.now),
    Function("duration", (_WORDS,), DURATION, "the elapsed time that a text such as '90m' names", how.now),
    Function(
        "getHours",
        (("instant",), _WORDS),
        NUMBER,
        "hour of the day in a zone, 0 to 23",
        how.get_hours,
        form="receiver",
    ),
    Function(
        "getMinutes",
        (("instant",), _WORDS),
        NUMBER,
        "minute of the hour in a zone",
        how.get_minutes,
        form="receiver",
    ),
    Function(
        "getDayOfWeek",
        (("instant",), _WORDS),
        NUMBER,
        "day of the week in a zone, Sunday is 0",
        how.get_day_of_week,
        form="receiver",
    ),
    Function(
        "getDate",
        (("instant",), _WORDS),
        NUMBER,
        "day of the month in a zone, from 1",
        how.get_date,
        form="receiver",
    ),
    Function(
        "getMonth",
        (("instant",), _WORDS),
        NUMBER,
        "month in a zone, January is 0",
        how.get_month,
        form="receiver",
    ),
    Function(
        "getFullYear", (("instant",), _WORDS), NUMBER, "year in a zone", how.get_full_year, form="receiver"
    ),
    Function(
        "local_date",
        (("instant",),),
        DATE,
        "the date at the site at a point in time",
        how.local_date,
        ("zone",),
    ),
    Function("today", (), DATE, "the date at the site now", how.today, ("zone", "now")),
    Function("now", (), INSTANT, "the point in time as of which is judged", how.now, ("now",)),
    Function("days", (("number",),), PERIOD, "so many calendar days", partial(how.period, "days")),
    Function("months", (("number",),), PERIOD, "so many calendar months", partial(how.period, "months")),
    Function("years", (("number",),), PERIOD, "so many calendar years", partial(how.period, "years")),
    Function(
        "business_days",
        (("number",),),
        PERIOD,
        "so many days that are neither weekend nor federal holiday",
        partial(how.period, "business_days"),
    ),
    Function("minutes", (("number",),), DURATION, "an elapsed time of so many minutes", how.minutes),
    Function("drug_info", (_WORDS,), DRUG, "the drug list's row for a code", how.drug_info, ("tables",)),
    Function(
        "state_rule", (_WORDS, _WORDS), None, "a state's rule by name", how.state_rule, ("tables", "day")
    ),
    Function(
        "permits", (_WORDS, _WORDS), BOOL, "a role may enter events of a kind", how.permits, ("tables",)
    ),
    Function("abs", (("number", "duration"),), None, "the amount without its sign", abs),
    Function("min", (_ORDERED, _ORDERED), None, "the smallest (earliest)", min, variadic=True),
    Function("max", (_ORDERED, _ORDERED), None, "the largest (latest)", max, variadic=True),
    Function("distinct", (("list",),), None, "a list without repetitions", how.distinct),
    Function("sum", (("list",),), None, "the sum of a list of numbers; of none, 0", sum),
    Function("qids_total", (("list",),), None, "the QIDS total of its sixteen item scores", how.qids_total),
    Function(
        "dea_number_ok",
        (_WORDS,),
        BOOL,
        "the DEA number's form and check digit are right",
        identifiers.dea_number_ok,
    ),
    Function("npi_ok", (_WORDS,), BOOL, "the NPI's form and check digit are right", identifiers.npi_ok),
    Function("ndc11", (_WORDS, _WORDS), TEXT, "the NDC in eleven digits", how.ndc11),
    Function(
        "end_of_day",
        (("date",),),
        INSTANT,
        "the site's midnight after a date",
        how.end_of_day,
        ("zone",),
        "internal",
    ),
    Function(
        "end_of_day_after",
        (("instant",), ("period",)),
        INSTANT,
        "the site's midnight that ends the day a period after a point in time",
        how.end_of_day_after,
        ("tables", "zone"),
        "internal",
    ),
)

FUNCTIONS: dict[str, Function] = {function.name: function for function in _ALL}
"""All functions by name."""

ABSENT: dict[str, str] = {
    "startsWith": "Write text.matches('^...') with the beginning.",
    "endsWith": "Write text.matches('...$') with the end.",
    "contains": "Write text.matches('...').",
    "int": "Numbers need no conversion.",
    "uint": "Numbers need no conversion.",
    "double": "Numbers need no conversion; they are exact decimals.",
    "string": "Compare values of the same type; messages render values by themselves.",
    "bytes": "There are no byte strings.",
    "bool": "Name the yes/no field itself.",
    "type": "Types are known from the vocabulary.",
    "dyn": "Types are known from the vocabulary.",
    "getSeconds": "Compare points in time directly.",
    "getMilliseconds": "Compare points in time directly.",
    "getDayOfMonth": "Write getDate(zone), which counts from 1.",
    "getDayOfYear": "Compare dates, such as local_date(event.occurred_at).",
    "end_of_day": "In due:, a date means the end of that day.",
    "end_of_day_after": "In due:, write the instant + days(n).",
    "hours": "Write duration('2h'), or minutes(n) for a computed number.",
    "seconds": "Write duration('30s').",
    "weeks": "Write days(7), or duration('168h') for elapsed time.",
    "date": "Put the date into a parameter and name it as param.x.",
    "average": "Compare the sum with the limit times the number: sum(list) <= limit * size(list).",
}
"""Functions that authors may look for, and what to write instead."""
