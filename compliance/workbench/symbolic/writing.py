"""A solver's model as a case: events that can be sent, and read (policy-language.md, `cases`).

Only what an expression named is written; the rest is left out, as in any case (`compliance.policy.fill`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import z3

from compliance.domain.quantity import format_decimal
from compliance.domain.time import DAY, HOUR, format_date, format_instant
from compliance.domain.values import SCALE
from compliance.domain.vocabulary import KINDS, FieldSpec
from compliance.errors import Place
from compliance.policy.model import Case
from compliance.workbench.symbolic.events import EventVariable, Field
from compliance.workbench.symbolic.values import Group, Lines, Sym
from compliance.workbench.symbolic.world import World

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_HALF_AN_HOUR = 30 * _MINUTE
"""An offset that names no zone: the site of such a case has none (`engine.cases.own_offset`)."""


class Writing:
    """One model, read."""

    def __init__(self, world: World, model: Any) -> None:
        self._world = world
        self._model = model
        self._fresh: dict[int, str] = {}

    def case(self, *, with_now: bool) -> Case:
        """The case: the past in its order, the judged event, and for duties and nights the instant as of which."""
        past: list[tuple[tuple[int, int, int], EventVariable]] = []
        for events in self._world.past.values():
            past += [(self._order(event), event) for event in events if self.holds(event.there)]
        history: list[Mapping[str, Any]] = []
        for _, event in sorted(past, key=lambda one: one[0]):
            for copy in range(self.number(event.copies)):
                body = self.event(event)
                history.append(
                    body
                    if copy == 0 or "id" not in body
                    else {name: value for name, value in body.items() if name != "id"}
                )
        now = format_instant(self.number(self._world.as_of)) if with_now else None
        return Case("", tuple(history), self.event(self._world.judged), "", now, Place("<solver>"))

    def _order(self, event: EventVariable) -> tuple[int, int, int]:
        return self.number(event.occurred), self.number(event.noted), -self.number(event.place)

    def event(self, event: EventVariable) -> dict[str, Any]:
        """An event as JSON."""
        at = format_instant(self.number(event.occurred))
        if not self.holds(self._world.zone.known):
            at = f"{format_instant(self.number(event.occurred) + _HALF_AN_HOUR)[:-1]}+00:30"
        body: dict[str, Any] = {"kind": event.kind, "occurred_at": at}
        body.update(self._fields(KINDS[event.kind].fields, event.fields))
        if event.kind == "site_profile":
            body.setdefault("time_zone", "UTC")  # the concrete world's clock
        return body

    def _fields(self, specs: Mapping[str, FieldSpec], made: Mapping[str, Field]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in specs:
            field = made.get(name)
            if field is not None and not field.spec.derived and self.holds(field.there):
                found[name] = self._value(field.spec, field.value, made, name)
        return found

    def _value(self, spec: FieldSpec, value: Any, made: Mapping[str, Field], path: str) -> Any:
        if isinstance(value, Lines):
            assert spec.element is not None  # every list has one
            return [self._item(spec.element, item, made) for there, item in value.items if self.holds(there)]
        if isinstance(value, Group):
            prefix = f"{path}."
            below = {
                name.removeprefix(prefix): field for name, field in made.items() if name.startswith(prefix)
            }
            return self._fields(spec.fields or {}, below)
        if spec.type == "boolean":
            return self.holds(value)
        return self._scalar(spec, self.number(value))

    def _item(self, spec: FieldSpec, item: Sym, made: Mapping[str, Field]) -> Any:
        if isinstance(item.value, Group):
            prefix = item.value.name.partition(".")[2] + "."
            below = {
                name.removeprefix(prefix): field for name, field in made.items() if name.startswith(prefix)
            }
            return self._fields(spec.fields or {}, below)
        return self._value(spec, item.value, made, "")

    def _scalar(self, spec: FieldSpec, number: int) -> Any:
        match spec.type:
            case "integer":
                return number // SCALE
            case "decimal":
                return format_decimal(number)
            case "instant":
                return format_instant(number)
            case "date":
                return format_date(number)
            case "duration":
                return _duration(number)
            case _:
                return self._text(spec, number)

    def _text(self, spec: FieldSpec, code: int) -> str:
        """A known word, or one of its own for every other number."""
        word = self._world.texts.word(code)
        if word is None:
            word = self._fresh.setdefault(code, f"X-{len(self._fresh) + 1}")
        return word if word or spec.type == "enum" else "X-0"

    # ---- the model

    def holds(self, formula: Any) -> bool:
        """Whether a condition holds in the model."""
        if isinstance(formula, bool):
            return formula
        return bool(z3.is_true(self._model.eval(formula, model_completion=True)))

    def number(self, term: Any) -> int:
        """The number that a term has in the model."""
        if isinstance(term, int):
            return term
        found: int = self._model.eval(term, model_completion=True).as_long()
        return found


def _duration(microseconds: int) -> str:
    """A duration as a field holds it: ``1h30m``."""
    days, rest = divmod(microseconds, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (rest // _SECOND, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"
