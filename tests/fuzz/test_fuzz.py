"""No bytes make a reader raise, hang or fill memory: at random in every run, and led by which lines they reach in long ones."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import SEEDS, TARGETS

RUN = Path(__file__).with_name("run.py")
SECONDS = int(os.environ.get("FUZZ_SECONDS", "60"))


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_answered(name):
    """What fuzzing begins with is no fault itself."""
    for seed in SEEDS[name]:
        TARGETS[name](seed)


@st.composite
def spoilt(draw, name):
    """A seed with some of its bytes changed, taken out, or doubled."""
    content = bytearray(draw(st.sampled_from(SEEDS[name])))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        length = draw(st.integers(0, 12))
        content[at : at + length] = draw(
            st.one_of(
                st.binary(max_size=8),
                st.sampled_from(
                    [b'"', b"<", b"&a;", b"\0", b"99999999", b",,", b"\n", content[at : at + 40]]
                ),
            )
        )
    return bytes(content)


@pytest.mark.parametrize("name", TARGETS)
def test_spoilt_input_is_answered(name):
    """Every answer is an event, or a problem with words for people."""

    @settings(max_examples=40)
    @given(st.one_of(spoilt(name), st.binary(max_size=200)))
    def answered(content):
        TARGETS[name](content)

    answered()


@pytest.mark.soak
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed")
@pytest.mark.parametrize("name", TARGETS)
def test_no_input_that_reaches_new_lines_breaks_a_reader(name, tmp_path):
    """Atheris looks for one, for a minute or FUZZ_SECONDS."""
    run = subprocess.run(
        [sys.executable, str(RUN), name, str(SECONDS)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=SECONDS + 120,
    )
    assert run.returncode == 0, run.stderr[-4000:]
