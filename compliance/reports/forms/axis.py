"""The numbers beside a chart, on paper and on a screen alike."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal


def ticks(low: Decimal, high: Decimal, *, whole: bool) -> tuple[Decimal, ...]:
    """At most six round numbers, 1, 2 or 5 times a power of ten apart, from below `low` to above `high`; nought is one of them, so that heights
    compare as numbers do."""
    low, high = min(low, Decimal(0)), max(high, Decimal(0))
    rough = (high - low) / 4 or Decimal("0.25")
    power = Decimal(1).scaleb(rough.adjusted())
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= rough).normalize()
    step = max(step, Decimal(1)) if whole else step
    first = int((low / step).to_integral_value(ROUND_FLOOR))
    last = max(int((high / step).to_integral_value(ROUND_CEILING)), first + 1)
    return tuple(step * number for number in range(first, last + 1))
