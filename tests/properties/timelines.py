"""Random timelines of a small clinic: few ids, few instants, so that events meet, overtake and amend each other."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

from compliance.domain.event import Event
from compliance.domain.making import make_event
from compliance.policy.bundle import load_folder
from compliance.policy.fill import fill
from compliance.policy.model import Bundle
from compliance.settings import shipped_folder

RULES = Path(__file__).parent / "rules"
START = datetime(
    2026, 3, 7, 8, 0, tzinfo=timezone(timedelta(hours=-6))
)  # the night of 2026-03-08 changes the clocks


@lru_cache(maxsize=1)
def rules() -> Bundle:
    """The rules of these tests: each quantifier, windows, chained and naming look-ups."""
    with TemporaryDirectory() as folder:
        for file in RULES.glob("*.yaml"):
            shutil.copy(file, folder)
        shutil.copy(shipped_folder("policies") / "bundle.yaml", folder)
        bundle, problems = load_folder(Path(folder))
    assert bundle is not None, [str(problem) for problem in problems]
    return bundle


def instant(minutes: int) -> str:
    """An instant so many minutes after the timeline's start."""
    return (START + timedelta(minutes=minutes)).isoformat()


_minutes = st.integers(0, 48).map(lambda n: n * 37)
_patient = st.sampled_from(["P1", "P2"])
_session = st.sampled_from(["T1", "T2"])
_site = st.sampled_from(["S1", "S2"])
_person = st.sampled_from(["N1", "N2"])
_registration = st.sampled_from(["R1", "R1", "R2"])
_drug = st.just("ketamine_inj_50mg_ml")
_lot = st.sampled_from(["L1", "L2"])
_quantity = st.sampled_from(["1", "2.5", "10"])


SUBJECTS = (
    "site_profile", "vital_signs", "administration", "consent", "presence", "discharge", "assessment", "receipt", "wastage",
    "inventory_count",
)  # fmt: skip
REFERRING = ("signature", "clinical_decision", "correction", "correction", "void")


@st.composite
def bodies(
    draw: st.DrawFn, number: int, earlier: list[dict[str, Any]], subjects: tuple[str, ...] = SUBJECTS
) -> dict[str, Any]:
    """One event as JSON, of one of these kinds or about an earlier one."""
    kind = draw(st.sampled_from((*subjects, *(REFERRING if earlier else ()))))
    at = draw(_minutes)
    body: dict[str, Any] = {
        "id": f"e{number:03d}", "kind": kind, "occurred_at": instant(at), "entered_at": instant(at + draw(st.integers(0, 600))),
        "site": draw(_site), "actor": draw(_person),
    }  # fmt: skip
    if kind in ("vital_signs", "administration", "consent", "discharge", "assessment", "clinical_decision"):
        body["patient"] = draw(_patient)
    if kind in ("vital_signs", "administration", "discharge", "assessment") and (
        kind != "vital_signs" or draw(st.booleans())
    ):
        body["session"] = draw(_session)
    body.update(draw(_details(kind, at, earlier)))
    return fill(body, number)


def _details(kind: str, at: int, earlier: list[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    optional: dict[str, st.SearchStrategy[Any]] = {}
    required: dict[str, st.SearchStrategy[Any]] = {}
    if kind == "site_profile":
        required = {"time_zone": st.sampled_from(["America/Chicago", "America/Phoenix", "Pacific/Auckland"])}
    elif kind == "vital_signs":
        optional = {"systolic_mmhg": st.integers(90, 150)}
    elif kind == "administration":
        required = {"dose_mg": st.sampled_from(["28", "56.5"])}
        optional = {"observer": _person, "completed_at": st.just(instant(at + 5))}
    elif kind == "consent":
        required = {
            "consent": st.sampled_from(["C1", "C2"]),
            "action": st.sampled_from(["given", "withdrawn"]),
        }
    elif kind == "presence":
        required = {
            "shift": st.sampled_from(["H1", "H2", "H3"]),
            "person": _person,
            "on_premises": st.booleans(),
            "arrived_at": st.just(instant(at)),
        }
        optional = {"left_at": st.integers(at, at + 400).map(instant)}
    elif kind in ("receipt", "wastage"):
        required = {"registration": _registration, "quantity": _quantity}
        optional = {"lot": _lot} | ({"accepted": st.booleans()} if kind == "receipt" else {})
    elif kind == "inventory_count":
        line = st.fixed_dictionaries({"drug": _drug, "quantity": _quantity}, optional={"lot": _lot})
        required = {
            "registration": _registration,
            "complete": st.booleans(),
            "lines": st.lists(line, max_size=2),
        }
    elif kind == "signature":
        required = {"target_event": st.sampled_from(earlier).map(lambda e: e["id"]), "signer": _person}
    elif kind == "clinical_decision":
        required = {"concerns_event": st.sampled_from(earlier).map(lambda e: e["id"])}
    elif kind == "void":
        required = {
            "corrects": st.sampled_from([e for e in earlier if e["kind"] != "void"] or earlier).map(
                lambda e: e["id"]
            ),
            "reason": st.just("wrong"),
        }
    elif kind == "correction":
        return st.sampled_from(earlier).flatmap(_correction)
    return st.fixed_dictionaries(required, optional=optional)


def _correction(target: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    names = [
        n
        for n in ("occurred_at", "session", "patient", "site", "dose_mg", "on_premises", "action", "lot")
        if n in target
    ] or ["actor"]
    new = {
        "occurred_at": _minutes.map(instant), "session": _session, "patient": _patient, "site": _site, "dose_mg": st.just("14"),
        "on_premises": st.booleans(), "action": st.sampled_from(["given", "withdrawn"]), "actor": _person,
        "lot": _lot,
    }  # fmt: skip

    def change(name: str) -> st.SearchStrategy[dict[str, Any]]:
        old = st.sampled_from([target[name], target[name], "something else"])
        return st.builds(
            lambda o, n: {"name": name, "old": json.dumps(o), "new": json.dumps(n)}, old, new[name]
        )

    fields = st.sampled_from(names).flatmap(change).map(lambda c: [c])
    return st.fixed_dictionaries(
        {"corrects": st.just(target["id"]), "fields": fields, "reason": st.just("typed wrongly")}
    )


@st.composite
def timelines(draw: st.DrawFn, most: int = 14, subjects: tuple[str, ...] = SUBJECTS) -> list[Event]:
    """A list of events, none recorded yet."""
    written: list[dict[str, Any]] = []
    for number in range(draw(st.integers(2, most))):
        written.append(draw(bodies(number, written, subjects)))
    made = [make_event(body) for body in written]
    assert all(isinstance(event, Event) for event in made), made
    return [event for event in made if isinstance(event, Event)]


def crowded() -> st.SearchStrategy[list[Event]]:
    """Timelines of the kinds that one rule speaks of, few of them amended: among all kinds at once, two consents seldom meet."""
    stock = ("receipt", "administration", "wastage", "inventory_count")
    spoken = {}
    for rule in rules().rules:
        kinds = {*rule.on, *(kind for given in rule.given for kind in given.kinds)}
        kinds |= {kind for given in rule.given if given.quantifier == "balance" for kind in stock}
        spoken[rule.id] = tuple(kind for kind in SUBJECTS if kind in kinds)
    speaking = sorted(rule for rule, kinds in spoken.items() if kinds)
    return st.sampled_from(speaking).flatmap(lambda rule: timelines(subjects=spoken[rule] * 4))
