"""The frame of the application: help, options, logs, failures."""

from __future__ import annotations

import json
import sys
from subprocess import run

import click
import pytest

from cli import failures
from cli.main import application
from compliance.errors import ComplianceError
from tests.cli.conftest import DAY, ROOT, SITE, lines


def commands(group: click.Group = application, path: tuple[str, ...] = ()):
    """Every command and group with the words that call it."""
    context = click.Context(group, info_name="compliance")
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


EVERY = dict(commands())


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_has_help_with_an_example(clinic, path):
    """--help says what the command does and shows how it is called."""
    result = clinic.run(*path, "--help")
    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert f"compliance {path[0]}" in result.stdout or f" {' '.join(path)}" in result.stdout
    assert EVERY[path].help
    assert "--output" in result.stdout


@pytest.mark.parametrize(
    "path", [p for p, c in EVERY.items() if not isinstance(c, click.Group)], ids=" ".join
)
def test_every_example_is_a_call_that_exists(path):
    """The words of an example name the command that it stands under."""
    for example in EVERY[path].examples:
        assert " ".join(path) in example.replace("--database clinic.db ", "").replace("compliance ", ""), (
            example
        )


def test_the_commands_of_this_version():
    """What can be called, in the order in which help lists it."""
    assert [" ".join(path) for path in EVERY] == [
        "demo", "init", "record", "check", "events", "events add", "events show", "events list", "events correct", "events void",
        "session", "override", "person", "person init", "person add", "person import", "person show", "person list", "person erase",
        "findings", "findings list", "findings show", "findings assign", "findings resolve", "findings reopen",
        "obligations", "inventory", "report", "report nightly", "report binder", "export", "log", "log show", "log verify", "log checkpoint", "log cosign", "log timestamp",
            "log timestamp request", "log timestamp verify", "log prove", "log check-proof", "log export", "log rotate-key",
        "policy", "policy new", "policy check", "policy fmt", "policy test", "policy coverage", "policy lint", "policy diff",
            "policy impact", "policy activate", "policy show", "policy explain",
        "schema", "schema event", "schema policy", "schema bundle", "schema requirements", "schema site", "schema cases",
            "schema report",
        "db", "db status", "db upgrade", "db roles", "db backup", "db rebuild", "db restore",
    ]  # fmt: skip


def test_common_options_stand_before_or_after_the_command(day):
    """--output, --database and --actor mean the same in both places, and for groups in between."""
    expected = lines(day.run("findings", "--output", "json"))
    assert lines(day.run("--output", "json", "findings")) == expected
    assert lines(day.run("findings", "--output", "json", "--database", day.database)) == expected
    assert (
        lines(day.run("--database", f"sqlite:///{day.database}", "--output", "json", "findings")) == expected
    )
    assert lines(day.run("log", "--output", "json", "verify")) == lines(
        day.run("log", "verify", "--output", "json")
    )
    assert day.run("--output", "json", "findings", "--output", "text").stdout.startswith("deny")


def test_an_option_wins_over_the_environment(day):
    """--database names another database than COMPLIANCE_DATABASE."""
    assert day.run("findings", "--database", "nowhere.db").exit_code == 4


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["findngs"], "findings"),
        (["log", "verfy"], "verify"),
        (["--no-such-option"], "No such option"),
        (["--output", "xml", "findings"], "xml"),
        (["log", "verify", "--checkpont", "x"], "--checkpoint"),
    ],
)
def test_a_misspelt_call_exits_2_with_the_likely_word(clinic, words, says):
    """Usage errors go to standard error."""
    result = clinic.run(*words)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""


def test_version(clinic):
    """--version says which software this is."""
    assert clinic.run("--version").stdout.startswith("compliance ")


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_an_error_is_a_message_a_remedy_and_its_exit_code(capsys, code):
    """Every family of errors ends in one place."""

    def fail():
        error = ComplianceError("it is broken", "Mend it.")
        error.exit_code = code
        raise error

    assert failures.exit_code_of(fail) == code
    told = capsys.readouterr()
    assert told.err == "error: it is broken\n  what to do: Mend it.\n"
    assert told.out == ""


def test_a_fault_of_the_software_is_one_line_without_its_message(capsys, monkeypatch):
    """The message of an unforeseen exception could name a patient; module and line do not. -vv shows all."""

    def fail():
        raise RuntimeError("patient Smith")

    monkeypatch.setattr(sys, "argv", ["compliance"])
    assert failures.exit_code_of(fail) == failures.FAULT
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "RuntimeError at test_frame.py" in told
    assert "Smith" not in told
    monkeypatch.setattr(sys, "argv", ["compliance", "-vv"])
    assert failures.exit_code_of(fail) == failures.FAULT
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("stop", [KeyboardInterrupt, click.Abort, failures.Interrupted])
def test_an_interruption_is_quiet(capsys, stop):
    """Ctrl-C exits 130 and says nothing."""

    def fail():
        raise stop

    assert failures.exit_code_of(fail) == 130
    assert capsys.readouterr() == ("", "")


def test_the_programs_log_tells_of_the_program_and_of_no_patient(day):
    """-v and -vv write JSON lines to standard error where that is no terminal, without any field of an event."""
    patient = {**SITE, "id": "v1", "kind": "discharge", "patient": "PATIENT-77", "session": "T9", "disposition": "home",
               "departure_mode": "escort", "devices_taken": 0, "reason": "Mrs Smith"}  # fmt: skip
    for name in ("address_ref", "state", "time_zone", "holds_stock"):
        del patient[name]
    result = day.run("-vv", "record", day.file(patient))
    told = [json.loads(line) for line in result.stderr.splitlines()]
    assert {"level", "event", "timestamp"} <= set(told[0])
    assert [line["event"] for line in told] == ["command", "batch"]
    assert not any(word in result.stderr for word in ("PATIENT-77", "Smith", "T9"))
    assert day.run("record", day.file(patient)).stderr == ""
    text = day.run("-v", "--log-format", "text", "record", day.file(patient)).stderr
    assert "batch" in text
    assert not text.startswith("{")


def test_colours_are_for_terminals(day):
    """Nothing that is piped holds an escape sequence."""
    for words in (["findings"], ["events", "list"], ["log", "verify"], ["policy", "explain", "e3"]):
        assert "\x1b" not in day.run(*words).output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(clinic, shell):
    """Click's completion scripts are there for each shell."""
    result = run(
        [sys.executable, "-c", "import sys; sys.argv[0] = 'compliance'; from cli.main import main; main()"],
        env={**clinic.environment(), "_COMPLIANCE_COMPLETE": f"{shell}_source"}, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    if shell == "bash" and "Couldn't detect" in result.stderr + result.stdout:
        pytest.skip("there is no bash here")
    assert "_compliance_completion" in result.stdout


def imported(clinic, *words) -> set[str]:
    """The top-level packages that a command imports."""
    code = "import sys\nfrom cli.main import main\ntry:\n    main()\nexcept SystemExit: pass\nprint(*sorted(sys.modules), file=sys.stderr)"
    done = run(
        [sys.executable, "-c", code, *map(str, words)],
        env=clinic.environment(),
        capture_output=True,
        text=True,
        cwd=clinic.folder,
    )
    return {name.split(".")[0] for name in done.stderr.splitlines()[-1].split()}


def test_commands_import_only_what_they_use(clinic):
    """Start-up is most of a short command: help needs click alone, a check neither YAML nor tables nor keys nor migrations."""
    assert not {
        "sqlalchemy",
        "pydantic",
        "rich",
        "structlog",
        "alembic",
        "ruamel",
        "cryptography",
        "orjson",
    } & imported(clinic, "--help")
    heavy = {"rich", "structlog", "alembic", "ruamel", "cryptography"}
    assert not heavy & imported(clinic, "check", clinic.file(*DAY))
    assert not heavy & imported(clinic, "record", clinic.file(*DAY))
    assert not heavy & imported(clinic, "findings")
