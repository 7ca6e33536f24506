"""Reports of any content, for properties of forms: few sections and rows, but any text."""

from __future__ import annotations

from hypothesis import strategies as st

from compliance.reports.page import Chart, Column, Item, Kind, Level, Report, Section, Table
from tests.reports.sample import FORMULAS, NASTY

HOSTILE = (
    NASTY, *FORMULAS, "\uff1d1+1", "\u202eabc", "a\r\nb", "a\u200bb", "\x00\x1b[31mred", "_x003D_1", "\ufffe", "e\u0301", "x" * 120, "-" * 90, "<para>", "&amp;",
    "#N/A", "TRUE", "1e5", "''", '","', "\N{WAVING WHITE FLAG}\ufe0f\u200d", "\u05d0\u05d1 \u0627", "",
)  # fmt: skip
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=12)
IDS = st.sampled_from(
    ["a", "stock", "stock-lots", "late_entries", "x9", "report", "items", "history", "s" * 31]
)
LEVELS = st.sampled_from(Level)
KINDS: st.SearchStrategy[Kind] = st.sampled_from(["text", "count", "quantity", "instant", "date", "entries"])
QUANTITIES = st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str)
WHOLE = st.integers(-(2**63), 2**63)
CELLS = (
    st.none() | TEXTS | WHOLE | QUANTITIES | st.sampled_from(["-0", "0.1", "12.50", "1e400", "9" * 40, "NaN"])
)
ITEMS = st.builds(
    Item, LEVELS, TEXTS, where=TEXTS, todo=TEXTS, cites=TEXTS, rule=TEXTS, severity=TEXTS, site=TEXTS, event=TEXTS, at=TEXTS, id=TEXTS,
    values=st.dictionaries(TEXTS, TEXTS, max_size=2), entries=st.lists(st.integers(0, 10**9), max_size=2).map(tuple),
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn, table_id: str) -> Table:
    """A table of at most four columns and three rows."""
    keys = draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
    columns = tuple(Column(key, draw(TEXTS), draw(KINDS)) for key in keys)
    rows = draw(st.lists(st.tuples(*[CELLS] * len(columns)), max_size=3))
    return Table(table_id, draw(TEXTS), columns, tuple(rows), draw(TEXTS))


@st.composite
def charts(draw: st.DrawFn, table: Table) -> Chart:
    """A chart of some columns of a table."""
    key = st.sampled_from([column.key for column in table.columns])
    series = tuple(draw(st.lists(key, min_size=1, max_size=3)))
    return Chart(
        draw(IDS), draw(TEXTS), table.id, draw(key), series, draw(st.sampled_from(["bars", "lines"]))
    )


@st.composite
def sections(draw: st.DrawFn, section_id: str) -> Section:
    """A section with everything that one can hold."""
    its_tables = tuple(
        draw(tables(name)) for name in (section_id, f"{section_id[:29]}-2")[: draw(st.integers(0, 2))]
    )
    its_charts = tuple(draw(charts(table)) for table in its_tables)
    items, notes = draw(st.lists(ITEMS, max_size=2)), draw(st.lists(TEXTS, max_size=2))
    return Section(
        section_id, draw(TEXTS), draw(LEVELS), draw(TEXTS), tuple(items), its_tables, its_charts, tuple(notes), draw(TEXTS)
    )  # fmt: skip


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """A report of at most three sections."""
    ids = draw(st.lists(IDS, max_size=3, unique=True))
    date, sites = draw(st.dates()).isoformat(), tuple(draw(st.lists(TEXTS, max_size=4)))
    return Report(
        draw(TEXTS), date, sites, draw(TEXTS), draw(st.integers(0, 10**9)), "0f" * 32, draw(st.integers(1, 9)), draw(TEXTS), draw(LEVELS),
        draw(TEXTS), tuple(draw(sections(name)) for name in ids),
    )  # fmt: skip
