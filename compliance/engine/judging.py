"""One event judged: bind, evaluate twice, decide (engine.md, "How a decision is made").

`Judge` holds a bundle, prepared for both evaluators. `Judge.judge` is a pure function of the event and of what it sees in the
history: the same case gives the same decision, byte for byte, whenever it is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from compliance.domain.canonical import digest
from compliance.domain.corrections import takes_effect
from compliance.domain.event import Event
from compliance.domain.findings import Decision, Finding, Outcome, Severity, Verdict
from compliance.domain.lookup import EVERY, ID
from compliance.domain.time import local_date
from compliance.domain.values import UNKNOWN
from compliance.engine.binding import find, search_key
from compliance.engine.clause import Clause
from compliance.engine.history import History, SearchKey
from compliance.engine.overrides import FAULT, lifted
from compliance.engine.plan import Planner, RulePlan
from compliance.engine.reference import (
    WARM,
    OutcomeOf,
    OutcomesOf,
    compile_clauses,
    interpret_clause,
    interpret_clauses,
)
from compliance.engine.sight import FOREVER, Asked, Sight
from compliance.engine.signed import matches_target
from compliance.engine.wording import because
from compliance.errors import EngineFault
from compliance.policy.model import Bundle, Expression, Rule

if TYPE_CHECKING:  # durable_rules is loaded where a decision is made by it: what is only asked never needs it
    from compliance.engine.durable import DurableRules
    from compliance.engine.parted import PartedRules

ENGINE: Final = "durable"
SECOND: Final = "reference"
"""Who made a decision: what is written is decided by durable_rules and held against the reference; what is only asked, by the reference."""


@dataclass(frozen=True, slots=True)
class Case:
    """All that a decision depends on: the event, the bound facts, the parameters in force, the clock, the site's zone."""

    event: Event
    scope: Mapping[str, Any]
    rules: tuple[RulePlan, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision, the case it was made on, and the keys that were asked on the way. `faults` tells of evaluators at odds."""

    decision: Decision
    case: Case
    outcomes: Mapping[str, Outcome]
    asked: tuple[Asked, ...]
    faults: tuple[str, ...]


def unknown_zone(_event: Event) -> Any:
    """The zone of a site that has no profile: nobody can say."""
    return UNKNOWN


@dataclass(frozen=True, slots=True)
class Law:
    """What is in force for a kind of event on a local date at a site: rules, their parameters, and a digest of both."""

    rules: tuple[RulePlan, ...]
    parameters: Mapping[str, Mapping[str, Any]]
    digest: str


class Evaluators(NamedTuple):
    """Both evaluators of the rules of a kind; in place of one that cannot be made, its fault: what is registered is never given back.
    There is no first one where only the second is asked."""

    rules: tuple[str, ...]
    durable: PartedRules | EngineFault | None
    reference: OutcomesOf


class Judge:
    """A bundle made ready to judge events.

    `written` says whether its decisions are written: both evaluators make those. What is only asked (``compliance check``) the reference
    answers alone, since compiling a kind's rules for durable_rules takes longer than all else together (engine.md, "Evaluators").
    """

    def __init__(
        self,
        bundle: Bundle,
        zone_without_profile: Callable[[Event], Any] = unknown_zone,
        *,
        written: bool = True,
    ) -> None:
        self.bundle = bundle
        self._zone_without_profile = zone_without_profile
        self._written = written
        self.planner = Planner(bundle)
        self._evaluators: dict[str, Evaluators] = {}
        self._times: dict[str, int] = {}
        self._blank: dict[str, dict[str, Any]] = {}
        self._parameters = lru_cache(maxsize=4096)(self._parameters_on)
        self._alone = lru_cache(maxsize=None)(self._made_alone)
        self._in_force = lru_cache(maxsize=4096)(self._law_on)

    def judge(self, event: Event, history: History) -> Judgement:
        """Decide one event on what it sees of the history."""
        sight = Sight(history, event)
        case = self.bind(event, sight)
        outcomes, faults = self._evaluate(case)
        findings = tuple(self._findings(case, outcomes, faults))
        findings = lifted(findings, event, sight, self.bundle)
        engine = ENGINE if self._written else SECOND
        decision = Decision(verdict(event, findings), findings, self.bundle.digest, case.digest, engine)
        asked = tuple(Asked(kind, field, value, until) for (kind, field, value), until in sight.asked.items())
        return Judgement(decision, case, outcomes, asked, tuple(faults.values()))

    def findings(self, event: Event, history: History) -> tuple[Finding, ...]:
        """What `judge` objects to, without the values that decided it: for whoever compares many decisions and words none."""
        sight = Sight(history, event)
        scope, _, law = self._bound(event, sight)
        case = Case(event, scope, law.rules, "")
        outcomes, faults = self._evaluate(case)
        return lifted(tuple(self._findings(case, outcomes, faults, told=False)), event, sight, self.bundle)

    def bind(self, event: Event, sight: Sight) -> Case:
        """The case of an event: what its applicable rules ask for. A look-up that only a rule that does not apply needs is not made."""
        scope, facts, law = self._bound(event, sight)
        return Case(event, scope, law.rules, _case_digest(scope, facts, law))

    def _bound(self, event: Event, sight: Sight) -> tuple[dict[str, Any], dict[str, Any], Law]:
        zone = self.zone(event, sight) if self.planner.judged(event.kind) else UNKNOWN
        day = self.day(event, zone)
        law = self._in_force(event.kind, day, self._own_site(event))
        scope = self._scope(event, zone, day, law.parameters, sight)
        facts: dict[str, Any] = {}
        for plan in law.rules:
            self.bind_rule(plan, scope, sight, facts)
        return scope, facts, law

    def zone(self, event: Event, sight: Sight) -> Any:
        """The zone of the event's site, or UNKNOWN."""
        zone = _site_zone(event, sight)
        return self._zone_without_profile(event) if zone is UNKNOWN else zone

    def day(self, event: Event, zone: Any) -> int:
        """The local date by which rules and parameters apply; the date in UTC where the zone is unknown."""
        return local_date(event.occurred_at, zone if isinstance(zone, str) else "UTC")

    def bind_alone(self, plan: RulePlan, event: Event, sight: Sight) -> dict[str, Any] | None:
        """The scope of one rule's case, or None where the rule is not in force."""
        scope = self.scope_alone(plan.rule, event, sight)
        if scope is not None:
            scope.update(dict.fromkeys(plan.needs, UNKNOWN))
            self.bind_rule(plan, scope, sight, {})
        return scope

    def scope_alone(self, rule: Rule, event: Event, sight: Sight) -> dict[str, Any] | None:
        """The same before anything is looked up."""
        zone = self.zone(event, sight)
        day = self.day(event, zone)
        if not rule.in_force.holds(day):
            return None
        parameters = {rule.id: self._parameters(rule.id, day, self._own_site(event))}
        return self._scope(event, zone, day, parameters, sight)

    def keys_ahead(self, plan: RulePlan, event: Event, sight: Sight) -> Iterator[SearchKey]:
        """The look-up keys that one rule will ask for an event, as far as that can be said before anything is looked up."""
        scope = self.scope_alone(plan.rule, event, sight)
        if scope is None:
            return
        scope |= dict.fromkeys(plan.needs, UNKNOWN)
        closings = () if plan.rule.expect is None else plan.rule.expect.closings()
        asked = [
            *(self.planner.lookups[needed].keys for needed in plan.needs),
            *(self.planner.closing_keys(closing, plan) for closing in closings),
        ]
        for kinds in asked:
            for kind, keys in kinds.items():
                field, value = search_key(keys, scope)
                if field not in (EVERY, ID):
                    yield kind, field, value

    def judge_alone(
        self, rule: Rule, event: Event, sight: Sight, *, told: Container[Outcome] = tuple(Outcome)
    ) -> tuple[Outcome, Mapping[str, str]]:
        """What one rule says of an event, by both evaluators; what other rules say is not asked.

        With the values that decided it, where the outcome is one of those that are to be `told`. Raises EngineFault where the evaluators differ.
        """
        plan = self.planner.plan(rule)
        scope = self.bind_alone(plan, event, sight)
        if scope is None or plan.clause is None:
            return Outcome.NOT_APPLICABLE, {}
        first, second = self._alone(rule.id)
        outcome = second(scope)
        if first.evaluate(scope) != [outcome]:
            raise EngineFault(
                f"the evaluators differ on rule {rule.id}: the reference says {outcome}",
                "Report this as a fault of the software.",
            )
        return outcome, self.because(plan, scope) if outcome in told else {}

    def outcome_alone(self, rule: Rule, event: Event, sight: Sight) -> Outcome:
        """The same outcome by the second evaluator alone: for looking back along a row of which the end was judged by both."""
        plan = self.planner.plan(rule)
        scope = self.bind_alone(plan, event, sight)
        return (
            Outcome.NOT_APPLICABLE if scope is None or plan.clause is None else self._alone(rule.id)[1](scope)
        )

    def _made_alone(self, rule_id: str) -> tuple[DurableRules, OutcomeOf]:
        clause = self.planner.plan(self.bundle.rule(rule_id)).clause
        assert clause is not None  # only asked for rules that are judged on events
        from compliance.engine.durable import DurableRules  # noqa: PLC0415 - see above

        tables = self.bundle.tables
        return DurableRules(f"{self.bundle.digest}:{rule_id}", [clause], tables), interpret_clause(
            clause, tables
        )

    def _scope(
        self, event: Event, zone: Any, day: int, parameters: Mapping[str, Mapping[str, Any]], sight: Sight
    ) -> dict[str, Any]:
        blank = self._blank.get(event.kind)
        if blank is None:
            every = self.planner.judged(event.kind)
            blank = self._blank[event.kind] = dict.fromkeys(
                (f for plan in every for f in plan.needs), UNKNOWN
            )
        values = event.values
        if event.kind in ("correction", "void"):
            values = {**values, "effective": _effective(event, sight)}
        elif event.kind == "signature":
            matches = matches_target(event, sight)
            values = values if matches is None else {**values, "matches_target": matches}
        clock = {"now": event.noted_at, "zone": zone, "day": day}
        return {**blank, "event": values, "param": parameters, **clock}

    def bind_rule(self, plan: RulePlan, scope: dict[str, Any], sight: Sight, facts: dict[str, Any]) -> None:
        """Make the look-ups of one rule, those of `when` first; the others only where it may apply."""
        lookups = self.planner.lookups
        for lookup_id in plan.when_needs:
            if lookup_id not in facts:
                facts[lookup_id] = scope[lookup_id] = find(lookups[lookup_id], scope, sight)
        if plan.needs == plan.when_needs or (plan.when is not None and plan.when(scope) is False):
            return
        for lookup_id in plan.needs:
            if lookup_id not in facts:
                facts[lookup_id] = scope[lookup_id] = find(lookups[lookup_id], scope, sight)

    def _own_site(self, event: Event) -> str:
        """The event's site where it has values of its own; all others are under one law."""
        site: str = event.values["site"]
        return site if site in self.bundle.sites else ""

    def _law_on(self, kind: str, day: int, site: str) -> Law:
        rules = tuple(plan for plan in self.planner.judged(kind) if plan.rule.in_force.holds(day))
        parameters = {plan.rule.id: self._parameters(plan.rule.id, day, site) for plan in rules}
        named = orjson.dumps(
            [[rule_id, values] for rule_id, values in parameters.items()], option=orjson.OPT_SORT_KEYS
        )
        return Law(rules, parameters, sha256(named).hexdigest())

    def _parameters_on(self, rule_id: str, day: int, site: str) -> dict[str, Any]:
        return self.bundle.parameters(self.bundle.rule(rule_id), day, site)

    def _evaluate(self, case: Case) -> tuple[dict[str, Outcome], dict[str, str]]:
        """Every rule's outcome by both evaluators; where they differ, the rule is undecided and a fault is told."""
        if not case.rules:
            return {}, {}
        in_force = case.scope["param"]
        rules, durable, reference = self._compiled(case.event.kind)
        seconds = reference(case.scope)
        outcomes = {rule: outcome for rule, outcome in zip(rules, seconds, strict=True) if rule in in_force}
        if durable is None:
            return outcomes, {}
        try:
            if isinstance(durable, EngineFault):
                raise durable
            firsts = durable.evaluate(case.scope)
        except EngineFault as fault:
            return dict.fromkeys(outcomes, Outcome.INDETERMINATE), dict.fromkeys(outcomes, fault.message)
        if firsts == seconds:
            return outcomes, {}
        faults = {
            rule: f"durable says {first}, reference says {second}"
            for rule, first, second in zip(rules, firsts, seconds, strict=True)
            if first is not second and rule in in_force
        }
        return {**outcomes, **dict.fromkeys(faults, Outcome.INDETERMINATE)}, faults

    def _compiled(self, kind: str) -> Evaluators:
        """Both evaluators of a kind's rules.

        The reference is interpreted until a kind has been judged a few times, and compiled from then on (`reference.WARM`).
        """
        self._times[kind] = times = self._times.get(kind, 0) + 1
        made = self._evaluators.get(kind)
        if made is not None and times != WARM:
            return made
        clauses = [plan.clause for plan in self.planner.judged(kind) if plan.clause is not None]
        tables = self.bundle.tables
        durable = self._first(kind, clauses) if made is None else made.durable
        second = interpret_clauses if times < WARM else compile_clauses
        rules = tuple(clause.rule for clause in clauses)
        made = self._evaluators[kind] = Evaluators(rules, durable, second(clauses, tables))
        return made

    def _first(self, kind: str, clauses: list[Clause]) -> PartedRules | EngineFault | None:
        if not self._written:
            return None
        from compliance.engine.parted import PartedRules  # noqa: PLC0415 - see above

        try:
            return PartedRules(f"{self.bundle.digest}:{kind}", clauses, self.bundle.tables)
        except EngineFault as fault:
            return fault

    def _findings(
        self, case: Case, outcomes: Mapping[str, Outcome], faults: Mapping[str, str], *, told: bool = True
    ) -> Iterator[Finding]:
        for plan in case.rules:
            outcome = outcomes[plan.rule.id]
            if plan.rule.id in faults:
                yield Finding(plan.rule.id, outcome, Severity.DENY, {FAULT: faults[plan.rule.id]})
            elif outcome in (Outcome.FAIL, Outcome.INDETERMINATE):
                decided_by = self.because(plan, case.scope) if told else {}
                yield Finding(plan.rule.id, outcome, plan.rule.severity, decided_by)

    def because(self, plan: RulePlan, scope: Mapping[str, Any]) -> dict[str, str]:
        """The values that decided a rule, in words."""

        def evaluate(expression: Expression) -> Any:
            value_of = self.planner.compiled(expression, plan)
            return UNKNOWN if value_of is None else value_of(scope)

        return because(plan, scope, evaluate)


def _site_zone(event: Event, sight: Sight) -> Any:
    """The zone of the site's profile in force at the event, else of the earliest known, else UNKNOWN."""
    if event.kind == "site_profile":
        return event.values["time_zone"]
    site, history = event.values["site"], sight.history
    for profile in history.newest_first("site_profile", "site", site, event.occurred_at, None):
        # A later profile changes nothing then; otherwise each new one would judge the whole past of its site again.
        sight.ask("site_profile", "site", site, event.occurred_at)
        return profile.values["time_zone"]
    sight.ask("site_profile", "site", site, FOREVER)
    earliest: Any = UNKNOWN
    for profile in history.newest_first("site_profile", "site", site, None, None):
        earliest = profile.values["time_zone"]
    return earliest


def _effective(amendment: Event, sight: Sight) -> bool:
    """Whether a correction or void changes what it names; whatever else amends that may change the answer."""
    target = amendment.values["corrects"]
    for kind in ("correction", "void"):
        sight.ask(kind, "corrects", target, FOREVER)
    return takes_effect(amendment, sight.history.sent(target), sight.history.amendments)


def _case_digest(scope: Mapping[str, Any], facts: Mapping[str, Any], law: Law) -> str:
    zone = None if scope["zone"] is UNKNOWN else scope["zone"]
    # In the order in which they were looked for, which event and bundle decide; the ids of look-ups depend on what a process judged before.
    bound = [None if value is None else {} if value is UNKNOWN else {"is": value} for value in facts.values()]
    body = {"event": scope["event"], "now": scope["now"], "zone": zone, "facts": bound, "law": law.digest}
    return "sha256:" + sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def verdict(event: Event, findings: tuple[Finding, ...]) -> Verdict:
    """The decision that findings amount to (engine.md, step 4)."""
    denied = any(f.severity is Severity.DENY and not f.overridden_by for f in findings)
    if event.proposed:
        return (
            Verdict.DENIED if denied else Verdict.PERMITTED_WITH_WARNINGS if findings else Verdict.PERMITTED
        )
    return Verdict.VIOLATION if denied else Verdict.FLAGGED if findings else Verdict.COMPLIANT


def voided(bundle: Bundle) -> Decision:
    """The decision on an event that was declared not to have happened."""
    return Decision(Verdict.VOIDED, (), bundle.digest, digest({"void": True}), ENGINE)
