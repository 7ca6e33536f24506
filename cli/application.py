"""The application's frame: groups that load their commands late, options that every command takes, one place for failures.

A command returns its exit code (None is 0). What is common (`--output`, `--database`, `--actor`, `-v`, `--log-format`) may stand
before or after the command's name, and reaches it as a `Call`.
"""

from __future__ import annotations

import _thread
import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal

import click

from compliance.settings import without_login

from . import failures

COLLECTED_AFTER: Final = (50_000, 20, 100)
"""How seldom Python looks for cycles: rules and events live as long as the process, and collecting among them costs a tenth of a long
recording and finds nothing."""
DEFAULT_DATABASE: Final = "sqlite:///compliance.db"
OUTPUTS: Final = ("text", "json")
WITH_SARIF: Final = (*OUTPUTS, "sarif")
"""How a command answers that finds things at places in files."""


@dataclass
class Call:
    """What a call is about, whatever its command."""

    database: str = DEFAULT_DATABASE
    actor: str | None = None
    output: Literal["text", "json", "sarif"] = "text"
    verbosity: int = 0
    log_format: Literal["text", "json"] | None = None

    @property
    def json(self) -> bool:
        """Whether the answer is JSON."""
        return self.output == "json"


pass_call: Final = click.make_pass_decorator(Call, ensure=True)


def _kept(name: str, *, url: bool = False) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(context: click.Context, _: click.Parameter, value: Any) -> None:
        call = context.ensure_object(Call)
        if value is not None and value != "" and not (name == "verbosity" and value == 0):
            setattr(call, name, _as_url(value) if url else value)

    return keep


def _as_url(database: str) -> str:
    """A database as its URL; a plain path is a SQLite file."""
    return database if "://" in database else f"sqlite:///{database}"


def common_options(*, root: bool, outputs: Sequence[str] = OUTPUTS) -> list[click.Parameter]:
    """The options that every command takes; those of the root also read the environment."""
    database = click.Option(
        ["--database"], metavar="URL", envvar="COMPLIANCE_DATABASE" if root else None, expose_value=False, hidden=not root,
        callback=_kept("database", url=True),
        help=f"Where the log is: sqlite:///FILE, or a plain path. Else COMPLIANCE_DATABASE, else {DEFAULT_DATABASE}.",
    )  # fmt: skip
    actor = click.Option(
        ["--actor"], metavar="ID", envvar="COMPLIANCE_ACTOR" if root else None, expose_value=False, hidden=not root,
        callback=_kept("actor"), help="Who acts: a staff id, never a name. Else COMPLIANCE_ACTOR.",
    )  # fmt: skip
    output = click.Option(
        ["--output"], type=click.Choice(outputs), expose_value=False, callback=_kept("output"),
        help="text for people, json for programs" + (", sarif for code hosts." if "sarif" in outputs else "."),
    )  # fmt: skip
    verbose = click.Option(
        ["-v", "--verbose"], count=True, expose_value=False, hidden=not root, callback=_kept("verbosity"),
        help="Say on standard error what is done; twice for everything.",
    )  # fmt: skip
    log_format = click.Option(
        ["--log-format"], type=click.Choice(["text", "json"]), expose_value=False, hidden=not root,
        callback=_kept("log_format"), help="How the program's own log looks; json unless standard error is a terminal.",
    )  # fmt: skip
    return [database, actor, output, verbose, log_format]


class Command(click.Command):
    """A command with the common options, and with examples in its help. `outputs` are the forms in which it can answer."""

    def __init__(
        self, *args: Any, examples: Sequence[str] = (), outputs: Sequence[str] = OUTPUTS, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self.params.extend(common_options(root=False, outputs=outputs))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Examples, as they are typed."""
        write_examples(formatter, self.examples)

    def invoke(self, ctx: click.Context) -> Any:
        """Run it, with the program's log as the options say."""
        from compliance import logs

        call = ctx.ensure_object(Call)
        logs.configure(call.verbosity, call.log_format)
        logs.debug("command", command=ctx.command_path, database=without_login(call.database))
        return super().invoke(ctx)


def write_examples(formatter: click.HelpFormatter, examples: Sequence[str]) -> None:
    """A section of examples; a line that needs the width is not broken."""
    if examples:
        with formatter.section("Example" if len(examples) == 1 else "Examples"):
            for example in examples:
                formatter.write(f"{' ' * formatter.current_indent}{example}\n")


class Group(click.Group):
    """A group of commands, each in a module that is imported when the command is asked for.

    `lazy` maps a command's name to the module in this package and the name in it.
    """

    command_class = Command

    def __init__(
        self,
        *args: Any,
        lazy: Mapping[str, tuple[str, str]] | None = None,
        examples: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = dict(lazy or {})
        self.examples = tuple(examples)
        if not isinstance(self, Application):
            self.params.extend(common_options(root=False))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """The commands in the order in which a person meets them."""
        return [*self.lazy, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, its module imported now."""
        if cmd_name in self.lazy:
            module, name = self.lazy[cmd_name]
            command: click.Command = getattr(import_module(f".{module}", __package__), name)
            return command
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command; click suggests the likely one among those that are loaded, this among the others."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            if near := get_close_matches(args[0], self.lazy, n=1):
                raise click.UsageError(f"{error.message} Did you mean '{near[0]}'?", ctx) from None
            raise

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Examples, as they are typed."""
        write_examples(formatter, self.examples)


Group.group_class = Group


class Application(Group):
    """The whole application. Whatever goes wrong below ends here, in `failures`, as words and an exit code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(common_options(root=True))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        if os.environ.get("NO_COLOR"):  # no-color.org: present and not empty
            ctx.color = False
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise failures.Interrupted from None
        except BrokenPipeError:
            raise failures.ReaderGone from None

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run a command line and exit; in a program's hands (`standalone_mode=False`) return the exit code and raise what is raised."""
        run: Callable[..., Any] = super().main
        if not standalone_mode:
            return run(*args, standalone_mode=False, **extra)
        gc.set_threshold(*COLLECTED_AFTER)
        sys.unraisablehook = interrupt_again
        _open_closed_streams()
        raise SystemExit(failures.exit_code_of(lambda: run(*args, standalone_mode=False, **extra)))


def interrupt_again(unraisable: Any) -> None:
    """Ctrl-C that arrived while Python was tidying up (a finaliser, a weak reference) is not lost: it arrives once more."""
    if isinstance(unraisable.exc_value, KeyboardInterrupt):
        from threading import Timer

        Timer(
            0.02, _thread.interrupt_main
        ).start()  # at once would be within this very call, and be lost again
    else:
        sys.__unraisablehook__(unraisable)


def _open_closed_streams() -> None:
    """A caller that closed a standard stream (``>&-``) gives and wants no words there; the work is done all the same."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - as long as the process
