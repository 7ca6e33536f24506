"""A person at a terminal, for the tests: a program behind a real pseudo-terminal, of which the tests read the screen and at which they type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pexpect

PATIENCE = 20
"""Seconds to wait for words; a program starts within one, unless the machine has much to do."""

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """A program at a terminal of a given width."""

    def __init__(self, process: pexpect.spawn) -> None:
        self._process = process
        self._seen = ""

    @property
    def screen(self) -> str:
        """All that was shown so far, without colours, lines as they were broken."""
        return _COLOURS.sub("", self._seen).replace("\r\n", "\n")

    @property
    def raw(self) -> str:
        """The same with colours and line ends as the terminal got them."""
        return self._seen

    def sees(self, words: str) -> None:
        """Wait until these words are shown, after those that were waited for last; a line may have been broken at any space."""
        try:
            self._process.expect(r"\s+".join(re.escape(word) for word in words.split()))
        except (pexpect.TIMEOUT, pexpect.EOF):
            self._seen += self._process.before if isinstance(self._process.before, str) else ""
            raise AssertionError(f"waited for {words!r}; on the screen stood:\n{self.screen}") from None
        self._seen += self._process.before + self._process.after

    def types(self, text: str) -> None:
        """Type a line, with the key that ends it."""
        self._process.send(f"{text}\n")

    def answers(self, *pairs: tuple[str, str]) -> None:
        """Wait for each prompt in turn and type its answer."""
        for prompt, answer in pairs:
            self.sees(prompt)
            self.types(answer)

    def presses(self, key: str) -> None:
        """Press Ctrl with a key: ``c``, ``d``."""
        self._process.sendcontrol(key)

    def ends(self) -> int:
        """Wait until the program has ended; its exit code."""
        self._process.expect(pexpect.EOF)
        self._seen += self._process.before
        self._process.close()
        assert self._process.exitstatus is not None, self._process.signalstatus
        return int(self._process.exitstatus)


@contextmanager
def terminal(
    command: Sequence[str], environment: Mapping[str, str], *, folder: str, columns: int = 60
) -> Iterator[Terminal]:
    """A program at a terminal; it is ended at the end, if it has not ended by itself."""
    environment = {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}
    process = pexpect.spawn(
        command[0],
        list(command[1:]),
        env={**environment, "TERM": "xterm", "LANG": "C.UTF-8"},
        cwd=folder,
        dimensions=(40, columns),
        timeout=PATIENCE,
        encoding="utf-8",
        echo=True,
    )
    process.delaybeforesend = None
    try:
        yield Terminal(process)
    finally:
        process.close(force=True)
