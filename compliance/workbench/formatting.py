"""Policy files put into the one layout: which files, by which schema, what would change (`compliance.policy.layout` says how they look)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from functools import cache, partial
from pathlib import Path
from typing import Final

from compliance.errors import InputError, Place, Problem
from compliance.policy.file_kinds import FILE_KINDS, SCHEMA_FOLDER, FileKind
from compliance.policy.files import content_of
from compliance.policy.layout import formatted
from compliance.workbench.remembered import Memory
from compliance.workbench.sources import is_policy

_HOMES: Final = (SCHEMA_FOLDER, f"policies/{SCHEMA_FOLDER}")


@dataclass(frozen=True, slots=True)
class LaidOut:
    """One file: what it holds, and what it holds in the layout. There is no `after` where there are problems."""

    source: str
    before: bytes
    after: bytes | None
    problems: tuple[Problem, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether laying it out changes it."""
        return self.after is not None and self.after != self.before

    def difference(self) -> str:
        """What changes, as a unified diff."""
        one, other = (
            text.decode("utf-8-sig").splitlines(keepends=True) for text in (self.before, self.after or b"")
        )
        return "".join(unified_diff(one, other, self.source, f"{self.source} (laid out)"))


def laid_out(paths: Iterable[Path], memory: Memory, *, policies_only: bool = False) -> Iterator[LaidOut]:
    """Every file that is named, or lies in a folder that is named; nothing is written. Raises InputError for a name that nothing has.

    What `memory` knows to be in the layout is not laid out again. With `policies_only` files that are no policies (`is_policy`) are passed over.
    """
    addresses = cache(_addresses)
    for path in _files(paths):
        if policies_only and not is_policy(path):
            continue
        try:
            content = content_of(path)
        except OSError as error:
            reason = error.strerror or "it cannot be opened"
            problem = Problem(
                Place(str(path)), f"this file cannot be read: {reason}", "check the name and the permissions", "yaml"
            )  # fmt: skip
            yield LaidOut(str(path), b"", None, (problem,))
            continue
        key = memory.key("layout", content, *addresses(path.parent))
        if memory.recall(key) is not None:
            yield LaidOut(str(path), content, content)
            continue
        one = laid_out_text(content, str(path), partial(schema_address, path))
        if one.after == content:
            memory.keep(key, True)
        yield one
    memory.save()


def laid_out_text(
    content: bytes, source: str, schema_of: Callable[[FileKind], str | None] = lambda _: None
) -> LaidOut:
    """One text by itself, such as standard input; `schema_of` is that of `formatted`."""
    text = formatted(content, source, schema_of)
    if isinstance(text, tuple):
        return LaidOut(source, content, None, text)
    return LaidOut(source, content, text.encode())


def _addresses(folder: Path) -> tuple[str, ...]:
    """Where each kind of file in a folder finds its schema; the first line says so, and so it is part of the layout."""
    return tuple(schema_address(folder / "any.yaml", kind) or "" for kind in FILE_KINDS)


def schema_address(path: Path, kind: FileKind) -> str | None:
    """The way from a file to the schema of its kind: in ``schema/``, or ``policies/schema/``, of the nearest folder above that has it.

    None where no folder has it: a line that leads nowhere would only give an editor something to complain of.
    """
    here = Path(os.path.abspath(path)).parent  # noqa: PTH100 - a link's own folder counts, not that of what it points to
    for folder in (here, *here.parents):
        for home in _HOMES:
            if (folder / home / kind.schema).is_file():
                return Path(os.path.relpath(folder / home / kind.schema, here)).as_posix()
    return None


def _files(paths: Iterable[Path]) -> list[Path]:
    """The files in the order of the call, each once; of a folder, those that are read as policies."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = (file for file in sorted(path.rglob("*.yaml")) if file.is_file())
            found.update(
                (file, None)
                for file in inside
                if not any(part.startswith(".") for part in file.relative_to(path).parts)
            )
        elif path.exists():
            found[path] = None
        else:
            raise InputError(
                f"there is no file or folder {path}", "Name policy files, or folders that hold them."
            )
    return list(found)
