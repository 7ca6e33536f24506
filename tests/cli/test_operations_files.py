"""The ready files of docs/operations: what they call exists, with the options that they give it, and works as they say."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path

import click
import pytest

from cli.main import application

FOLDER = Path(__file__).parents[2] / "docs" / "operations"


def cron_lines() -> list[tuple[list[str], str]]:
    """The five times and the command of each line of the cron files."""
    lines = [line for file in sorted(FOLDER.glob("*.cron")) for line in file.read_text().splitlines()]
    found = [line for line in lines if line and not line.startswith("#") and not re.match(r"[A-Z_]+=", line)]
    return [(line.split()[:5], " ".join(line.split()[6:])) for line in found]


def unit(name: str) -> configparser.ConfigParser:
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[assignment, method-assign]
    read.read_string((FOLDER / name).read_text())
    return read


def calls() -> list[list[str]]:
    """Every call of `compliance` in them, in words."""
    commands = [command for _, command in cron_lines()] + [
        unit(file.name)["Service"]["ExecStart"] for file in sorted(FOLDER.glob("*.service"))
    ]
    parts = [part for command in commands for part in re.split(r"&&|>>|\|", command)]
    return [shlex.split(part)[1:] for part in parts if part.split()[0] == "compliance"]


def documented() -> list[list[str]]:
    """The calls of `compliance` in the text on watching, in words."""
    lines = (FOLDER / "watching.md").read_text().splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("compliance ")]


def parsed(words: list[str]) -> click.Context:
    """A call, read by the command that it names; raises click.UsageError where an option is none of its."""
    command: click.Command = application
    context = click.Context(application)
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None and name is not None
        command, context = found, click.Context(found, context, info_name=name)
    command.parse_args(context, list(words))
    return context


@pytest.mark.parametrize("words", calls(), ids=" ".join)
def test_every_call_names_real_options(words: list[str]) -> None:
    context = parsed(words)
    assert context.info_name in ("nightly", "record")
    assert str(context.params["folder"]).startswith("/")


def test_a_wrong_option_would_be_found() -> None:
    with pytest.raises(click.UsageError):
        parsed([*calls()[0], "--no-such-option"])


def test_there_is_a_call_in_each_file() -> None:
    assert len(calls()) == 6


@pytest.mark.parametrize("words", documented(), ids=" ".join)
def test_every_call_of_the_text_names_real_options(words: list[str]) -> None:
    context = parsed(words)
    assert (context.info_name, context.params["files"]) == ("record", ())


def test_a_watcher_may_write_where_it_reads_and_is_given_time_to_stop() -> None:
    service = unit("compliance-watch.service")["Service"]
    watched = parsed(shlex.split(service["ExecStart"])[1:]).params["folder"]
    assert str(watched).startswith(service["ReadWritePaths"] + "/")
    assert service["Restart"] == "on-failure"  # a stop is exit code 0
    assert service["RestartPreventExitStatus"] == "2 3"  # a wrong call, a damaged log: a person must look
    assert int(service["TimeoutStopSec"]) >= 60


def test_times_can_be_read() -> None:
    """Minute and hour within their bounds; systemd's calendar as it is written."""
    for times, _ in cron_lines():
        assert times[0] == "*/10" or 0 <= int(times[0]) < 60
        assert times[1] == "*" or 0 <= int(times[1]) < 24
        assert times[2:] == ["*", "*", "*"]
    assert re.fullmatch(r"\*-\*-\* \d\d:\d\d:\d\d", unit("compliance-nightly.timer")["Timer"]["OnCalendar"])
    assert unit("compliance-nightly.service")["Service"]["SuccessExitStatus"] == "1"
