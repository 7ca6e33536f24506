"""What goes wrong in the fortnight, and which shipped rule says so. Everything that is not listed here is in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: the event, what went wrong, and the rule that finds it.

    `follows` lists, as (event, rule), what comes of it elsewhere or by other rules. `settled_by` is the event after which nothing
    is held against it any more; `duty` is how a duty stands ten days after the fortnight, where the rule is a deadline
    (``missed``, ``met_late``, or ``open`` for one that is still to be done).
    """

    event: str
    what: str
    rule: str
    follows: tuple[tuple[str, str], ...] = ()
    settled_by: str | None = None
    duty: str | None = None


MISTAKES: Final = (
    Mistake(
        "PT-2489.consent",
        "The consent lacks the line on boosters, which stands alone on the form's second page; gone through again before the first dose",
        "off-consent-elements",
    ),
    Mistake(
        "S-0302-6139.administration",
        "The REMS portal was down, and nobody checked the enrolment later that day",
        "rems-enroll-verify",
        follows=(("S-0302-6139.administration.2", "rems-enroll-verify"),),
    ),
    Mistake(
        "S-0303-5077.administration",
        "The monitoring form was sent on the ninth day",
        "rems-pmf-7d",
        duty="met_late",
    ),
    Mistake(
        "S-0305-4821.discharge",
        "The patient had a bus to catch and left 1 h 52 min after the last device",
        "rems-monitor-2h",
        follows=(
            ("S-0305-4821.discharge", "rems-monitor-resolution"),
            ("S-0305-4821.discharge", "uspi-discharge-assess"),
        ),
    ),
    Mistake(
        "S-0305-6139.administration",
        "Dosed at 152/96, and no prescriber's decision is on record",
        "uspi-bp-140-90",
        follows=(("S-0305-6139.administration.2", "uspi-bp-140-90"),),
    ),
    Mistake(
        "S-0305-2210.wastage",
        "The rest of a vial was wasted while the second nurse was on the telephone",
        "s3-disp-waste-56-witness",
    ),
    Mistake(
        "S-0305-2210.wastage",
        "So nobody signed as witness either",
        "er-witness-20",
        duty="missed",
    ),
    Mistake(
        "S-0306-5077.discharge",
        "The reading at forty minutes waited on paper until after the discharge",
        "uspi-bp-40min",
        settled_by="S-0306-5077.vital_signs.2",
    ),
    Mistake(
        "S-0309-4821.asked.administration",
        "A dose is asked for at 158/98: denied, then delayed until the pressure has come down",
        "uspi-bp-140-90",
    ),
    Mistake(
        "S-0309-6139.administration.3",
        "The screen froze, and the second device was saved twice; voided a quarter of an hour later",
        "uspi-device-math",
        follows=(
            ("S-0309-6139.administration.3", "uspi-device-math-order"),
            ("S-0309-6139.administration.3", "uspi-5min"),
            ("S-0309-6139.administration.3", "s3-rx-order-46"),
            ("S-0309-6139.container_status.4", "s3-rec-vial-27"),
        ),
        settled_by="S-0309-6139.void",
    ),
    Mistake(
        "MESA-0310.inventory_count",
        "A vial is missing at the count",
        "s3-rec-balance-26",
    ),
    Mistake(
        "DSC-0001.discrepancy.2",
        "The written notice to the DEA of the missing vial went out a day late",
        "s3-sec-theft-13",
        duty="met_late",
    ),
    Mistake(
        "DSC-0001.discrepancy.2",
        "Form 106 for the missing vial is not yet filed",
        "s3-sec-form106-14",
        duty="open",
    ),
)
"""In the order in which they happen."""

CORRECTED: Final = ("S-0303-2210.vital_signs.4", "S-0303-2210.correction")
"""A heart rate of 17 typed for 71, and its correction: no rule asks about it, the nurse saw it herself."""
