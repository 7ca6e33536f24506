"""Free text on its way into the log: what is judged and kept is a commitment, and the words go to the vault (audit-log.md, "Entry").

`Sealing` stands between intake and judging for one batch. An event leaves it with a commitment in the place of each free text, and that is what
the rules see, what the log keeps, and what judging again sees: a decision never depends on the vault. Only recording asks the vault: whether an
event that comes again is the same, and whether a signature is of the event that was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from compliance.domain.canonical import digest, encode
from compliance.domain.event import Event
from compliance.domain.free_text import Corrects, Said, commitments, is_commitment, replaced
from compliance.domain.making import MAX_EVENT_BYTES, with_body
from compliance.engine.signed import signable, stood_for
from compliance.errors import Place, Problem
from compliance.intake.drafts import Draft, Rejected
from compliance.ledger.history import LogHistory
from compliance.ledger.vault import Reach
from compliance.ledger.vault.texts import Texts


class _PassedOff(Exception):
    """A text that looks like a commitment and is none of ours."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class Sealing:
    """The texts of one batch. Nothing is stored before `Vault.commit`; a check never calls that."""

    def __init__(self, way: Reach, history: LogHistory, items: Iterable[Draft | Rejected]) -> None:
        self._way = way
        self._history = history
        self._items = items
        self._ready: Texts | None = None

    @property
    def _texts(self) -> Texts:
        """The vault's texts; when they are first needed, those of the whole batch are read at once."""
        if self._ready is None:
            vault = self._way.vault
            vault.persons.refresh()
            events = (item.event for item in self._items if isinstance(item, Draft))
            vault.texts.begin(name for event in events if self.speaks(event) for name in _concerned(event))
            self._ready = vault.texts
        return self._ready

    def seal(self, draft: Draft, *, spoken_of: bool) -> Event | tuple[Problem, ...]:
        """The event as the log may hold it, or what is wrong with it; `spoken_of` where corrections of it came before it."""
        event = draft.event
        owner = owner_of(event.body)
        if spoken_of:
            self._texts.give(event.id, owner)

        def replace(said: Said) -> str:
            texts = self._texts
            if is_commitment(said.text):
                if said.quoted or texts.holds(said.subject, said.text):
                    return said.text
                raise _PassedOff(said.path)
            whose = owner if said.subject == event.id else self._owner(said.subject, owner)
            path = f"{said.path}!" if said.raw else said.path
            return texts.commit(said.subject, whose, path, said.text)

        try:
            body = replaced(event.kind, event.id, event.body, replace, self._corrects)
        except _PassedOff as found:
            return (_passed_off(draft, found.path),)
        if body is None:
            return event
        size = len(encode(body))
        if size > MAX_EVENT_BYTES:
            return (_too_large(draft, size),)
        self._texts.remember_sent(event.id, digest(event.body), signable(event.body))
        return with_body(event, body)

    def speaks(self, event: Event) -> bool:
        """Whether an event holds free text."""
        return (
            replaced(event.kind, event.id, event.body, lambda said: f"{said.text}!", self._corrects)
            is not None
        )

    def sent_as(self, before: Event, event: Event) -> bool:
        """Whether an event of the log was sent as this one is."""
        return _commits(before) and self._texts.was_sent_as(before.id, digest(event.body))

    def signing(self, event: Event) -> dict[str, str] | None:
        """What the entry of a new event says of signatures: by the digest that was signed, the digest of the same event as the log holds it.

        It is said by whichever of a signature, the event that it names and the amendments of that comes last. None where there is nothing
        to say.
        """
        if event.kind == "signature":
            return self._translated([event], event.values["target_event"]) or None
        root: Event | None = event
        seen: set[str] = set()
        while root is not None and "corrects" in root.values and root.id not in seen:
            seen.add(root.id)
            root = self._history.sent(root.values["corrects"])
        if root is None or not (_commits(event) or _commits(root)):
            return None
        signatures = list(self._history.newest_first("signature", "target_event", root.id, None, None))
        return self._translated(signatures, root.id, event) or None

    def _translated(
        self, signatures: Iterable[Event], target: str, arriving: Event | None = None
    ) -> dict[str, str]:
        found: dict[str, str] = {}
        sent = arriving if arriving is not None and arriving.id == target else self._history.sent(target)
        if sent is None or not any(
            map(_commits, (sent, *_Arriving(self._history, arriving).amendments(target)))
        ):
            return found
        for signature in signatures:
            signed = str(signature.values["target_sha256"]).lower()
            if self._texts.signs(target, signed):
                found[signed] = signable(sent.body)
                continue
            stood = stood_for(signature, sent, _Arriving(self._history, arriving))
            clear = None if stood is None or stood is sent else self.cleared(stood)
            if stood is not None and clear is not None and signable(clear) == signed:
                found[signed] = signable(stood.body)
        return found

    def cleared(self, event: Event) -> dict[str, Any] | None:
        """The body of an event of the log with its words; None where some were erased, or where there are none."""
        return cleared(self._texts, event, self._corrects)

    def _owner(self, subject: str, provisional: str) -> str:
        """Whose the texts of an event are; until it comes, those of whoever speaks of it."""
        sent = self._history.sent(subject)
        if sent is not None:
            return owner_of(sent.body)
        return self._texts.owner(subject) or provisional

    def _corrects(self, event_id: str) -> str | None:
        sent = self._history.sent(event_id)
        return None if sent is None else sent.values.get("corrects")


def cleared(texts: Texts, event: Event, corrects: Corrects, *, partly: bool = False) -> dict[str, Any] | None:
    """The body of an event of the log with the words that its commitments stand for; None where there are none, or where some cannot be read
    any more (unless `partly`: then those stay as they are)."""
    missing = False

    def replace(said: Said) -> str:
        nonlocal missing
        if not is_commitment(said.text):
            return said.text
        words = texts.clear(said.subject, said.text)
        missing |= words is None
        return said.text if words is None else words

    body = replaced(event.kind, event.id, event.body, replace, corrects)
    return None if missing and not partly else body


def owner_of(body: Mapping[str, Any]) -> str:
    """Under whose key the texts of an event lie: the patient's, or where it is about none, the actor's."""
    owner: str = body.get("patient") or body["actor"]
    return owner


def _concerned(event: Event) -> tuple[str, ...]:
    return (event.id, event.body["corrects"]) if "corrects" in event.body else (event.id,)


def _commits(event: Event) -> bool:
    """Whether the log's body of an event holds a commitment."""
    return next(commitments(event.body), None) is not None


class _Arriving:
    """The history with an amendment that is just being recorded."""

    def __init__(self, history: LogHistory, arriving: Event | None) -> None:
        self._history = history
        self._arriving = arriving
        self.newest_first = history.newest_first
        self.sent = history.sent
        self.stands = history.stands
        self.ahead = history.ahead

    def amendments(self, event_id: str) -> list[Event]:
        """See `History.amendments`."""
        found = list(self._history.amendments(event_id))
        one = self._arriving
        return [*found, one] if one is not None and one.body.get("corrects") == event_id else found


def _passed_off(draft: Draft, path: str) -> Problem:
    return Problem(
        Place(draft.source, draft.line, field=path),
        "a text that looks like a commitment of the identity vault, and is none to a text of this event",
        "Send the words themselves; recording makes the commitment.",
        "vault-text",
    )


def _too_large(draft: Draft, size: int) -> Problem:
    return Problem(
        Place(draft.source, draft.line),
        f"the event is {size} bytes long with its texts in the vault; at most {MAX_EVENT_BYTES} are taken",
        "Leave texts out, or split it into several events.",
        "too_large",
    )
