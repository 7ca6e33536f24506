"""A report with everything that a report can hold, for tests of its forms; its texts try to break out of whatever they stand in."""

from __future__ import annotations

from compliance.reports.page import Chart, Column, Item, Level, Report, Section, Table

NASTY = """</script><script>alert('x')</script> & "quotes" <b>bold</b> \u202e \u00e9\u4f60"""
FORMULAS = ("=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0")

CHECKPOINT = "clinic.example/log\n1636\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u2014 clinic.example/log Az3grlgtzPICa5OS8npVmf1Myq\n"

STOCK = Table(
    id="stock-lots",
    caption="Stock by lot on 2026-03-05",
    columns=(
        Column("site", "Site"), Column("drug", "Drug"), Column("lot", "Lot"), Column("opening", "Opening", "quantity"),
        Column("out", "Out", "quantity"), Column("difference", "Difference", "quantity"), Column("entries", "Entries", "entries"),
    ),
    rows=(
        ("SITE-A", "ketamine_50", "K-1", "1000", "12.5", "-2", "12, 15, 18"),
        ("SITE-A", NASTY, FORMULAS[0], "0", None, "0", ""),
        ("SITE-B", "esketamine_28", "E-7", "40", "6", "0", "99"),
    ),
    headers=3,
)  # fmt: skip
WEEKS = Table(
    id="trend-sessions",
    caption="Sessions by week",
    columns=(
        Column("week", "Week from", "date"),
        Column("sessions", "Sessions", "count"),
        Column("flagged", "Flagged", "count"),
    ),
    rows=tuple((f"2026-0{1 + n // 4}-{1 + 7 * (n % 4):02}", 20 + 3 * n % 11, n % 4) for n in range(12)),
)
EMPTY = Table("late-entries", "Entries that came late", (Column("event", "Event"),), (), "no entry came late")

SAMPLE = Report(
    title="Nightly report",
    date="2026-03-05",
    sites=("SITE-A", "SITE-B"),
    origin="clinic.example/log",
    size=1636,
    root="0a" * 32,
    edition=1,
    policies="sha256:" + "ab" * 32,
    level=Level.ALARM,
    headline="2 new violations, 1 duty overdue, stock differs in 1 lot; the log is whole",
    sections=(
        Section("log", "The log", Level.GOOD, "The log is whole: 1,636 entries.", verbatim=CHECKPOINT),
        Section(
            "violations", "New violations", Level.ALARM, "2 new findings, of which 1 denies.",
            items=(
                Item(
                    Level.ALARM, "Left 1h 40m after the last device, before the two hours were over.", "discharge 12ab, SITE-A, entry 812",
                    "Have the prescriber call the patient today.", "SPRAVATO REMS, Monitoring (read 2026-11-22)", "rems-monitor-2h", "deny",
                    "SITE-A", "12ab", "2026-03-05T11:40:00-06:00", "f00d", {"left": "1h 40m", "asked": "2h"}, (812, 790),
                ),
                Item(Level.NOTICE, NASTY, NASTY, NASTY, NASTY, "some-rule", "report", "SITE-B", "34cd", "2026-03-05T12:00:00-07:00", "beef", {"x": NASTY}),
            ),
        ),
        Section("stock", "Stock", Level.ACTION, "Stock differs from the count in 1 lot.", tables=(STOCK,), notes=("Overfill is not stock.",)),
        Section(
            "trends", "Trends over 90 days", Level.NOTICE, "Sessions are steady.", tables=(WEEKS,),
            charts=(Chart("sessions", "Sessions by week", "trend-sessions", "week", ("sessions", "flagged")),),
        ),
        Section("late", "Late entries", Level.GOOD, "Nothing came late.", tables=(EMPTY,)),
    ),
)  # fmt: skip
