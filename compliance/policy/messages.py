"""Messages and remedies: text with holes, ``Left {discharge.occurred_at - dose.completed_at} after the last device``.

``{{`` and ``}}`` stand for the braces themselves. Each hole is an expression that is typed like every other.
"""

from __future__ import annotations

from compliance.policy.expression import Names
from compliance.policy.expression.tree import Span
from compliance.policy.fields import Fields
from compliance.policy.model import Expression, Message


def read_message(fields: Fields, name: str, names: Names, remedy: str) -> Message:
    """The message in a field; problems are noted."""
    text = fields.text(name, remedy)
    parts: list[str | Expression] = []
    words = ""
    i = 0
    while i < len(text):
        if text[i : i + 2] in ("{{", "}}"):
            words += text[i]
            i += 2
        elif text[i] == "{":
            end = _end_of_hole(text, i + 1)
            if end is None:
                remedy = "close the hole with }, or write {{ for the brace itself"
                fields.reading.wrong(fields.at(name), "this { is not closed", remedy, span=Span(i, len(text)))
                return Message((text,), text)
            hole = fields.reading.expression(fields.at(name), names, None, text[i + 1 : end], offset=i + 1)
            if hole is not None:
                parts.extend((words, hole) if words else (hole,))
                words = ""
            i = end + 1
        elif text[i] == "}":
            here = Span(i, i + 1)
            fields.reading.wrong(
                fields.at(name), "this } closes nothing", "write }} for the brace itself", span=here
            )
            return Message((text,), text)
        else:
            words += text[i]
            i += 1
    if words:
        parts.append(words)
    return Message(tuple(parts), text)


def _end_of_hole(text: str, start: int) -> int | None:
    """Where the hole that begins at `start` ends; a brace in quotes does not end it."""
    quote = ""
    for i in range(start, len(text)):
        if quote:
            quote = "" if text[i] == quote else quote
        elif text[i] in "'\"":
            quote = text[i]
        elif text[i] == "}":
            return i
    return None
