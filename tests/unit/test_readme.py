"""What the documentation tells people to type exists."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def application() -> click.Group:
    """The click application behind `compliance`."""
    module = importlib.import_module("cli.main")
    groups = [module.main, *vars(module).values()]
    return next(value for value in groups if isinstance(value, click.Group))


def calls(text: str) -> list[tuple[int, list[str]]]:
    """Every call of `compliance` in code blocks and code spans, as (line number, words)."""
    found = []
    fenced = False
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        if not fenced:
            spans = re.findall(r"`(compliance [^`]+)`", line)
            found += [(number, shlex.split(span.replace("'", "\\'"))) for span in spans]
            continue
        command = line
        while command.endswith("\\"):
            command = command[:-1] + next(lines, (0, ""))[1]
        for part in re.split(r"\|\|?|&&|;", command.strip().removeprefix("$ ")):
            if "compliance" not in part:
                continue
            words = shlex.split(part, comments=True)
            while words and re.match(r"[A-Z_]+=", words[0]):
                words = words[1:]
            if words and words[0].rsplit("/", 1)[-1] == "compliance":
                found.append((number, ["compliance", *words[1:]]))
    return found


def objection(command: click.Command, words: list[str]) -> str | None:
    """Why click would not take these words, or None: an unknown command, an unknown option, too many arguments."""
    context = click.Context(command, info_name=words[0])
    rest = words[1:]
    given = 0
    while rest:
        word = rest.pop(0)
        if word == "...":
            return None
        if re.match(r"(>>?|<)$", word):
            rest = rest[1:]
        elif word.startswith("-") and word != "-":
            name = word.split("=", 1)[0]
            options = {text: p for p in command.get_params(context) for text in [*p.opts, *p.secondary_opts]}
            if name not in options:
                return f"`{context.command_path}` has no option {name}"
            option = options[name]
            if (
                "=" not in word
                and not getattr(option, "is_flag", False)
                and not getattr(option, "count", False)
            ):
                rest = rest[option.nargs :]
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            if found is None:
                return f"`{context.command_path}` has no command {word!r}"
            command, context = found, click.Context(found, info_name=word, parent=context)
        else:
            given += 1
    takes = [parameter.nargs for parameter in command.params if isinstance(parameter, click.Argument)]
    if -1 not in takes and given > sum(takes):
        return f"`{context.command_path}` takes {sum(takes)} argument(s), not {given}"
    return None


def problems(page: Path, app: click.Command) -> list[str]:
    """Every call on a page that the application would not take, with its place."""
    return [
        f"{page.name}:{number}: {why} (in: {' '.join(words)})"
        for number, words in calls(page.read_text())
        if (why := objection(app, words))
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_command_and_option_in_the_documentation_exists(page):
    """A command line in README.md or docs/ names only commands and options that the application has."""
    assert problems(page, application()) == []


def test_the_readme_shows_a_first_real_use():
    """The commands of the first five minutes are there."""
    shown = {words[1] for _, words in calls((ROOT / "README.md").read_text()) if len(words) > 1}
    assert {"init", "record", "check", "events", "findings", "obligations", "log"} <= shown


@click.group()
@click.option("--database")
def toy() -> None:
    """An application of our own, so that the checker is tested without the real one."""


@toy.command()
@click.argument("file", nargs=-1)
@click.option("--output", type=click.Choice(["text", "json"]))
@click.option("--strict", is_flag=True)
def record(file, output, strict):
    """A command."""


@toy.group()
def log():
    """A group."""


@log.command()
@click.argument("entry")
@click.option("--out")
def prove(entry, out):
    """A command in a group."""


@pytest.mark.parametrize(
    "line",
    [
        "compliance record a.json b.json",
        "$ compliance --database sqlite:///x.db record --strict --output json - | less",
        "COMPLIANCE_ACTOR=A1 .venv/bin/compliance log prove 7 --out=proof.txt && echo done",
        "compliance log prove \\\n  7 --out proof.txt   # the seventh entry",
        "compliance record --output json day.ndjson > verdicts.ndjson",
        "echo record | wc",
    ],
)
def test_the_checker_takes_what_click_takes(tmp_path, line):
    """Pipes, comments, redirections, variables and continued lines are read as a shell reads them."""
    page = tmp_path / "page.md"
    page.write_text(f"Words\n\n```sh\n{line}\n```\n")
    assert problems(page, toy) == []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("```sh\ncompliance launch\n```", "page.md:2: `compliance` has no command 'launch'"),
        (
            "a\n```\nls\ncompliance record --dry-run x\n```",
            "page.md:4: `compliance record` has no option --dry-run",
        ),
        ("```\ncompliance log verify\n```", "page.md:2: `compliance log` has no command 'verify'"),
        (
            "```\ncompliance log prove 7 8\n```",
            "page.md:2: `compliance log prove` takes 1 argument(s), not 2",
        ),
        ("```\nls | compliance recrod -\n```", "page.md:2: `compliance` has no command 'recrod'"),
        ("Use `compliance undo` then.", "page.md:1: `compliance` has no command 'undo'"),
    ],
)
def test_the_checker_refuses_what_does_not_exist(tmp_path, text, where):
    """A page that names a command, option or argument that does not exist fails, with file and line."""
    page = tmp_path / "page.md"
    page.write_text(text)
    (problem,) = problems(page, toy)
    assert problem.startswith(where)
