"""A report as JSON, and the JSON Schema of it (draft 2020-12), for programs. The format is versioned: a reader of version 1 reads every version 1."""

from __future__ import annotations

from typing import Any, Final

import orjson

from compliance.reports.page import VERSION, Chart, Item, Level, Report, Section, Table

SCHEMA_ID: Final = f"urn:compliance-engine:report:v{VERSION}"

_KINDS: Final = {
    "text": "words",
    "count": "a whole number",
    "quantity": "a decimal as text, whose unit stands in a column of its own",
    "instant": "RFC 3339 with the site's offset",
    "date": "such as 2026-03-05",
    "entries": "numbers of log entries with commas between them",
}


def json_form(report: Report) -> bytes:
    """The whole report as one indented object, its members in a fixed order, in UTF-8 with a line feed at the end."""
    document = {
        "version": VERSION,
        "title": report.title,
        "date": report.date,
        "sites": report.sites,
        "log": {"origin": report.origin, "size": report.size, "root": report.root},
        "policies": report.policies,
        "edition": report.edition,
        "level": report.level,
        "headline": report.headline,
        "sections": [_section(section) for section in report.sections],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _section(section: Section) -> dict[str, Any]:
    return {
        "id": section.id,
        "title": section.title,
        "level": section.level,
        "summary": section.summary,
        "items": [_item(item) for item in section.items],
        "tables": [_table(table) for table in section.tables],
        "charts": [_chart(chart) for chart in section.charts],
        "notes": section.notes,
        "verbatim": section.verbatim,
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "level": item.level,
        "title": item.title,
        "where": item.where,
        "todo": item.todo,
        "cites": item.cites,
        "rule": item.rule,
        "severity": item.severity,
        "site": item.site,
        "event": item.event,
        "at": item.at,
        "id": item.id,
        "values": dict(item.values),
        "entries": item.entries,
    }


def _table(table: Table) -> dict[str, Any]:
    keys = [column.key for column in table.columns]
    columns = [{"key": one.key, "heading": one.heading, "kind": one.kind} for one in table.columns]
    return {
        "id": table.id,
        "caption": table.caption,
        "headers": table.headers,
        "empty": table.empty,
        "columns": columns,
        "rows": [dict(zip(keys, row, strict=True)) for row in table.rows],
    }


def _chart(chart: Chart) -> dict[str, Any]:
    return {
        "id": chart.id,
        "title": chart.title,
        "table": chart.table,
        "x": chart.x,
        "series": chart.series,
        "form": chart.form,
    }


def report_schema() -> dict[str, Any]:
    """The schema of what `json_form` writes."""
    log = {
        "origin": _text("Which log it is"),
        "size": _whole("How many entries it had when the report was made"),
        "root": _text("Its root then: SHA-256 in hex (RFC 9162 2.1)", "^[0-9a-f]{64}$"),
    }
    fields = {
        "version": {"const": VERSION, "description": "The version of this format"},
        "title": _text("What kind of report it is"),
        "date": _text("The day it is about, in each site's own zone", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
        "sites": _list({"type": "string"}, "The sites that it covers"),
        "log": _object(log, "The state of the log that it was read from"),
        "policies": _text("The digest of the policies in force"),
        "edition": _whole("1, or more where the day's report was made anew", 1),
        "level": _level("How urgent its most urgent section is"),
        "headline": _text("What must be known, in one sentence"),
        "sections": _list(
            {"$ref": "#/$defs/section"}, "Its parts, the most urgent first, after that of the log"
        ),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Report",
        **_object(fields, "A report of what a log says of a day"),
        "$defs": {"section": _section_schema(), "item": _item_schema(), "table": _table_schema(), "chart": _chart_schema()},
    }  # fmt: skip


def _section_schema() -> dict[str, Any]:
    fields = {
        "id": _id("What the part is called from one report to the next"),
        "title": _text("Its heading"),
        "level": _level("How urgent the most urgent thing in it is"),
        "summary": _text("What must be known of it, in one sentence"),
        "items": _list({"$ref": "#/$defs/item"}, "What somebody must act on or look at"),
        "tables": _list({"$ref": "#/$defs/table"}, "The figures, with the entries behind them"),
        "charts": _list({"$ref": "#/$defs/chart"}, "Drawings of those tables"),
        "notes": _list({"type": "string"}, "What was not looked at and why, how a figure was made"),
        "verbatim": _text("Text to be kept as it is, in lines: a signed checkpoint; else empty"),
    }
    return _object(fields, "One part of a report")


def _item_schema() -> dict[str, Any]:
    values = {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "The values that decided it, by name",
    }
    fields = {
        "level": _level("How urgent it is"),
        "title": _text("What happened, in a sentence with its values"),
        "where": _text("Site, event and entry in words"),
        "todo": _text("Who must do what; empty where nobody must"),
        "cites": _text("Where it is written"),
        "rule": _text("The id of the rule; empty where it comes from none"),
        "severity": _text("How grave a failure of that rule is; else empty"),
        "site": _text("The site; empty where it is of none"),
        "event": _text("The id of the event that was judged; else empty"),
        "at": _text("When, in RFC 3339 with the site's offset; else empty"),
        "id": _text("The id of the finding, where it is one; else empty"),
        "values": values,
        "entries": _list({"type": "integer", "minimum": 0}, "The numbers of the log entries behind it"),
    }
    return _object(fields, "Something that somebody must act on, or look at")


def _table_schema() -> dict[str, Any]:
    kinds = "; ".join(f"{kind}: {says}" for kind, says in _KINDS.items())
    column = {
        "key": _text("Its name in every row"),
        "heading": _text("Its heading for people"),
        "kind": {"enum": list(_KINDS), "description": f"What it holds: {kinds}"},
    }
    row = {
        "type": "object",
        "additionalProperties": {"type": ["string", "integer", "null"]},
        "description": "A value for each column, by its key; null where nothing could be said",
    }
    fields = {
        "id": _id("What the table is called, as its CSV file and its sheet are"),
        "caption": _text("What is in it, in one line"),
        "headers": _whole("How many of the first columns name a row"),
        "empty": _text("What is said where it has no rows"),
        "columns": _list(_object(column, "A column"), "Its columns, in order"),
        "rows": _list(row, "Its rows, in order"),
    }
    return _object(fields, "Figures under headings")


def _chart_schema() -> dict[str, Any]:
    fields = {
        "id": _id("What the drawing is called"),
        "title": _text("What it shows"),
        "table": _text("The id of the table whose numbers it draws"),
        "x": _text("The key of the column along the horizontal axis"),
        "series": _list({"type": "string"}, "The keys of the columns whose numbers are drawn"),
        "form": {"enum": ["bars", "lines"], "description": "How they are drawn"},
    }
    return _object(fields, "A drawing of numbers that stand in a table")


def _object(fields: dict[str, Any], says: str) -> dict[str, Any]:
    return {
        "description": says,
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


def _list(items: dict[str, Any], says: str) -> dict[str, Any]:
    return {"type": "array", "items": items, "description": says}


def _text(says: str, pattern: str = "") -> dict[str, Any]:
    return {"type": "string", "description": says} | ({"pattern": pattern} if pattern else {})


def _id(says: str) -> dict[str, Any]:
    return _text(says, "^[a-z0-9][a-z0-9_-]{0,30}$")


def _whole(says: str, least: int = 0) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "description": says}


def _level(says: str) -> dict[str, Any]:
    return {"enum": [level.value for level in Level], "description": says}
