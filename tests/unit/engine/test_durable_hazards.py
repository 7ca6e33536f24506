"""What durable_rules 2.0.28 does when it is left to itself (engine.md, "Using durable_rules 2.0.28 safely").

Each test shows one sharp edge in the bare C module, in a process of its own, since some of them crash or never end. Together with
test_durable.py they say why each guard in engine/durable.py is there; one that fails after an upgrade shows that a guard may go.

That joins of two facts read on behind their conditions is not shown: whether the process dies of it depends on what lies there, and on some
machines it lives on. test_durable.py holds that no rule is ever compiled to a join.
"""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent

import pytest

from compliance.engine import durable

PRELUDE = """
import json
import durable_rules_engine as engine

def ruleset(*rules):
    return engine.create_ruleset("bare", json.dumps({
        str(n): {"all": [{"m": rule}]} if isinstance(rule, dict) else {"all": rule} for n, rule in enumerate(rules)
    }))

def fired(handle, fact, most=50, put=engine.assert_fact):
    code, state = put(handle, json.dumps({"id": 1, **fact}))
    names = []
    if code == 0:
        message = engine.start_action_for_state(handle, state)[1]
        while message and len(names) < most:
            names.append(int(message[2:message.index('"', 2)]))
            message = engine.complete_and_start_action(handle, state)
    return sorted(names)
"""


def bare(code: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    """Runs code beside the prelude; what it prints last is its answer."""
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + dedent(code)],
        capture_output=True,
        text=True,
        timeout=timeout,
        # Fresh memory is filled with rubbish, so that reading what was never written shows every time.
        env={**os.environ, "MALLOC_PERTURB_": "165"},
    )


def answer(code: str) -> object:
    done = bare(code)
    assert done.returncode == 0, done.stderr
    return eval(done.stdout)


def test_a_missing_right_side_makes_every_comparison_true():
    """Without a presence guard a comparison with a missing field fires, whichever way it points."""
    rules = """
        a, b = {"$m": "b"}, {"$m": "b"}
        handle = ruleset(*({"$and": [{"k": 1}, *guard, {op: {"a": {"$m": "b"}}}]}
                           for guard in ([], [{"$ex": {"b": 1}}]) for op in ("$lt", "$gte")))
        print(fired(handle, {"k": 1, "a": 5}))
    """
    assert answer(rules) == [0, 1]


def test_a_missing_left_side_never_fires():
    """A comparison whose left field is missing never fires, not even an inequality; so no presence need be asked for it."""
    ops = '("$lt", "$lte", "$gt", "$gte", "$neq", "$eq")'
    rules = f"""
        handle = ruleset(*({{"$and": [{{"k": 1}}, {{op: {{"a": 5}}}}]}} for op in {ops}),
                         *({{"$and": [{{"k": 1}}, {{op: {{"a": {{"$m": "b"}}}}}}]}} for op in {ops}))
        print(fired(handle, {{"k": 1, "b": 5}}))
    """
    assert answer(rules) == []


def test_null_counts_as_present():
    """`$ex` holds for null; so a missing field is left out of the fact, never written as null."""
    assert answer('print(fired(ruleset({"$and": [{"k": 1}, {"$ex": {"a": 1}}]}), {"k": 1, "a": None}))') == [
        0
    ]


def test_events_are_consumed_by_the_first_rule():
    """An event that two rules match fires one of them; a fact fires both."""
    code = """
        rules = ({"$and": [{"k": 1}, {"$gt": {"a": 1}}]}, {"$and": [{"k": 1}, {"$gt": {"a": 2}}]})
        print(fired(ruleset(*rules), {"k": 1, "a": 5}, put=engine.assert_event), fired(ruleset(*rules), {"k": 1, "a": 5}))
    """
    done = bare(code)
    assert done.stdout.split() == ["[0]", "[0,", "1]"]


def test_a_condition_of_absence_alone_matches_the_engines_own_message():
    """A rule made of `$nex` alone also fires on the engine's state message (with the package's host, for ever)."""
    code = """
        handle = ruleset({"$nex": {"a": 1}})
        print(fired(handle, {"b": 1}))
    """
    assert answer(code) == [0, 0]


def test_or_fires_once_per_true_branch():
    """`$or` fires as often as it has true branches."""
    code = """
        print(fired(ruleset({"$and": [{"k": 1}, {"$or": [{"$gt": {"a": 1}}, {"$gt": {"a": 2}}]}]}), {"k": 1, "a": 5}))
    """
    assert len(answer(code)) != 1


def test_a_fan_out_above_64_fails():
    """One fact that more than 64 conditions match at once is refused with code 303."""
    done = bare(
        'print(fired(ruleset(*({"$and": [{"k": 1}, {"$gt": {"a": n}}]} for n in range(66))), {"k": 1, "a": 99}))'
    )
    assert "303" in done.stderr


def test_a_fact_of_255_fields_is_refused():
    """A fact may have fewer than 255 fields, the engine's own included."""
    done = bare('print(fired(ruleset({"k": 1}), {"k": 1, **{f"a{n}": n for n in range(255)}}))')
    assert "302" in done.stderr


def test_integers_overflow():
    """Sums wrap around at 2^63: the smaller becomes the larger."""
    code = """
        handle = ruleset({"$and": [{"k": 1}, {"$ex": {"b": 1}}, {"$gt": {"a": {"$add": {"$l": {"$m": "b"}, "$r": 10}}}}]})
        print(fired(handle, {"k": 1, "a": 0, "b": 2**63 - 5}))
    """
    assert answer(code) == [0]


def test_division_by_zero_kills_the_process():
    """`$div` by a field that is zero is a signal, not an error."""
    code = """
        handle = ruleset({"$and": [{"k": 1}, {"$gt": {"a": {"$div": {"$l": 1, "$r": {"$m": "b"}}}}}]})
        print(fired(handle, {"k": 1, "a": 0, "b": 0}))
    """
    assert bare(code).returncode < 0


def test_arithmetic_of_constants_is_wrong():
    """2 + 3 is not 5."""
    code = """
        handle = ruleset({"$and": [{"k": 1}, {"$gt": {"a": {"$add": {"$l": 2, "$r": 3}}}}]})
        print([a for a in (1, 4, 5, 6, 100) if fired(handle, {"k": 1, "a": a, "id": a})])
    """
    done = bare(code)
    assert done.returncode != 0 or eval(done.stdout) != [6, 100]


@pytest.mark.parametrize(
    "condition, fact",
    [
        ({"$gt": {"a": 5}}, {"a": "abc"}),
        ({"a": True}, {"a": 1}),
        ({"a": 1}, {"a": True}),
    ],
)
def test_types_are_not_checked(condition, fact):
    """Text compares with numbers, and 1 with true, without complaint."""
    assert answer(f'print(fired(ruleset({{"$and": [{{"k": 1}}, {condition}]}}), {{"k": 1, **{fact}}}))') == [
        0
    ]


def test_text_is_ordered_by_the_bytes_of_its_json():
    """The quote that ends a text takes part in its order: "a" sorts behind "a!", and a quote within is a backslash."""
    code = """
        handle = ruleset({"$and": [{"k": 1}, {"$ex": {"b": 1}}, {"$gt": {"a": {"$m": "b"}}}]})
        print(fired(handle, {"k": 1, "a": "a", "b": "a!"}))
    """
    assert answer(code) == [0]


def test_lengths_of_text_wrap_at_16_bits():
    """A text of 65,537 characters equals the text of its first character."""
    code = """
        print(fired(ruleset({"$and": [{"k": 1}, {"a": "x"}]}), {"k": 1, "a": "x" + 65536 * "y"}))
    """
    assert answer(code) == [0]


def test_text_is_compared_as_it_is_escaped():
    """The same text written with and without an escape sequence is not equal."""
    code = r"""
        handle = ruleset({"$and": [{"k": 1}, {"a": "\u00e9"}]})
        escaped = engine.assert_fact(handle, '{"id": 1, "k": 1, "a": "\\u00e9"}')
        plain = engine.assert_fact(handle, '{"id": 2, "k": 1, "a": "\u00e9"}')
        print(escaped[0], plain[0])
    """
    assert bare(code).stdout.split() == ["0", "1"]


def test_an_action_that_is_not_completed_silences_the_ruleset():
    """After a firing that was started and never completed, nothing fires for half a minute, and nobody is told."""
    code = """
        handle = ruleset({"$and": [{"k": 1}, {"$gt": {"a": 1}}]})
        code, state = engine.assert_fact(handle, '{"k": 1, "a": 5, "id": 1}')
        engine.start_action_for_state(handle, state)
        code, state = engine.assert_fact(handle, '{"k": 1, "a": 5, "id": 2}')
        print((code, engine.start_action_for_state(handle, state)))
    """
    assert answer(code) == (0, None)


def test_a_fact_that_is_not_retracted_stays():
    """Facts are kept until they are retracted; the same id again is an error code, not a firing."""
    code = """
        handle = ruleset({"$and": [{"k": 1}, {"$gt": {"a": 1}}]})
        fact = '{"k": 1, "a": 5, "id": 1}'
        first, again = engine.assert_fact(handle, fact), engine.assert_fact(handle, fact)
        kept = engine.get_facts(handle, "0")
        engine.retract_fact(handle, fact)
        print((first[0], again[0], len(json.loads(kept)), len(json.loads(engine.get_facts(handle, "0")))))
    """
    first, again, kept, left = answer(code)
    assert first == 0 and again not in (0, 1) and kept == 1 and left == 0


def test_there_are_few_sids():
    """A sid per case is kept for ever, and at the 1,025th the engine gives up."""
    code = """
        handle = ruleset({"$and": [{"k": 1}, {"$gt": {"a": 1}}]})
        try:
            for n in range(1100):
                fact = json.dumps({"k": 1, "a": 5, "id": n, "sid": f"s{n}"})
                engine.assert_fact(handle, fact), engine.retract_fact(handle, fact)
        except MemoryError:
            print(n)
    """
    assert answer(code) == 1024


def test_deleting_a_state_where_nothing_fired_crashes():
    """`delete_state` frees a pointer that was never set where nothing has fired for that sid."""
    code = """
        handle = ruleset({"$and": [{"k": 1}, {"$gt": {"a": 10}}]})
        engine.assert_fact(handle, '{"k": 1, "a": 5, "id": 1}')
        engine.delete_state(handle, "0")
    """
    assert bare(code).returncode < 0


def test_names_of_fields_do_not_collide():
    """The engine knows a field by a 32-bit FNV-1a hash of its name: of ours, and its own, no two have the same."""

    def fnv(name: str) -> int:
        value = 2166136261
        for byte in name.encode():
            value = (value ^ byte) * 16777619 % 2**32
        return value

    names = [*(durable.field_name(n) for n in range(20_000)), "k", "id", "sid", "$s", "$forward", "m"]
    assert len({fnv(name) for name in names}) == len(names)
