"""Recording for the tests: small bundles of rules written in the test, logs to record into, and what stands afterwards."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from compliance.bundles import activation, store
from compliance.domain.event import Event
from compliance.domain.making import make_event
from compliance.engine.judging import Judge
from compliance.intake.drafts import Draft, Rejected
from compliance.intake.json_lines import read_json
from compliance.ledger.log import Log
from compliance.policy.bundle import bundle_from_documents, load_folder
from compliance.policy.fill import fill
from compliance.policy.model import Bundle
from compliance.record import Recorder, Result
from compliance.settings import shipped_folder
from compliance.standing import last_decision
from tests.homes import Home, PostgresHome, SqliteHome
from tests.vaults import vaulted

NO_TABLES = {"name": "test", "version": "1", "holidays": [], "drugs": [], "permissions": {}}
DAY = "2026-03-02T"


def rule(rule_id: str, on: str, require: str, **more: Any) -> dict[str, Any]:
    """A rule as a document; what a test does not name does not matter to it."""
    otherwise = {
        "severity": more.pop("severity", "deny"), "override": more.pop("override", "never"),
        "message": more.pop("message", "no"), "remedy": more.pop("remedy", "none"),
    }  # fmt: skip
    return {
        "id": rule_id, "title": "A rule of the tests", "implements": more.pop("implements", [rule_id.upper()]),
        "cites": [{"source": "none", "read": "2026-11-22"}], "in_force": {"from": "2000-01-01"}, "owner": "tests",
        "review_by": "2099-01-01", "on": on, "require": require, "otherwise": otherwise,
        "cases": [{"name": "any", "event": {"kind": on}, "expect": "not_applicable"}], **more,
    }  # fmt: skip


MONITORED = rule(
    "monitored", "discharge", "dose != null && discharge.occurred_at - dose.completed_at >= duration('2h')",
    given={"dose": {"latest": "administration", "by": ["session"]}},
    message="Left {discharge.occurred_at - dose.completed_at} after the dose.",
)  # fmt: skip
PRESSURE = rule(
    "pressure-first", "administration", "vitals != null && vitals.systolic_mmhg <= 140",
    given={"vitals": {"latest": "vital_signs", "by": ["session"]}}, severity="warn",
)  # fmt: skip
CONSENTED = rule(
    "consented", "administration", "agreed != null && agreed.action == 'given'",
    given={"agreed": {"latest": "consent", "by": ["patient"]}}, override="two_person", implements=["CONSENT"],
)  # fmt: skip
PHONED = {
    **{key: value for key, value in rule("phoned", "discharge", "true").items() if key != "require"},
    "expect": {"event": "follow_up", "by": ["patient"], "due": "discharge.occurred_at + duration('24h')"},
    "cases": [
        {"name": "any", "event": {"kind": "discharge"}, "now": "2026-03-02T13:00:00-06:00", "expect": "open"}
    ],
}


def bundle(*rules: Mapping[str, Any]) -> Bundle:
    """A bundle of these rules, without tables."""
    return _bundle(json.dumps(rules))


@lru_cache(maxsize=64)
def _bundle(rules: str) -> Bundle:
    with TemporaryDirectory() as folder:
        tables = {**NO_TABLES, "states": {"defaults": _defaults(), "rows": {}}}
        Path(folder, "bundle.yaml").write_text(json.dumps(tables))
        for one in json.loads(rules):
            Path(folder, f"{one['id']}.yaml").write_text(json.dumps(one))
        made, problems = load_folder(Path(folder))
    assert made is not None, [str(problem) for problem in problems]
    return made


def _defaults() -> dict[str, Any]:
    return {
        "separate_csr": False, "pdmp_query": [], "pdmp_max_age": "24h", "retention_years": 2, "in_person_required": False,
        "rn_scope": [], "wastage_witness": True, "pdmp_max_age_business_days": 0, "pdmp_repeat_months": 0, "pdmp_report_exempt": [],
    }  # fmt: skip


@lru_cache(maxsize=8)
def judge(*names: str) -> Judge:
    """The rules of this module by name, ready to judge."""
    return Judge(bundle(*(globals()[name] for name in names)))


@lru_cache(maxsize=1)
def shipped() -> Judge:
    """The shipped policies, from their stored form, as a log's are."""
    made, problems = load_folder(shipped_folder("policies"))
    assert made is not None, [str(problem) for problem in problems]
    return Judge(bundle_from_documents(orjson.loads(orjson.dumps(made.documents))))


_numbers = itertools.count(1)


def body(kind: str, at: str = "09:00", **fields: Any) -> dict[str, Any]:
    """An event as JSON; `at` is a time of day, or an instant."""
    occurred_at = at if "T" in at else f"{DAY}{at}:00-06:00"
    return fill({"kind": kind, "occurred_at": occurred_at, **fields}, next(_numbers))


def correction(
    target: Mapping[str, Any], event_id: str, *changes: tuple[str, Any, Any], **fields: Any
) -> dict[str, Any]:
    """A correction of an event: (field, old, new) of each change."""
    named = [{"name": name, "old": json.dumps(old), "new": json.dumps(new)} for name, old, new in changes]
    return body(
        "correction",
        fields.pop("at", "20:00"),
        id=event_id,
        corrects=target["id"],
        fields=named,
        reason="typed wrongly",
        **fields,
    )


def void(target: Mapping[str, Any], event_id: str, **fields: Any) -> dict[str, Any]:
    """A void of an event."""
    return body(
        "void",
        fields.pop("at", "20:00"),
        id=event_id,
        corrects=target["id"],
        reason="never happened",
        **fields,
    )


def drafts(bodies: Iterable[Mapping[str, Any]], source: str = "day.ndjson") -> list[Draft | Rejected]:
    """What intake reads from a file of these events."""
    raw = b"".join(orjson.dumps(one) + b"\n" for one in bodies)
    with TemporaryDirectory() as folder:
        path = Path(folder, "day.ndjson")
        path.write_bytes(raw)
        with path.open("rb") as stream:
            return list(read_json(source, stream))


def draft(one: Mapping[str, Any]) -> Draft:
    """One valid event."""
    made = make_event(one, source="day.ndjson", line=1)
    assert isinstance(made, Event), made
    return Draft(made, "day.ndjson", 1)


def record(log: Log, judged_by: Judge, *items: Mapping[str, Any] | Draft | Rejected) -> list[Result]:
    """Record events, all results in a row."""
    read = [
        item for one in items for item in ([one] if isinstance(one, (Draft, Rejected)) else drafts([one]))
    ]
    return [result for batch in Recorder(log, judged_by).submit(read) for result in batch]


def put_in_force(log: Log, made: Bundle) -> None:
    """Store a bundle and activate it, as `init` does."""
    with log.writing() as batch:
        store(batch, made)
    about = activation(
        made,
        event_id=f"activation-{next(_numbers)}",
        at=f"{DAY}00:00:00-06:00",
        site="S1",
        actor="A1",
        reason="tests",
        cases=(1, 0),
    )
    record(log, Judge(made), about)


def standing(log: Log) -> dict[str, tuple[str, frozenset[tuple[str, str, str]]]]:
    """How each event stands after its last judgement: verdict, and rule, outcome and severity of its findings."""
    return {
        entry.event_id: last_decision(log, entry.idx).stands()
        for entry in log.entries()
        if entry.type == "event"
    }  # type: ignore[misc]


def types(log: Log) -> list[str]:
    """The types of the entries, from the first that is recorded here."""
    return [entry.type for entry in log.entries(1)]


class Where:
    """What kind of database `fresh_log` makes its logs in; the fixture `on_each_database` changes it."""

    kind = "sqlite"
    home: Home
    """The one made last."""


@contextmanager
def fresh_log(folder: Path | None = None, *, vault: bool = False) -> Iterator[Log]:
    """A log of one entry, with an identity vault if wanted."""
    with TemporaryDirectory() as made:
        home: Home = PostgresHome() if Where.kind == "postgresql" else SqliteHome(Path(folder or made))
        Where.home = home
        try:
            with vaulted(home.url) if vault else home.empty_log() as log:
                yield log
        finally:
            home.remove()


def since(log: Log, idx: int) -> Sequence[dict[str, Any]]:
    """The documents of the entries from an index on."""
    return [entry.document() for entry in log.entries(idx)]
