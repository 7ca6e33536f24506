"""The clinic's own system: it gives each event its id and says when the event was typed in.

Ids are readable and never change: what the event is about (a visit, a patient, a site's day), its kind, and a number where the kind
comes again. An event is typed in some seconds after it occurred, unless it is said to have waited.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

SEED: Final = 20260302
"""Of everything that is drawn by lot: seconds until an entry, figures on a monitor."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place of treatment. `name` is its pseudonym, `zone` fixes its clock."""

    name: str
    state: str
    zone: ZoneInfo
    registration: str
    address: str
    cabinet: str

    def at(self, day: str, time: str) -> datetime:
        """The instant at which this site's clock shows a time (``09:30``) on a day of 2026 (``03-02``)."""
        return datetime.fromisoformat(f"2026-{day}T{time}:00").replace(tzinfo=self.zone)


def minutes(count: float) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=count)


class Journal:
    """What was typed in, event by event."""

    def __init__(self) -> None:
        self.luck = Random(SEED)  # noqa: S311 - figures on a monitor, not secrets
        self._sent: dict[str, dict[str, Any]] = {}
        self._entered: dict[str, datetime] = {}
        self._names: Counter[str] = Counter()

    def note(
        self,
        site: Site,
        kind: str,
        at: datetime,
        actor: str,
        *,
        under: str = "",
        entered: datetime | None = None,
        **fields: Any,
    ) -> str:
        """Type in one event and give its id. Fields that are None are left out; instants are written with the site's offset.

        `entered` is when it was typed in, where that was not at once; `under` begins the id, where neither visit nor patient should.
        """
        name = self._named(
            under or fields.get("session") or fields.get("patient") or f"{site.name}-{at:%m%d}", kind
        )
        body: dict[str, Any] = {
            "id": name,
            "kind": kind,
            "occurred_at": at.isoformat(),
            "site": site.name,
            "actor": actor,
        }
        body |= {field: written(value) for field, value in fields.items() if value is not None}
        done = max(at, fields.get("completed_at") or at)
        self._entered[name] = entered or done + timedelta(seconds=self.luck.randint(8, 50))
        self._sent[name] = body
        return name

    def sign(self, site: Site, target: str, at: datetime, signer: str, meaning: str) -> str:
        """A person signs an event, in a login of that person's own."""
        login = f"LOGIN-{self._names.total():04}"
        return self.note(
            site, "signature", at, signer, under=target, target_event=target, target_sha256=self.digest(target), signer=signer,
            printed_name_ref=f"NAME-{signer}-v1", meaning=meaning, components=["user_id", "password"], first_in_login=True, login=login,
        )  # fmt: skip

    def digest(self, name: str) -> str:
        """SHA-256 (hex) of an event as sent, without ``entered_at``.

        For these bodies (ASCII names, no floating point) sorted keys without blanks are RFC 8785's canonical JSON.
        """
        canonical = json.dumps(self._sent[name], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return sha256(canonical.encode()).hexdigest()

    def sent(self, name: str) -> dict[str, Any]:
        """An event as it was typed in; not to be written into."""
        return self._sent[name]

    def events(self) -> list[dict[str, Any]]:
        """Every event, in the order in which they were typed in."""
        order = sorted(self._sent, key=lambda name: self._entered[name])
        return [self._sent[name] | {"entered_at": _utc(self._entered[name])} for name in order]

    def _named(self, about: str, kind: str) -> str:
        name = f"{about}.{kind}"
        self._names[name] += 1
        return name if self._names[name] == 1 else f"{name}.{self._names[name]}"


def written(value: Any) -> Any:
    """A value as JSON has it: instants with their offset, lists and records likewise."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: written(one) for name, one in value.items() if one is not None}
    return [written(one) for one in value] if isinstance(value, list) else value


def paper(name: str) -> str:
    """The digest of a paper that the clinic keeps: the demonstration has no papers, so it is that of the paper's name."""
    return sha256(f"paper:{name}".encode()).hexdigest()


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
