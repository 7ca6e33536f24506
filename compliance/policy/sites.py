"""A site's own values: ``sites/<site>.yaml`` in a folder of policies.

A site may make a parameter of a rule stricter from a date on, in the direction that the parameter's ``tighten`` allows, and go the other way
only as far as its ``limit``. It is compared with the library's value of every day on which it would hold.

    site: SITE-B
    owner: medical director
    review_by: 2027-11-22
    parameters:
      rems-monitor-2h:                    # the rule
        minimum_observation:
          - {from: 2026-03-01, value: 2h30m, cites: 'Clinic policy 14'}

Beside or instead of values it may say what its systems call things (``codes``, `site_codes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from compliance.domain.quantity import COUNTED
from compliance.domain.time import format_date, parse_date
from compliance.domain.values import SCALE
from compliance.errors import Problem
from compliance.policy.fields import Fields, Reading, kind_of
from compliance.policy.located import Document
from compliance.policy.model import Parameter, Rule, SiteParameters, SiteValue
from compliance.policy.nearest import did_you_mean
from compliance.policy.parameters import infer, looser, same_form, value_words
from compliance.policy.site_codes import read_codes

FIELDS: Final = ("site", "owner", "review_by", "parameters", "codes")
VALUE_FIELDS: Final = ("from", "to", "value", "cites")
_EXAMPLE: Final = (
    "write the rule's id, below it the parameter, and below that [{from: 2026-03-01, value: 3h, cites: ...}]"
)


def read_site(document: Document, rules: Iterable[Rule]) -> tuple[str, SiteParameters, tuple[Problem, ...]]:
    """The site that a document is of, its values, and everything that is wrong with them."""
    reading = Reading(document, [])
    fields = reading.fields((), FIELDS, "a site's policy")
    if fields is None:
        return "", {}, tuple(reading.problems)
    site = fields.text("site", "write site: and the site's id, which its events carry")
    stem = document.stem
    if site and site != stem:
        fields.wrong(
            "site",
            f"the site is '{site}', but the file is called '{stem}'",
            f"rename the file to {site}.yaml",
        )
    fields.text("owner", "name who answers for these values: owner: medical director")
    fields.date("review_by", "say when they must be read again: review_by: 2027-11-22")
    found: SiteParameters = {}
    if "parameters" in fields.value:
        found = _parameters(reading, fields, {rule.id: rule for rule in rules})
    elif "codes" not in fields.value:
        fields.lacks("parameters", "write what the site asks (parameters:) or what its codes mean (codes:)")
    if "codes" in fields.value:
        read_codes(reading, site)
    return site, found, tuple(reading.problems)


def _parameters(reading: Reading, fields: Fields, named: Mapping[str, Rule]) -> SiteParameters:
    found: dict[str, dict[str, tuple[SiteValue, ...]]] = {}
    for rule_id, of_rule in _group(fields, "parameters", fields.value["parameters"]):
        group = Fields(reading, fields.at("parameters"), fields.value["parameters"], "'parameters'")
        if rule_id not in named:
            group.wrong(
                rule_id,
                f"there is no rule '{rule_id}'",
                did_you_mean(rule_id, named) or "name a rule's id",
                key=True,
            )
            continue
        known = {parameter.name: parameter for parameter in named[rule_id].parameters}
        for name, _ in _group(group, rule_id, of_rule):
            one = Fields(reading, (*group.at(rule_id), name), of_rule, f"'{rule_id}'")
            if name not in known:
                remedy = did_you_mean(name, known) or "this rule has no parameters"
                reading.wrong(one.path, f"'{rule_id}' has no parameter '{name}'", remedy, key=True)
                continue
            values = _values(reading, one.path, of_rule[name], known[name])
            found.setdefault(rule_id, {})[name] = values
    return found


def stored_site(document: Mapping[str, Any]) -> SiteParameters:
    """The values of a site in a stored bundle, which was checked when it was made."""
    return {
        rule_id: {
            name: tuple(_value_of(one) for one in values) for name, values in parameters.items()
        }
        for rule_id, parameters in document.get("parameters", {}).items()
    }  # fmt: skip


def _value_of(one: Mapping[str, Any]) -> SiteValue:
    read = infer(one["value"])
    assert read is not None  # it was read before it was stored
    end = None if one.get("to") is None else parse_date(one["to"])
    return SiteValue(parse_date(one["from"]), end, read[1], one["cites"])


def _group(fields: Fields, name: str, value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        return value.items()
    fields.wrong(
        name, f"'{name}' must be a group, not {kind_of(value) if value != {} else 'empty'}", _EXAMPLE
    )
    return ()


def _values(
    reading: Reading, path: tuple[Any, ...], written: Any, parameter: Parameter
) -> tuple[SiteValue, ...]:
    if not isinstance(written, list) or not written:
        reading.wrong(
            path, f"'{parameter.name}' must be a list of dated values, not {kind_of(written)}", _EXAMPLE
        )
        return ()
    found: list[SiteValue] = []
    for i in range(len(written)):
        one = reading.fields((*path, i), VALUE_FIELDS, "a site's value")
        if one is None:
            continue
        start = one.date("from", "say from which date it holds: from: 2026-03-01")
        end = one.date("to", "", required=False)
        cites = one.text("cites", "say where the clinic decided it: cites: ...")
        read = infer(one.value.get("value"), parameter.type.unit)
        if read is None or not same_form(read[0], parameter.type) or not _plausible(read[1], parameter):
            remedy = f"write it like the library's: {value_words(parameter, parameter.values[-1].value)}"
            one.reading.wrong(
                one.at("value") if one.has("value") else one.path,
                f"'{parameter.name}' cannot have this value",
                remedy,
            )
            continue
        if start is None:
            continue
        value = SiteValue(start, end, read[1], cites)
        if end is not None and end <= start:
            one.wrong(
                "to",
                f"it would end on {format_date(end)}, before it begins",
                "'to' is the first day on which it no longer holds",
            )
        elif found and (found[-1].start >= start or (found[-1].end or 0) > start):
            one.wrong("from", "these dates overlap", "write the values in the order of their dates")
        _compare(one, value, parameter)
        found.append(value)
    return tuple(found)


def _plausible(value: Any, parameter: Parameter) -> bool:
    """Nothing negative where the library has nothing negative, no fraction where it counts whole things."""
    library = [one.value for one in parameter.values if isinstance(one.value, int)]
    if not isinstance(value, int) or len(library) < len(parameter.values):
        return True
    whole = parameter.type.name == "number" and all(one % SCALE == 0 for one in library)
    return (value >= 0 or min(library) < 0) and not (
        whole and parameter.type.unit in COUNTED and value % SCALE
    )


def _compare(one: Fields, value: SiteValue, parameter: Parameter) -> None:
    """Notes a value that is looser than the library's on a day on which it would hold."""
    for index, library in enumerate(parameter.values):
        until = parameter.values[index + 1].start if index + 1 < len(parameter.values) else None
        if (until is not None and until <= value.start) or (
            value.end is not None and value.end <= library.start
        ):
            continue
        if not _too_loose(parameter, value.value, library.value):
            continue
        day = format_date(max(value.start, library.start))
        theirs, ours = value_words(parameter, library.value), value_words(parameter, value.value)
        if parameter.tighten == "fixed":
            why = f"'{parameter.name}' is fixed at {theirs}: no site may change it"
            remedy = "delete it"
        else:
            word = "raise" if parameter.tighten == "up" else "lower"
            bound = parameter.limit if parameter.limit is not None else library.value
            why = f"{ours} is looser than {value_words(parameter, bound)}, which holds on {day} ({library.cites}): a site may only {word} '{parameter.name}'"
            if parameter.limit is not None:
                why = f"{ours} is beyond {value_words(parameter, bound)}, as far as a site may go with '{parameter.name}' ({library.cites})"
            remedy = f"write {value_words(parameter, bound)} or what is stricter, or delete it"
        one.wrong("value", why, remedy)
        return


def _too_loose(parameter: Parameter, value: Any, library: Any) -> bool:
    if not looser(parameter.tighten, value, library):
        return False
    return parameter.limit is None or looser(parameter.tighten, value, parameter.limit)
