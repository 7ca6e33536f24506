"""Asking a person at a terminal, field by field: prompts on standard error, so that standard output holds data only.

A line is read as the terminal gives it. Empty leaves an optional field out (or takes the default, where one is shown), ``-`` leaves it out
even so, ``?`` says more, ``=`` before an answer takes the rest as it stands. Ctrl-C and Ctrl-D leave.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import click

from compliance.errors import InputError

from . import output
from .types import now

if TYPE_CHECKING:
    from compliance.domain.reading import Unreadable
    from compliance.domain.vocabulary import FieldSpec

NOTHING_WRITTEN: Final = "Nothing was written."
LEFT_OUT: Final = "-"

_HOW: Final = {
    "instant": "10:32 (today at the site), 2026-03-02 10:32, now, -5m, or RFC 3339 with an offset",
    "date": "2026-03-02, today, yesterday or tomorrow",
    "decimal": "digits with a point, such as 28.5; nothing is rounded",
    "integer": "a whole number",
    "boolean": "y or n",
    "id": "A-Z a-z 0-9 . _ : - only, at most 64 characters; an id, never a name",
    "text": "text of at most 4000 characters",
    "enum": "the number, the word, or its first letters",
}


def may_ask() -> bool:
    """Whether a person is there to be asked; standard output may go elsewhere."""
    return sys.stdin.isatty() and sys.stderr.isatty()


@contextmanager
def leaving(so_far: Callable[[], str] = lambda: NOTHING_WRITTEN) -> Iterator[None]:
    """Around questions: who leaves with Ctrl-C or Ctrl-D is told what became of what was entered `so_far`.

    Ctrl-C ends the call as it always does; for Ctrl-D raises InputError.
    """
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\n{so_far()}", err=True)
        raise
    except EOFError:
        click.echo(err=True)
        raise InputError("the input ended where an answer was expected", so_far()) from None


def ask(
    spec: FieldSpec,
    *,
    zone: str,
    default: Any = None,
    offered: Sequence[str] = (),
    notes: Mapping[str, str] = MappingProxyType({}),
    scan: Callable[[str], Any] | None = None,
) -> Any:
    """Ask for one field until the answer is one: the JSON value for an event's body, or None where an optional field is left out.

    `zone` is the site's IANA zone, `default` the JSON value that an empty answer means, `offered` values that may be taken by number,
    `notes` what is known of them. `scan` takes what looks like a scanned symbol: it gives the field's value, or raises `Unreadable`.
    Raises EOFError and KeyboardInterrupt where the person leaves (see `leaving`).
    """
    if spec.element is not None:
        return _asked_list(spec, spec.element, zone, default)
    if spec.fields is not None:
        return _asked_record(spec, spec.fields, zone, default)
    return _asked_value(spec, zone, default, offered, notes, scan)


def confirmed(question: str, *, default: bool) -> bool:
    """Ask yes or no; an empty answer is the default."""
    from compliance.intake.answers import NO, YES

    while True:
        answer = line(f"{question} [{'Y/n' if default else 'y/N'}] ").strip().casefold()
        if not answer:
            return default
        if answer in YES or answer in NO:
            return answer in YES
        say("Write y or n.", 2)


def chosen(
    question: str, choices: Sequence[str], notes: Mapping[str, str] = MappingProxyType({})
) -> str | None:
    """Ask for one of several by number, word or first letters; ? lists them with their `notes`; None for an empty answer."""
    from compliance.domain.reading import Unreadable
    from compliance.intake.answers import one_of

    while True:
        answer = line(f"{question}: ").strip()
        if not answer:
            return None
        if answer == "?":
            tell_choices(choices, notes)
            continue
        try:
            return one_of(choices, answer, "these")
        except Unreadable as wrong:
            objected(wrong)


def line(prompt: str) -> str:
    """One line that a person typed, without its end. Raises EOFError at the input's end.

    The terminal's own line editing is all there is: a line editor of ours would take a scanner's separator (Ctrl-]) for a command.
    """
    sys.stdout.flush()
    while True:
        click.echo(prompt, err=True, nl=False)
        try:
            typed = sys.stdin.readline()
        except UnicodeDecodeError:
            say("That is no UTF-8 text; write it again.", 2)
            continue
        if not typed:
            raise EOFError
        return typed.removesuffix("\n")


def say(text: str, indent: int = 0, hanging: int = 0) -> None:
    """Words for the person, broken to the terminal's width."""
    click.echo(output.paragraph(text, indent, hanging, fitting=_width()), err=True)


def objected(wrong: Unreadable) -> None:
    """Why an answer is none."""
    say(f"{wrong.message}; {wrong.remedy}" if wrong.remedy else wrong.message, 2)


def tell_choices(choices: Sequence[str], notes: Mapping[str, str] = MappingProxyType({})) -> None:
    """A numbered list, in as many columns as fit; with `notes` on them, one to a line."""
    if any(notes.get(choice) for choice in choices):
        wide = max(map(len, choices))
        for number, choice in enumerate(choices, 1):
            text = f"{number:>3}  {choice.ljust(wide)}  {notes.get(choice, '')}".rstrip()
            say(text, hanging=7)
        return
    cells = [f"{number:>3}  {choice}" for number, choice in enumerate(choices, 1)]
    widest = max(map(len, cells), default=0) + 2
    columns = max(1, _width() // widest)
    rows = -(-len(cells) // columns)
    for row in range(rows):
        click.echo("".join(cell.ljust(widest) for cell in cells[row::rows]).rstrip(), err=True)


def _width() -> int:
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return min(columns or 80, output.WIDEST)


def _asked_value(
    spec: FieldSpec,
    zone: str,
    default: Any,
    offered: Sequence[str],
    notes: Mapping[str, str],
    scan: Callable[[str], Any] | None,
) -> Any:
    from compliance.domain.reading import Unreadable
    from compliance.intake.answers import choices_of, shown

    choices = choices_of(spec)
    _head(spec)
    tell_choices(choices or offered, notes)
    standing = "" if default is None else f" [{shown(spec, default, zone)}]"
    while True:
        answer = line(f"{spec.name}{standing}: ").strip(" \t\r\n")
        if not answer and default is not None:
            return default
        if answer in ("", LEFT_OUT):
            if not spec.required:
                return None
            say(f"{spec.name} cannot be left out; ? says more", 2)
            continue
        if answer == "?":
            _explain(spec, choices, offered)
            continue
        try:
            value = _value(spec, answer, zone, offered, scan)
        except Unreadable as wrong:
            objected(wrong)
            continue
        if str(value) != answer:
            say(f"= {shown(spec, value, zone)}", 2)
        return value


def _value(
    spec: FieldSpec, answer: str, zone: str, offered: Sequence[str], scan: Callable[[str], Any] | None
) -> Any:
    """The JSON value of an answer. Raises `Unreadable`."""
    from compliance.intake.answers import read_answer
    from compliance.intake.scan import looks_scanned

    if scan is not None and looks_scanned(answer):
        return scan(answer)
    return read_answer(spec, _meant(answer, offered), zone_name=zone, now=now())


def _meant(answer: str, offered: Sequence[str]) -> str:
    """The offered value that a number names, else the answer itself."""
    if answer.startswith("="):
        return answer[1:]
    if answer in offered or not (answer.isascii() and answer.isdigit() and len(answer) < 4):
        return answer
    return offered[int(answer) - 1] if 1 <= int(answer) <= len(offered) else answer


def _head(spec: FieldSpec) -> None:
    optional = "" if spec.required else " (may be left out)"
    click.echo(err=True)
    say(f"{_said(spec)}{optional}")


def _said(spec: FieldSpec) -> str:
    """What a field says, and in which unit, where the unit is not a field of its own."""
    from compliance.domain.quantity import with_unit

    unit = with_unit("", spec.unit).strip()
    return f"{spec.says}, in {unit}" if unit else spec.says


def _explain(spec: FieldSpec, choices: Sequence[str], offered: Sequence[str]) -> None:
    how = _HOW["enum" if choices else spec.type]
    say(f"{spec.name}: {_said(spec)}. Write {how}.", 2)
    if offered:
        say("A number takes one of those offered; =2 means the text 2 itself.", 2)
        tell_choices(offered)
    tell_choices(choices)
    say("Empty leaves it out." if not spec.required else "It cannot be left out.", 2)
    say("Ctrl-C leaves.", 2)


def _asked_list(spec: FieldSpec, element: FieldSpec, zone: str, default: Any) -> list[Any] | None:
    """The items one by one, an empty answer after the last. A required list may be empty."""
    from compliance.intake.answers import choices_of, shown

    _head(spec)
    tell_choices(choices_of(element))
    if default is not None and confirmed(f"{spec.name}: {shown(spec, default, zone)}?", default=True):
        return list(default)
    items: list[Any] = []
    while True:
        name = f"{spec.name} {len(items) + 1}"
        if element.fields is not None:
            if not confirmed(f"{name}: is there one?", default=not items):
                break
            items.append(_parts(name, element.fields, zone))
            continue
        item = _asked_item(replace(element, name=name, says=spec.says, required=False), zone)
        if item is None:
            break
        items.append(item)
    return items if items or spec.required else None


def _asked_item(spec: FieldSpec, zone: str) -> Any:
    """One item of a list, whose heading and choices were shown."""
    from compliance.domain.reading import Unreadable
    from compliance.intake.answers import choices_of, read_answer

    while True:
        answer = line(f"{spec.name} (empty ends): ").strip()
        if not answer:
            return None
        if answer == "?":
            _explain(spec, choices_of(spec), ())
            continue
        try:
            return read_answer(spec, answer.removeprefix("="), zone_name=zone, now=now())
        except Unreadable as wrong:
            objected(wrong)


def _asked_record(spec: FieldSpec, fields: Any, zone: str, default: Any) -> dict[str, Any] | None:
    from compliance.intake.answers import shown

    _head(spec)
    if default is not None and confirmed(f"{spec.name}: {shown(spec, default, zone)}?", default=True):
        return dict(default)
    if not spec.required and not confirmed(f"{spec.name}: fill it in?", default=False):
        return None
    return _parts(spec.name, fields, zone)


def _parts(name: str, fields: Any, zone: str) -> dict[str, Any]:
    found = {field: ask(replace(inner, name=f"{name}.{field}"), zone=zone) for field, inner in fields.items()}
    return {field: value for field, value in found.items() if value is not None}
