"""The values that rules are judged on: plain, exact, hashable.

========== =========================================== ==============================
type       engine value                                example
========== =========================================== ==============================
number     ``int`` scaled by 10^6 (integers too)       28 mg -> 28_000_000
instant    ``int`` microseconds since 1970-01-01 UTC
duration   ``int`` microseconds
date       ``int`` proleptic Gregorian ordinal         ``date.toordinal()``
text, id,  ``str``
enum
boolean    ``bool``
list       ``tuple``
record     ``dict`` of field name to value (absent where missing)
========== =========================================== ==============================

A missing field is *absent* from its dict. `UNKNOWN` is the third truth value and the value of every expression
that needs something missing; it is never stored.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

SCALE: Final = 1_000_000
"""Decimals are exact integers in millionths (engine.md, "Exactness")."""

Scalar: TypeAlias = str | int | bool
Value: TypeAlias = Scalar | tuple[Any, ...] | dict[str, Any]


class Unknown:
    """The one value `UNKNOWN`: not true, not false, for want of data."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("UNKNOWN is neither true nor false; compare with `is`")


UNKNOWN: Final = Unknown()
