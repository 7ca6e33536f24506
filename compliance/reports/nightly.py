"""The nightly run (cli.md): the log verified, the standing rules and duties looked at, a sample of decisions judged again, the report made.

The first run for a day fixes the size of the log that the report is read from, and says so in a ``nightly`` entry, with the report's digest and the
checkpoint of that size; what was missed and which standing rules began or ceased to fail go into the log beside it. Every later run for that
day reads the same size and gives the same report, unless a new edition is asked for. Nights since the last report that were missed are
caught up first, in order. Of two runs at once, one finds the other's entry and gives that report.

Where the log does not verify, nothing is written into it; the report says so before all else, with whatever can still be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from compliance.bundles import Bundles
from compliance.domain.time import format_date, format_instant, local_date, parse_date
from compliance.engine.duties import Duty
from compliance.engine.judging import Judge
from compliance.errors import InputError
from compliance.ledger.checkpoint import Checkpoint
from compliance.ledger.history import LogHistory
from compliance.ledger.log import Log
from compliance.ledger.note import Signer
from compliance.ledger.rotation import root_at
from compliance.night_entries import MISSED, NIGHTLY, STANDING, Printed, append, key_text, printed, printed_on
from compliance.reports.agenda import Progress
from compliance.reports.contents import contents, headline
from compliance.reports.forms.json_form import json_form
from compliance.reports.night import Night, SiteDay, days_of, known_sites
from compliance.reports.page import Report, worst
from compliance.reports.sampling import judged_again
from compliance.reports.sections.log_state import LogState, Verified, broken_log
from compliance.reports.standing_on import Stands
from compliance.verifying import verify_log

TITLE: Final = "Nightly report"


@dataclass(frozen=True, slots=True)
class Made:
    """A report, and what became of it: `entry` is its ``nightly`` entry (None where the log does not verify), `now` whether this run wrote that,
    `same` whether it has the digest that the entry says; `verified` whether the log verifies."""

    report: Report
    site: str | None
    entry: int | None
    now: bool
    same: bool
    verified: bool
    checkpoint: str


class Nightly:
    """Nightly runs on one log, open for writing; `checkpoints` are signed notes that were kept elsewhere."""

    def __init__(
        self,
        log: Log,
        signer: Signer,
        checkpoints: Sequence[bytes] = (),
        progress: Progress = lambda *_: None,
    ) -> None:
        self._log = log
        self._signer = signer
        self._checkpoints = checkpoints
        self._progress = progress
        self._bundles = Bundles(log)

    def run(
        self, day: int | None = None, site: str | None = None, *, refresh: bool = False
    ) -> Iterator[Made]:
        """The reports of the nights that were missed, in order, and then that of `day` (an ordinal date; None: the last one that is over at every
        site); with `refresh` a new edition of it.

        Raises InputError for a site that the log does not know, and for a day that is not over yet at one of the sites.
        """
        verified = self._verified(None)
        if not verified.good:
            yield self._broken(local_date(self._log.now(), "UTC") - 1 if day is None else day, site, verified)
            return
        day = self._last_over(site) if day is None else day
        self._require_over(day, site)
        if printed_on(self._log, format_date(day), site) is None:
            for missed in self._missed(day, site):
                yield self._of(missed, site, refresh=False)
        yield self._of(day, site, refresh=refresh)

    def _broken(self, day: int, site: str | None, verified: Verified) -> Made:
        """The report of a log that does not verify: whatever can still be read of it, and nothing is entered."""
        log = self._log
        try:
            _, report = self._made(day, site, self._bundles.active(), log.size, None, 1, verified, "")
        except Exception:  # noqa: BLE001 - whatever a changed entry makes of those who read it: the report must say what is wrong
            section = broken_log(log.name, verified)
            report = Report(
                TITLE, format_date(day), () if site is None else (site,), "", log.size, log.root.hex(), 1, "", section.level,
                section.summary, (section,),
            )  # fmt: skip
        return Made(report, site, None, now=True, same=True, verified=False, checkpoint="")

    def _last_over(self, site: str | None) -> int:
        day = local_date(self._log.now(), "UTC")
        while any(one.ends > self._log.now() for one in self._days(day, site)):
            day -= 1
        return day

    def _require_over(self, day: int, site: str | None) -> None:
        for one in self._days(day, site):
            if one.ends > self._log.now():
                raise InputError(
                    f"{format_date(day)} is not over yet at {one.site}: it ends {format_instant(one.ends, one.zone)}",
                    "Name a day before, or none for the last one that is over; `compliance findings` shows what stands now.",
                )

    def _days(self, day: int, site: str | None) -> tuple[SiteDay, ...]:
        """The day at the site, or at all; raises InputError for a site that the log does not know."""
        history = LogHistory(self._log)
        known = known_sites(history, day)
        if site is not None and site not in known:
            raise InputError(
                f"the log has no event of a site {site!r}",
                f"It knows {', '.join(known)}." if known else "Check the name.",
            )
        return days_of(history, day, known if site is None else (site,))

    def _missed(self, day: int, site: str | None) -> Iterator[int]:
        before = self._before(format_date(day), site, None)
        if before is not None:
            yield from range(parse_date(before.date) + 1, day)

    def _before(self, date: str, site: str | None, before: int | None) -> Printed | None:
        """The newest report of an earlier day that covers a site (all sites, where None)."""
        earlier = (one for one in printed(self._log, before) if one.date < date and one.site in (None, site))
        return max(earlier, key=lambda one: (one.date, one.idx), default=None)

    def _of(self, day: int, site: str | None, *, refresh: bool) -> Made:
        date = format_date(day)
        while True:
            told = printed_on(self._log, date, site)
            if told is not None and not refresh:
                return self._again(told, day)
            made = self._new(day, site, told)
            if made is not None:
                return made
            refresh = False  # another run has just made one

    # ---- a report that the log tells of already

    def _again(self, told: Printed, day: int) -> Made:
        verified = self._verified(told.idx)
        judge = self._bundles.judge(told.bundle)
        _, report = self._made(
            day,
            told.site,
            judge,
            told.size,
            self._before(told.date, told.site, told.idx),
            told.edition,
            verified,
            told.checkpoint,
        )
        same = sha256(json_form(report)).hexdigest() == told.report
        return Made(
            report,
            told.site,
            told.idx,
            now=False,
            same=same,
            verified=verified.good,
            checkpoint=told.checkpoint,
        )

    # ---- a new one

    def _new(self, day: int, site: str | None, edition: Printed | None) -> Made | None:
        """A report of what the log holds now, and its entry; None where another run was faster."""
        log, date = self._log, format_date(day)
        verified = self._verified(None)
        size = log.size
        judge = self._bundles.active()
        before = self._before(date, site, None)
        number = 1 if edition is None else edition.edition + 1
        checkpoint = self._signer.sign(Checkpoint(log.identity.origin, size, root_at(log, size)).text)
        stands, report = self._made(day, site, judge, size, before, number, verified, checkpoint)
        members = {
            "date": date, **({} if site is None else {"site": site}), "edition": number, "size": size, "root": report.root,
            "bundle": judge.bundle.digest, "new_from": size if before is None else before.size, "report": sha256(json_form(report)).hexdigest(), "checkpoint": checkpoint,
        }  # fmt: skip
        untold = [_missed_entry(duty, date) for duty in stands.untold]
        began = [
            {
                "finding": one.id, "rule": one.rule.id, "key": key_text(one.key), "about": one.subject.id,
                "since": format_date(one.since or day), "state": "began", "night": date,
            }
            for one in stands.begun
        ]  # fmt: skip
        ended = [
            {
                "finding": one.finding, "rule": one.rule, "key": one.key, "about": one.event, "since": one.since, "state": "ended",
                "night": date,
            }
            for one in stands.ended
        ]  # fmt: skip
        with log.writing() as batch:
            last = printed_on(log, date, site)
            if (None if last is None else last.idx) != (None if edition is None else edition.idx):
                return None
            for kind, told in ((MISSED, untold), (STANDING, [*began, *ended])):
                for one in told:
                    append(batch, kind, one)
            idx = append(batch, NIGHTLY, members)
        return Made(report, site, idx, now=True, same=True, verified=True, checkpoint=checkpoint)

    def _seal(self, digest: bytes) -> bytes:
        """What only who holds the log's key can make of a digest; no checkpoint, whatever follows the first line."""
        return sha256(
            self._signer.sign(f"agenda of {self._log.identity.origin}\n{digest.hex()}\n").encode()
        ).digest()

    def _verified(self, before: int | None) -> Verified:
        """The log, since the checkpoint of the report that was made last (before an entry), and against those that were kept elsewhere."""
        last = next(printed(self._log, before), None)
        since = None if last is None else last.checkpoint.encode()
        answer = verify_log(self._log, self._checkpoints, since)
        reason = "" if answer.good else answer.reason
        return Verified(answer.good, str(answer.state), reason, None if last is None else last.date)

    def _made(
        self,
        day: int,
        site: str | None,
        judge: Judge,
        size: int,
        before: Printed | None,
        edition: int,
        verified: Verified,
        checkpoint: str,
    ) -> tuple[Stands, Report]:
        log = self._log
        history = LogHistory(log, before=size)
        every = days_of(history, day, known_sites(history, day))
        new_from, last = (size, None) if before is None else (before.size, parse_date(before.date))
        whole = Night(log, self._bundles, judge, day, size, new_from, every, last)
        night = (
            whole if site is None else replace(whole, sites=tuple(one for one in every if one.site == site))
        )
        root = root_at(log, size)
        seed = root + day.to_bytes(4, "big")
        state = LogState(night, verified, tuple(judged_again(log, self._bundles, size, seed)), checkpoint)
        stands = Stands(night, whole, self._progress, self._seal)
        stands.look()
        with log.reading():
            sections = contents(night, stands, state)
        report = Report(
            TITLE, night.date, tuple(one.site for one in night.sites), log.identity.origin, size, root.hex(), edition,
            judge.bundle.digest, worst([one.level for one in sections]), headline(sections), sections,
        )  # fmt: skip
        return stands, report


def _missed_entry(duty: Duty, date: str) -> dict[str, Any]:
    due = {} if duty.due_at is None else {"due_at": format_instant(duty.due_at)}
    return {"finding": duty.id, "rule": duty.rule.id, "about": duty.opened_by.id, **due, "night": date}
