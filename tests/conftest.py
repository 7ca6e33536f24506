"""How the whole suite runs."""

from __future__ import annotations

import os

from hypothesis import settings

# No deadline: two cores shared with other tests say nothing about the code. `make soak` looks harder.
settings.register_profile("default", deadline=None)
settings.register_profile("soak", deadline=None, max_examples=20_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
