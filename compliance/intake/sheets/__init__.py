"""Tables of events, one kind each: CSV and XLSX in, empty tables out.

A file becomes rows of cells (`csv_rows`, `xlsx_rows`), its headings become columns that say fields (`columns`), a row becomes the JSON of an event
(`values`, `moments`), and that becomes an event as every other input does (`table`). Reading is forgiving about how a table looks, and refuses
what could be read in two ways: docs/tables.md.
"""
