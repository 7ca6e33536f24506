"""Names, addresses and words, out of the identity vault: only in a binder that was asked to have them, after that was recorded.

Without that a binder holds what the log holds: pseudonyms, and a note where somebody's words lie in the vault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from compliance.domain.free_text import commitments
from compliance.domain.time import format_date, local_date
from compliance.ledger.entry import microseconds
from compliance.ledger.vault import Vault
from compliance.ledger.vault.persons import Identity
from compliance.reports.binder.period import Period, Version
from compliance.reports.binder.verify_cells import CORRECTED
from compliance.sealing import cleared

REMEMBERED: Final = 4096
"""Persons whose versions are kept in memory while rows are written."""


class People:
    """Who the pseudonyms of a binder are; nobody, where there is no vault to ask."""

    def __init__(self, period: Period, vault: Vault | None) -> None:
        self._period, self._vault = period, vault
        self._versions = lru_cache(maxsize=REMEMBERED)(self._known)

    @property
    def named(self) -> bool:
        """Whether names may be told."""
        return self._vault is not None

    def of_row(self, version: Version) -> dict[str, str]:
        """Name and address of the patient, and the name of who gave or watched the dose, as they were on its day."""
        if self._vault is None:
            return {}
        event = version.event
        patient = self._on_the_day(event.get("patient"), version)
        by = self._on_the_day(event.get("observer") or event["actor"], version)
        return {
            "Patient's name": patient.get("name", ""),
            "Patient's address": patient.get("address", ""),
            "Name of who gave or watched it": by.get("name", ""),
        }

    def document(self, version: Version) -> Mapping[str, Any]:
        """The document with the words that its commitments stand for; those of somebody who was erased stay as they are."""
        if self._vault is None or next(commitments(version.document.get("event")), None) is None:
            return version.document
        history, texts = self._period.history, self._vault.texts
        event = history.recorded(version.idx)
        if version.standing == CORRECTED:
            event = replace(event, body=version.event)
        texts.begin()

        def corrects(name: str) -> str | None:
            named = history.sent(name)
            return None if named is None else named.values.get("corrects")

        body = cleared(texts, event, corrects, partly=True)
        return version.document if body is None else {**version.document, "event": body}

    def _on_the_day(self, pseudonym: str | None, version: Version) -> Mapping[str, str]:
        if pseudonym is None:
            return {}
        day = format_date(local_date(microseconds(version.event["occurred_at"]), self._period.zone))
        known = self._versions(pseudonym)
        if isinstance(known, str):
            return {"name": known, "address": known}
        held = [one for one in known if one.valid_from <= day] or known[:1]
        return held[-1].clear if held else {}

    def _known(self, pseudonym: str) -> list[Identity] | str:
        """The versions of a person, or that there are none any more."""
        assert self._vault is not None
        versions = self._vault.persons.versions(pseudonym)
        gone = None if versions else self._vault.persons.erased(pseudonym)
        return versions if gone is None else f"erased by event {gone[0]}"
