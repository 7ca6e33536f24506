"""The nightly report's sections, in the order in which they are told: what is most urgent first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from compliance.reports.night import Night
from compliance.reports.page import Level, Section
from compliance.reports.sections.due import duties
from compliance.reports.sections.expiring import expiring
from compliance.reports.sections.late import late
from compliance.reports.sections.log_state import LogState, log_state
from compliance.reports.sections.overridden import overrides
from compliance.reports.sections.questions import questions
from compliance.reports.sections.stock import stock
from compliance.reports.sections.trends import trends
from compliance.reports.sections.violations import violations
from compliance.reports.standing_on import Stands
from compliance.reports.words import counted, listed

URGENT: Final = (Level.ALARM, Level.ACTION)
"""What somebody must act on."""


def contents(night: Night, stands: Stands, state: LogState) -> tuple[Section, ...]:
    """Every section of the report of a night."""
    return (
        log_state(state),
        violations(night, stands),
        duties(night, stands),
        stock(night),
        expiring(night),
        late(night),
        overrides(night),
        trends(night),
        questions(night),
    )


def headline(sections: Sequence[Section]) -> str:
    """The one sentence that stands on a lock screen."""
    said = {section.id: section for section in sections}
    whole = said["log"].level is Level.GOOD
    told = [] if whole else ["the log does not verify"]
    items = said["violations"].items
    if items:
        urgent = sum(item.level in URGENT for item in items)
        told.append(counted(len(items), "new finding") + (f" ({urgent:,} to act on)" if urgent else ""))
    overdue = next(table for table in said["duties"].tables if table.id == "duties-overdue").rows
    if overdue:
        told.append(f"{counted(len(overdue), 'duty', 'duties')} overdue")
    stock = [item for item in said["stock"].items if item.level in URGENT]
    if stock:
        told.append(f"{counted(len(stock), 'thing')} to clear up in stock")
    expired = [item for item in said["expiring"].items if item.level is Level.ALARM]
    if expired:
        told.append(f"{counted(len(expired), 'thing')} expired")
    if not told:
        return "Nothing new, nothing overdue; the log is whole"
    text = f"{listed(told)}{'; the log is whole' if whole else ''}"
    return text[0].upper() + text[1:]
