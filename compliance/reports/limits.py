"""Limits of the rules in force, as sections ask for them: a site's own value where it has one."""

from __future__ import annotations

from functools import lru_cache

from compliance.reports.night import Night


@lru_cache(maxsize=256)
def limit(night: Night, rule: str, parameter: str, site: str) -> int | None:
    """A number (scaled) or duration (microseconds) that a rule's parameter sets at a site on the night's day; None where the policies in force
    have no such rule, or no value of that kind."""
    bundle = night.judge.bundle
    try:
        found = bundle.parameters(bundle.rule(rule), night.day, site).get(parameter)
    except KeyError:
        return None
    return found if isinstance(found, int) and not isinstance(found, bool) else None
