"""What a policy file says, after reading and type-checking: rules, parameters, facts, duties, cases, the bundle.

Frozen values only; `documents.py` makes them from parsed documents, the engine compiles and runs them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from compliance.domain.codes import Codes
from compliance.domain.findings import Severity
from compliance.domain.values import Value
from compliance.errors import Place
from compliance.policy.expression.tree import Node, Type


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression as written and as typed."""

    text: str
    node: Node
    place: Place


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a rule is written: the source, the place in it, and when it was last read (ISO date)."""

    source: str
    at: str = ""
    read: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """Dates in force as proleptic ordinals: `start` inclusive, `end` exclusive or None."""

    start: int
    end: int | None = None

    def holds(self, day: int) -> bool:
        """Whether `day` (an ordinal, in the site's zone) lies in the period."""
        return self.start <= day and (self.end is None or day < self.end)


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """One value of a parameter from a date on, with its source."""

    start: int
    value: Value
    cites: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number (or list, text, duration) that law or site policy may change; `values` in ascending order of date.

    `tighten` is the direction in which a site may go from the value of a day; `limit`, where there is one, how far it may go in
    the other: the default is stricter than the law, and the clinic may choose.
    """

    name: str
    type: Type
    tighten: Literal["up", "down", "fixed"]
    values: tuple[ParameterValue, ...]
    limit: Value | None = None

    def at(self, day: int) -> Value | None:
        """The value in force on a local date (ordinal), or None before the first."""
        found: Value | None = None
        for value in self.values:
            if value.start <= day:
                found = value.value
        return found


@dataclass(frozen=True, slots=True)
class SiteValue:
    """A site's own value of a parameter from a date on (`end` exclusive, None for no end), with where the clinic decided it."""

    start: int
    end: int | None
    value: Value
    cites: str


SiteParameters: TypeAlias = Mapping[str, Mapping[str, tuple[SiteValue, ...]]]
"""A site's values: rule id, then parameter, then its values in ascending order of date."""


Quantifier: TypeAlias = Literal[
    "latest", "earliest", "any", "none", "count", "sum", "uncovered", "largest_gap", "balance"
]


@dataclass(frozen=True, slots=True)
class Given:
    """A fact from the history, see policy-language.md, "Facts".

    `by` are the shared keys; `where` may name ``it``, ``event`` and earlier givens; `within` and `after` are windows before
    and behind the judged event (durations in microseconds when evaluated); `present` is whether the present state of each key is
    looked at first (kinds with a key; `states: all` opts out); `include_self` whether the judged event itself counts.
    """

    name: str
    quantifier: Quantifier
    kinds: tuple[str, ...]
    field: str | None
    by: tuple[str, ...]
    where: Expression | None
    within: Expression | None
    after: Expression | None
    present: bool
    include_self: bool
    place: Place
    span_from: Expression | None = None
    span_to: Expression | None = None
    for_each: Expression | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """What closes a duty: an event of one of `kinds` that shares `by` and meets `where`, counted `at`, no later than `due`."""

    kinds: tuple[str, ...]
    by: tuple[str, ...]
    where: Expression | None
    at: Expression | None
    due: Expression
    place: Place


@dataclass(frozen=True, slots=True)
class Expect:
    """A closing, or any of / all of several."""

    form: Literal["event", "any_of", "all_of"]
    closing: Closing | None = None
    parts: tuple[Expect, ...] = ()

    def closings(self) -> Iterator[Closing]:
        """Every closing in it."""
        if self.closing is not None:
            yield self.closing
        for part in self.parts:
            yield from part.closings()


@dataclass(frozen=True, slots=True)
class Subjects:
    """Whom a standing rule looks at: one subject for each continuing thing of `kind` (its present state; each event, where the kind has no
    key), or, with `by`, one for each distinct combination of those fields (the newest of these); only those that meet `where`."""

    kind: str
    by: tuple[str, ...]
    where: Expression | None


@dataclass(frozen=True, slots=True)
class Message:
    """A text with holes: constant pieces and expressions in turn."""

    parts: tuple[str | Expression, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """An example of a rule: history, event, and the outcome expected (pass, fail, indeterminate, not_applicable; for a deadline
    rule also open, met, met_late, missed, cancelled). `now` is an RFC 3339 instant for deadlines."""

    name: str
    history: tuple[Mapping[str, Any], ...]
    event: Mapping[str, Any]
    expect: str
    now: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of one file. Exactly one of `require` and `expect` is set; a standing rule has `each` and is judged on no event (`on` is empty)."""

    id: str
    title: str
    implements: tuple[str, ...]
    cites: tuple[Citation, ...]
    in_force: Period
    owner: str
    review_by: str
    parameters: tuple[Parameter, ...]
    on: tuple[str, ...]
    given: tuple[Given, ...]
    when: Expression | None
    require: Expression | None
    expect: Expect | None
    per: tuple[str, ...]
    each: Subjects | None
    severity: Severity
    override: Literal["never", "with_reason", "two_person"]
    message: Message
    remedy: Message
    cases: tuple[Case, ...]
    place: Place

    def cited(self) -> str:
        """Its citations on one line."""
        return "; ".join(f"{cite.source}, {cite.at}" if cite.at else cite.source for cite in self.cites)

    def closings(self) -> Iterator[Closing]:
        """What closes the rule's duty, each by itself; nothing, where it opens none."""
        if self.expect is not None:
            yield from self.expect.closings()

    def expressions(self) -> Iterator[Expression]:
        """Every expression that decides how the rule comes out: those of facts, of closings, of subjects, then `when` and `require`."""
        for given in self.given:
            parts = (given.where, given.within, given.after, given.span_from, given.span_to, given.for_each)
            yield from (one for one in parts if one is not None)
        for closing in self.closings():
            yield from (one for one in (closing.where, closing.at, closing.due) if one is not None)
        if self.each is not None and self.each.where is not None:
            yield self.each.where
        yield from (one for one in (self.when, self.require) if one is not None)


@dataclass(frozen=True, slots=True)
class SoftwareProperty:
    """What this software does of itself to keep a requirement, and the tests that prove it (``file::test``)."""

    says: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a rule may say it keeps: its id, how soon it mattered (`tier` 1: from the first day), and in which `form` it is kept
    (rule, deadline, standing, system, attestation)."""

    id: str
    tier: int
    form: str
    area: str
    title: str
    properties: tuple[SoftwareProperty, ...] = ()


@dataclass(frozen=True, slots=True)
class Tables:
    """Tables of the bundle that functions read: drug list rows by code, federal holidays (ordinals), state rows, what a role may do.

    All values are engine values. `states` maps a state to its rows in ascending order of the date (ordinal) from which each holds, with the value
    of each rule's name; `state_defaults` is the federal floor.
    """

    drugs: Mapping[str, Mapping[str, Value]]
    holidays: frozenset[int]
    states: Mapping[str, tuple[tuple[int, Mapping[str, Value]], ...]]
    state_defaults: Mapping[str, Value]
    permissions: Mapping[str, frozenset[str]]


@runtime_checkable
class RulesOnDemand(Protocol):
    """Rules that are typed when they are asked for (a stored bundle's)."""

    def named(self, rule_id: str) -> Rule: ...  # noqa: D102 - see Bundle.rule
    def judging(self, kind: str) -> Iterator[Rule]: ...  # noqa: D102 - see Bundle.judging
    def duties(self) -> Iterator[Rule]: ...  # noqa: D102 - see Bundle.duties
    def standing(self) -> Iterator[Rule]: ...  # noqa: D102 - see Bundle.standing


@dataclass(frozen=True, slots=True)
class Bundle:
    """All policy files of a folder plus bundle.yaml. `digest` is ``sha256:<hex>`` over the canonical JSON of `documents`
    with the versions of vocabulary and language, so comments and layout change nothing."""

    name: str
    version: str
    digest: str
    rules: Sequence[Rule]
    tables: Tables
    documents: Mapping[str, Any] = field(repr=False)
    """``{"bundle": {...}, "rules": {"rule-id": {...}}, "sites": {"site": {...}}, "places": {"rule-id": {"file":..., "line":...}}}``, plain JSON; `places` is not part of the digest."""
    sites: Mapping[str, SiteParameters] = field(default_factory=dict)
    """What single sites ask beyond the library, by site."""
    codes: Codes = field(default_factory=Codes)
    """What the systems of all sites call things."""

    def parameters(self, rule: Rule, day: int, site: str) -> dict[str, Value]:
        """A rule's parameters in force on a local date (ordinal) at a site: the site's own value where it has one."""
        own = self.sites.get(site, {}).get(rule.id, {})
        found: dict[str, Value] = {}
        for parameter in rule.parameters:
            value = parameter.at(day)
            for mine in own.get(parameter.name, ()):
                if mine.start <= day and (mine.end is None or day < mine.end):
                    value = mine.value
            if value is not None:
                found[parameter.name] = value
        return found

    def rule(self, rule_id: str) -> Rule:
        """The rule with this id; KeyError where there is none."""
        if isinstance(self.rules, RulesOnDemand):
            return self.rules.named(rule_id)
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)

    def judging(self, kind: str) -> tuple[Rule, ...]:
        """The rules on events of a kind, duties among them, in the order of their ids; of a stored bundle no others are typed."""
        if isinstance(self.rules, RulesOnDemand):
            return tuple(self.rules.judging(kind))
        return tuple(rule for rule in self.rules if kind in rule.on or "any" in rule.on)

    def duties(self) -> tuple[Rule, ...]:
        """The rules that open duties, in the order of their ids; of a stored bundle no others are typed."""
        if isinstance(self.rules, RulesOnDemand):
            return tuple(self.rules.duties())
        return tuple(rule for rule in self.rules if rule.expect is not None)

    def standing(self) -> tuple[Rule, ...]:
        """The rules that are judged every night, in the order of their ids; of a stored bundle no others are typed."""
        if isinstance(self.rules, RulesOnDemand):
            return tuple(self.rules.standing())
        return tuple(rule for rule in self.rules if rule.each is not None)
