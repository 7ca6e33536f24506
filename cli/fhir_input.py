"""FHIR resources as the input of ``record`` and ``check``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from compliance.errors import InputError

from .formats import Form

if TYPE_CHECKING:
    from compliance.intake.drafts import Read
    from compliance.ledger.log import Log
    from compliance.persons import Acting


def read_fhir(
    files: Sequence[tuple[str, BinaryIO]], form: Form, log: Log, *, actor: str | None, written: bool
) -> Iterator[Read]:
    """All files as one input, so that references between them are resolved; events in the order in which they occurred.

    Where it is `written`, patients whom nobody knows are entered into the identity vault before what is said of them.
    """
    from compliance.bundles import Bundles
    from compliance.fhir_persons import Entering, Patients
    from compliance.fhir_versions import Versions
    from compliance.intake.fhir.gathering import Gathered
    from compliance.intake.fhir.ndcs import Ndcs
    from compliance.intake.fhir.reading import Reading
    from compliance.ledger.history import LogHistory
    from compliance.ledger.vault import reach
    from compliance.persons import default_site
    from compliance.recent import known_ndcs

    bundles = Bundles(log, written=written)
    bundle = bundles.active().bundle

    def acting() -> Acting:
        from compliance.persons import Acting

        if actor is None:
            raise InputError(
                "who acts is not known", "Name your staff id with --actor ID or COMPLIANCE_ACTOR."
            )
        return Acting(actor, form.site or default_site(log))

    with Gathered(files) as gathered, reach(log, write=False) as way:
        reading = Reading(
            gathered,
            bundle.codes,
            _sites(log, bundle.documents.get("sites", ())),
            form.site,
            actor,
            _doses(log),
            Ndcs.of(known_ndcs(LogHistory(log))),
        )
        entering = Entering(bundles.active, acting) if written else None
        patients = Patients(log, way, reading.resolve, entering)
        versions = Versions(log, way, actor, log.now)
        yield from versions.items(patients.settled(reading.heard(patients)))


def _doses(log: Log) -> Callable[[str], Iterator[tuple[str, int]]]:
    """The doses of a session, by the log as it is now: readings may come in a file of their own, after the doses."""
    from compliance.ledger.history import LogHistory

    history = LogHistory(log)

    def of(session: str) -> Iterator[tuple[str, int]]:
        doses = history.newest_first("administration", "session", session, None, None)
        return ((dose.id, dose.occurred_at) for dose in doses if not dose.proposed)

    return of


def _sites(log: Log, named: Iterable[str]) -> frozenset[str]:
    """The sites that are known by id: those with a profile in the log, and those with a file among the policies."""
    from compliance.domain.lookup import EVERY
    from compliance.ledger.history import LogHistory

    profiles = LogHistory(log).newest_first("site_profile", EVERY, "", None, None)
    return frozenset(str(profile.values["site"]) for profile in profiles).union(named)
