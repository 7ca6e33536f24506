"""When an Observation was made."""

from __future__ import annotations

from compliance.intake.fhir.sketch import Sketch


def when(sketch: Sketch) -> None:
    """Set `occurred_at` from ``effective[x]``. Of a period it is the end: only then was the reading known, and a reading that
    ended after a dose was not taken before it. A day, or a schedule, is no instant."""
    resource = sketch.resource
    if "effectiveTiming" in resource:
        sketch.wrong("effectiveTiming", "a schedule and not a moment", "Send effectiveDateTime.")
    elif "effectivePeriod" in resource:
        sketch.put("occurred_at", resource["effectivePeriod"].get("end"), "effectivePeriod.end")
        return
    elif "effectiveInstant" in resource:
        sketch.put("occurred_at", resource["effectiveInstant"], "effectiveInstant")
        return
    sketch.put("occurred_at", resource.get("effectiveDateTime"), "effectiveDateTime")
