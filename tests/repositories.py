"""Real git repositories for tests, which nothing of the machine's own configuration reaches."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@clinic.example",
    "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@clinic.example", "GIT_TERMINAL_PROMPT": "0",
}  # fmt: skip
WHERE = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_PREFIX")
"""What git tells a hook; the tests may themselves be run by one."""


def environment(**more: str) -> dict[str, str]:
    """The environment of a git that knows only what the test says."""
    return {**{name: value for name, value in os.environ.items() if name not in WHERE}, **QUIET, **more}


@dataclass(frozen=True)
class Repository:
    """A repository at a path."""

    path: Path

    @classmethod
    def made(cls, path: Path) -> Repository:
        path.mkdir(parents=True, exist_ok=True)
        repository = cls(path)
        repository.git("init", "--quiet", "--initial-branch=main")
        return repository

    def git(self, *words: str, **more: str) -> str:
        """What git prints; a failure is the test's."""
        done = subprocess.run(
            ["git", *words],
            cwd=self.path,
            env=environment(**more),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def commit(self, message: str = "a change") -> str:
        """Commit all there is; the commit's name."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--no-verify", "--message", message)
        return self.git("rev-parse", "HEAD").strip()
