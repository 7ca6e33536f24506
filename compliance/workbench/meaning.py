"""What of a rule's stored form decides outcomes: two rules with the same meaning say the same of every event.

Meant to be sound and simple, not to recognise every rewrite: what is not plainly the same is another meaning. It covers the rule's document without what
only people read, the values of single sites, and those tables of the bundle that a function of the rule reads. Language and vocabulary are those of this
software, for both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

import orjson

READ_BY: Final[Mapping[str, str]] = {
    "drug_info": "drugs",
    "state_rule": "states",
    "business_days": "holidays",
    "permits": "permissions",
}
"""The functions of the language that read a table, and which."""

_FOR_PEOPLE: Final = frozenset({"title", "cites", "owner", "review_by", "cases"})
_WORDS: Final = frozenset({"message", "remedy"})


def meanings(documents: Mapping[str, Any]) -> dict[str, str]:
    """The digest of each rule's meaning, by the rule's id, from the plain JSON form of a bundle."""
    tables = {name: _digest(value) for name, value in documents["bundle"].items()}
    sites = documents.get("sites", {})
    return {
        rule_id: _digest([said := _decisive(rule), _own_values(rule_id, sites), _tables(said, tables)])
        for rule_id, rule in documents["rules"].items()
    }


def judged_kinds(documents: Mapping[str, Any], rules: Iterable[str]) -> Iterator[str]:
    """The kinds of events on which these rules of a bundle are judged, ``any`` among them; none for deadlines and standing rules."""
    for rule_id in rules:
        rule = documents["rules"].get(rule_id, {})
        if rule.get("require") is not None and rule.get("every") is None:
            on = rule["on"]
            yield from on if isinstance(on, list) else (on,)


def _decisive(rule: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in rule.items() if name not in _FOR_PEOPLE}
    otherwise = said.get("otherwise")
    if isinstance(otherwise, dict):
        said["otherwise"] = {name: value for name, value in otherwise.items() if name not in _WORDS}
    return said


def _own_values(rule_id: str, sites: Mapping[str, Any]) -> dict[str, Any]:
    return {
        site: said["parameters"][rule_id]
        for site, said in sites.items()
        if rule_id in (said.get("parameters") or {})
    }


def _tables(said: Mapping[str, Any], tables: Mapping[str, str]) -> dict[str, str | None]:
    text = orjson.dumps(said)
    return {table: tables.get(table) for name, table in READ_BY.items() if name.encode() in text}


def _digest(value: Any) -> str:
    return sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
