"""The law of engine.md on a realistic fortnight under the shipped policies: what stands in the end does not depend on the order of arrival.

`test_history_agreement` holds the law on small random timelines and rules made for the purpose; here it meets the rules and the events that
a clinic has. Each event is `noted_at` its own instant: where two that occurred together were also noted together, the log's order decides.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import pytest

from compliance.demo import events
from compliance.domain.time import parse_instant
from compliance.engine.duties import duties
from compliance.intake.drafts import Draft
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.ledger.verify import State
from compliance.record import Rejudged
from compliance.verifying import verify_log
from tests.recording import draft, fresh_log, record, shipped, standing

Arrange = Callable[[Sequence[Draft], random.Random], list[Draft]]


def fortnight(site: str | None) -> list[Draft]:
    """The demonstration's events of both clinics or of one, each noted at an instant of its own."""
    drafts = []
    for number, body in enumerate(body for body in events() if site in (None, body["site"])):
        noted = datetime.fromisoformat(body.get("entered_at", body["occurred_at"])) + timedelta(
            microseconds=number
        )
        drafts.append(draft({**body, "entered_at": noted.isoformat()}))
    return drafts


def within_blocks(drafts: Sequence[Draft], rng: random.Random) -> list[Draft]:
    """Each stretch of forty in any order: what a day's worth of interfaces does."""
    stretches = [list(drafts[start : start + 40]) for start in range(0, len(drafts), 40)]
    for stretch in stretches:
        rng.shuffle(stretch)
    return [one for stretch in stretches for one in stretch]


def in_files(drafts: Sequence[Draft], rng: random.Random) -> list[Draft]:
    """Some days in any order, each in its own: files that come late."""
    stretches = [drafts[start : start + 300] for start in range(0, len(drafts), 300)]
    rng.shuffle(stretches)
    return [one for stretch in stretches for one in stretch]


def fully(drafts: Sequence[Draft], rng: random.Random) -> list[Draft]:
    """Any order at all."""
    return rng.sample(drafts, len(drafts))


def backwards(drafts: Sequence[Draft], _rng: random.Random) -> list[Draft]:
    """The last first: every event is late."""
    return list(reversed(drafts))


def what_stands(log: Log) -> dict[str, Any]:
    """Each event's verdict and findings, and each duty with its state."""
    found: dict[str, Any] = dict(standing(log))
    as_of = parse_instant("2027-01-01T00:00:00Z")
    found |= {
        duty.id: (duty.rule.id, duty.opened_by.id, str(duty.state), duty.due_at, duty.closed_by)
        for duty in duties(shipped(), LogHistory(log), as_of)
    }
    return found


@lru_cache
def in_order(site: str | None, *, vault: bool = False) -> dict[str, Any]:
    """What stands when all come as they occurred and were entered."""
    with fresh_log(vault=vault) as log:
        record(log, shipped(), *fortnight(site))
        return what_stands(log)


@pytest.mark.usefixtures("on_each_database")
@pytest.mark.parametrize(
    ("arrange", "site", "seed", "vault", "kind"),
    [
        pytest.param(within_blocks, None, 1, False, "sqlite", marks=pytest.mark.soak),
        pytest.param(within_blocks, None, 2, True, "sqlite", marks=pytest.mark.soak),
        pytest.param(within_blocks, "MESA", 2, True, "sqlite", marks=pytest.mark.soak),
        pytest.param(in_files, None, 3, False, "sqlite", marks=pytest.mark.soak),
        (in_files, "MESA", 3, False, "sqlite"),
        pytest.param(fully, "MESA", 4, True, "sqlite", marks=pytest.mark.soak),
        (fully, "MESA", 5, False, "sqlite"),
        pytest.param(backwards, "MESA", 6, True, "sqlite", marks=pytest.mark.soak),
        (within_blocks, "MESA", 7, False, "postgresql"),
    ],
)
def test_the_final_standing_of_a_fortnight_does_not_depend_on_the_order_of_arrival(
    arrange: Arrange, site: str | None, seed: int, vault: bool
) -> None:
    """Verdicts, findings and duties are the same after any order, whether texts lie in a vault or in the log.

    Of one clinic only where everything is late: each event is judged many times then.
    """
    drafts, expected = fortnight(site), in_order(site)
    with fresh_log(vault=vault) as log:
        results = record(log, shipped(), *arrange(drafts, random.Random(seed)))
        stands = what_stands(log)
        assert verify_log(log).state is State.SELF_CONSISTENT
    different = {
        key: (expected.get(key), stands.get(key))
        for key in expected.keys() | stands.keys()
        if expected.get(key) != stands.get(key)
    }
    assert not different
    assert sum(isinstance(result, Rejudged) for result in results) > len(drafts) / 20, (
        "hardly anything was judged again"
    )


def test_a_vault_changes_nothing_of_what_stands() -> None:
    """The fortnight stands the same where its texts are commitments."""
    assert in_order("MESA", vault=True) == in_order("MESA")


def test_the_fortnight_has_what_makes_the_order_matter() -> None:
    """Violations, compliant events, a void one, and duties in several states: otherwise the law would be empty."""
    verdicts = {str(value[0]) for value in in_order(None).values() if len(value) == 2}
    states = {value[2] for value in in_order(None).values() if len(value) == 5}
    assert {"compliant", "violation", "voided"} <= verdicts
    assert {"met", "missed"} <= states
