"""A question as an item of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from compliance.reports.page import Item, Level

NEWEST: Final = 10
"""Entries that are named with a question, the newest: enough to begin with."""


def question(
    title: str, where: str, harmless: str, values: Mapping[str, str], entries: Iterable[int], site: str = ""
) -> Item:
    """A question with its evidence, and what may be the harmless answer. It is never more than a notice: nobody is accused by a figure."""
    return Item(
        Level.NOTICE,
        title,
        where=where,
        site=site,
        todo=f"Look through the entries and ask openly; this is a question, not a finding. It may be harmless: {harmless}.",
        values=values,
        entries=tuple(sorted(entries)[-NEWEST:]),
    )
