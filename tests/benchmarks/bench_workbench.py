"""What a check of policies costs whoever saves or commits one; ratios travel between machines, figures do not.

    python tests/benchmarks/bench_workbench.py [turns]

The shipped library in a scratch repository, checked in processes of their own, in turns, so that a busy machine slows every side alike:

* nothing but starting: ``python -c "import click"``; and `pre-commit run` with a hook that does nothing;
* `policy check` of the folder with nothing changed, with one rule changed, of that rule alone, of all files by name, without the cache;
* `pre-commit run compliance-policy-check` over all files, nothing changed, and over one changed rule.

One rule is changed by a comment with a new number, so that it has to be looked at again each time. Wall and CPU seconds, median.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from compliance.settings import shipped_folder
from tests.cli.conftest import ROOT, command
from tests.repositories import Repository, environment

RULE = "policies/spravato-rems/rems-monitor-2h.yaml"
NUMBERS = count(1)


def main(turns: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clinic, env = prepared(Path(folder))

        def run(*words: str) -> None:
            done = subprocess.run(
                words, cwd=clinic.path, env=env, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise SystemExit(f"{words}: {done.stdout}{done.stderr}")

        def changed(*words: str) -> Callable[[], None]:
            def act() -> None:
                with (clinic.path / RULE).open("a") as file:
                    file.write(f"# {next(NUMBERS)}\n")
                run(*words)

            return act

        def staged() -> None:
            clinic.git("add", "--all")

        files = [
            str(file.relative_to(clinic.path)) for file in sorted((clinic.path / "policies").rglob("*.yaml"))
        ]
        hook = [sys.executable, "-m", "pre_commit", "run"]
        sides: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
            "python, import click": (_nothing, lambda: run(sys.executable, "-c", "import click")),
            "check, nothing changed": (_nothing, lambda: run(*command("policy", "check", "policies"))),
            "check, one rule changed": (_nothing, changed(*command("policy", "check", "policies"))),
            "check of that rule alone, changed": (_nothing, changed(*command("policy", "check", RULE))),
            "check of all files by name, nothing changed": (_nothing, lambda: run(*command("policy", "check", *files))),
            "pre-commit, a hook that does nothing": (_nothing, lambda: run(*hook, "nothing", "--all-files")),
            "pre-commit, all files, nothing changed": (staged, lambda: run(*hook, "compliance-policy-check", "--all-files")),
            "pre-commit, one rule changed": (_change_and_stage(clinic), lambda: run(*hook, "compliance-policy-check")),
        }  # fmt: skip
        for before, act in sides.values():  # warm: what is cached is cached
            before()
            act()
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for _ in range(turns):
            for name, (before, act) in sides.items():
                before()
                seen[name].append(measured(act))
        seen["check without the cache"] = [
            measured(lambda: run(*command("policy", "check", "--no-cache", "policies"))) for _ in range(3)
        ]
        show(seen)


def show(seen: dict[str, Sequence[tuple[float, float]]]) -> None:
    base = statistics.median(wall for wall, _ in seen["check, nothing changed"])
    for name, times in seen.items():
        wall, cpu = (statistics.median(column) for column in zip(*times, strict=True))
        print(
            f"{name:45} {wall:6.2f} s wall  {cpu:6.2f} s cpu  {wall / base:6.2f} of a check with nothing changed"
        )


def measured(act: Callable[[], None]) -> tuple[float, float]:
    """Wall and CPU seconds of what an act starts."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    act()
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def prepared(folder: Path) -> tuple[Repository, dict[str, str]]:
    """A clinic's repository with the shipped library, our hooks and one that does nothing; the environment to run them in."""
    hooks = Repository.made(folder / "hooks")
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks.path)
    rev = hooks.commit()
    program = folder / "bin" / "compliance"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from cli.main import main; main()" "$@"\n')
    program.chmod(0o755)
    clinic = Repository.made(folder / "clinic")
    shutil.copytree(shipped_folder("policies"), clinic.path / "policies")
    nothing = {"id": "nothing", "name": "nothing", "entry": "true", "language": "system"}
    config = {
        "repos": [
            {"repo": str(hooks.path), "rev": rev, "hooks": [{"id": "compliance-policy-check"}]},
            {"repo": "local", "hooks": [nothing]},
        ]
    }
    (clinic.path / ".pre-commit-config.yaml").write_text(json.dumps(config))
    clinic.commit()
    env = environment(
        PRE_COMMIT_HOME=str(folder / "store"), COMPLIANCE_CACHE=str(folder / "cache"), PYTHONPATH=str(ROOT)
    )
    return clinic, {**env, "PATH": f"{program.parent}{os.pathsep}{env['PATH']}"}


def _nothing() -> None:
    """No preparation."""


def _change_and_stage(clinic: Repository) -> Callable[[], None]:
    def act() -> None:
        clinic.commit()
        with (clinic.path / RULE).open("a") as file:
            file.write(f"# {next(NUMBERS)}\n")
        clinic.git("add", "--all")

    return act


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
