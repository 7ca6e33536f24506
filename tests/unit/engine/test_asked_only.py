"""What is only asked, not written, the reference answers alone (docs/decisions/0006)."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import lru_cache
from itertools import islice

from compliance.demo import events
from compliance.domain.event import Event
from compliance.domain.making import make_event, stamp
from compliance.engine.history import MemoryHistory
from compliance.engine.judging import Judge
from tests.rulebook import shipped


@lru_cache(maxsize=1)
def fortnight() -> MemoryHistory:
    history = MemoryHistory()
    for position, body in enumerate(islice(events(), 400)):
        event = make_event(body)
        assert isinstance(event, Event)
        history.add(stamp(event, event.occurred_at, position))
    return history


def test_it_says_what_would_be_written():
    """Of every event of a clinic's week, finding for finding; only who decided is told apart."""
    written, asked = Judge(shipped()), Judge(shipped(), written=False)
    for event in islice(fortnight(), 0, None, 5):
        one, other = (judge.judge(event, fortnight()).decision for judge in (written, asked))
        assert (one.engine, other.engine) == ("durable", "reference")
        assert replace(one, engine="") == replace(other, engine="")


def test_it_never_loads_the_rules_engine():
    """A process that only asks is spared what compiling costs."""
    code = (
        "import sys; from compliance.engine import judging; import compliance.checking, compliance.bundles; "
        "print(any(name.startswith('durable_rules') or name == 'compliance.engine.durable' for name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "False"
