"""A wire between a client and PostgreSQL that is cut at a chosen moment: a thread that passes on what comes over a unix socket."""

from __future__ import annotations

import select
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy.engine import make_url

SOCKET: Final = ".s.PGSQL.5432"
BEGUN: Final = b"pg_advisory_xact_lock"


class Wire:
    """Connections to a server that break when the client sends something for the n-th time.

    `word` is what to look for in the client's messages once a first batch was begun, `times` how often it must be seen; `passed_on` whether that message still reaches the
    server, whose answer then does not come back.
    """

    def __init__(self, url: str, word: bytes, times: int, *, passed_on: bool) -> None:
        self._url = make_url(url)
        self._word, self._left, self._passed_on = word, times, passed_on
        self.folder = Path(tempfile.mkdtemp(prefix="wire"))
        self.was_cut = self._begun = False
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self.folder / SOCKET))
        self._listening.listen()
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    @property
    def url(self) -> str:
        """The server's URL, through the wire."""
        through = self._url.update_query_dict({"host": str(self.folder)})
        return through.render_as_string(hide_password=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        (self.folder / SOCKET).unlink()
        self._thread.join(20)
        self._listening.close()
        shutil.rmtree(self.folder)

    def _accept(self) -> None:
        while (self.folder / SOCKET).exists():
            ready, _, _ = select.select([self._listening], [], [], 0.1)
            if not ready:
                continue
            client, _ = self._listening.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(Path(str(self._url.query["host"])) / SOCKET))
            with client, server:
                self._pass_on(client, server)

    def _pass_on(self, client: Any, server: Any) -> None:
        while True:
            for one in select.select([client, server], [], [])[0]:
                message = one.recv(1 << 16)
                if not message:
                    return
                if one is server:
                    client.sendall(message)
                    continue
                self._begun = self._begun or BEGUN in message
                if self._begun and self._word in message and not self.was_cut:
                    self._left -= 1
                    if self._left == 0:
                        self.was_cut = True
                        if self._passed_on:
                            server.sendall(message)
                            assert server.recv(1 << 16)  # the server has done it, and says so to nobody
                        return
                server.sendall(message)
