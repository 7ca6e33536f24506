"""The case as one flat fact: which fields the rules ask for, and how each is read from a scope and written as JSON.

durable_rules compares text with numbers, and ``1`` with ``true``, without complaint, and its integers overflow (engine.md). So every
value is of exactly its node's type and within bounds before it is written, or the evaluation fails.

A *value* field (number, instant, duration, date, text) is absent where the value is unknown. A *truth* field is a code that is
always there: 0 false, 1 unknown, 2 true (`normal_form`); so no boolean is ever written. What the engine cannot say natively
is computed exactly by the reference evaluator and enters as such a field.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from json.encoder import encode_basestring_ascii
from typing import Any, Final, NoReturn

from compliance.domain.values import UNKNOWN
from compliance.engine.clause import Scope
from compliance.engine.normal_form import FALSE_CODE, TRUE_CODE, UNKNOWN_CODE
from compliance.engine.reference import compile_value
from compliance.errors import EngineFault
from compliance.policy.expression.tree import Has, Node, Ref
from compliance.policy.model import Tables

INTEGERS: Final = frozenset({"number", "instant", "duration", "date"})
TEXTS: Final = frozenset({"text", "enum"})

BOUND: Final = 2**59
"""Integers lie strictly within: eight of them can be added in int64. Numbers stay below 10^15, instants below 10^18."""

_LONG_TEXT: Final = 1000
"""The engine keeps lengths of text in 16 bits; longer text is compared by its digest."""

REMEDY: Final = "The event is decided as indeterminate. Report this as a fault of the software."
"""What a person can do about an evaluator that went wrong."""


class FlatFact:
    """The numbered fields of the fact: asked for while compiling, then read by one generated function (`compiled`)."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._size = 0
        self._known: dict[Node, int] = {}
        self._read: dict[tuple[str, ...], list[tuple[int, Ref | Has]]] = {}  # by the record they stand in
        self._computed: list[tuple[int, Node]] = []

    def field(self, node: Node) -> int:
        """The field of a value, or the code field of a condition: `Ref` and `Has` are read, anything else is computed."""
        known = self._known.get(node)
        if known is not None:
            return known
        index = self._known[node] = self.reserve()
        if isinstance(node, Has):
            self._read.setdefault((node.ref.root, *node.ref.path[:-1]), []).append((index, node))
        elif isinstance(node, Ref) and node.path:
            self._read.setdefault((node.root, *node.path[:-1]), []).append((index, node))
        else:
            self._computed.append((index, node))
        return index

    def reserve(self) -> int:
        """A further field, that someone else will write."""
        self._size += 1
        return self._size - 1

    def compiled(self) -> Callable[[Scope], list[str]]:
        """A function of the scope: every field as JSON with a comma before it, empty where it is absent or reserved.

        It raises EngineFault for a value that is not of its type or not within bounds. Reading is a good part of what a decision
        costs, so it is generated: straight lines instead of loops, names and bounds as literals.
        """
        lines = ["def pieces(S):"]
        names: dict[str, Any] = {
            "UNKNOWN": UNKNOWN,
            "absent": _absent,
            "refuse": _refuse,
            "encode": encode_basestring_ascii,
            "quoted": quoted,
        }
        for (root, *parents), fields in self._read.items():
            lines.append(f"    R = S.get({root!r})")
            lines += [f"    R = None if R is None or R is UNKNOWN else R.get({name!r})" for name in parents]
            lines.append("    if R is None or R is UNKNOWN:")
            lines += [f"        p{index} = {_unknown_piece(index, node)!r}" for index, node in fields]
            lines.append(f"    elif R.__class__ is not dict: refuse(R, dict, {'.'.join((root, *parents))!r})")
            lines += ["    else:", "        get = R.get"]
            for index, node in fields:
                if isinstance(node, Has):
                    false, _, true = code_pieces(index)
                    lines.append(f"        p{index} = {true!r} if {node.ref.path[-1]!r} in R else {false!r}")
                else:
                    lines.append(f"        v = get({node.path[-1]!r})")
                    lines.append(f"        p{index} = {_piece(index, node, '.'.join((root, *node.path)))}")
        for index, computed in self._computed:
            names[f"read{index}"] = compile_value(computed, self._tables)
            lines += [
                f"    v = read{index}(S)",
                f"    p{index} = {_piece(index, computed, 'a computed value')}",
            ]
        written = {index for index, _ in self._computed} | {
            index for each in self._read.values() for index, _ in each
        }
        lines.append(
            f"    return [{', '.join(f'p{i}' if i in written else repr('') for i in range(self._size))}]"
        )
        exec(compile("\n".join(lines), "<fact>", "exec"), names)  # noqa: S102 (our own source; names only as literals)
        pieces: Callable[[Scope], list[str]] = names["pieces"]
        return pieces


def _piece(index: int, node: Node, name: str) -> str:
    """Python source: the piece of the value `v`, which must be of the node's type if it is there."""
    prefix = f',"{field_name(index)}":'
    if node.type.name in INTEGERS:
        return (
            f"f'{prefix}{{v}}' if v.__class__ is int and {-BOUND} < v < {BOUND} else absent(v, int, {name!r})"
        )
    if node.type.name in TEXTS:
        return (
            f"{prefix!r} + (encode(v) if len(v) <= {_LONG_TEXT} else quoted(v)) "
            f"if v.__class__ is str else absent(v, str, {name!r})"
        )
    false, unknown, true = code_pieces(index)
    return f"{true!r} if v is True else {false!r} if v is False else {unknown!r} + absent(v, bool, {name!r})"


def _unknown_piece(index: int, node: Node) -> str:
    return "" if node.type.name in INTEGERS | TEXTS else code_pieces(index)[UNKNOWN_CODE]


def field_name(index: int) -> str:
    """A field's name. The engine knows fields by a 32-bit hash of their names only; those of a0, a1, ... do not collide."""
    return f"a{index}"


def code_pieces(index: int) -> tuple[str, str, str]:
    """A code field as JSON: false, unknown, true."""
    prefix = f',"{field_name(index)}":'
    return f"{prefix}{FALSE_CODE}", f"{prefix}{UNKNOWN_CODE}", f"{prefix}{TRUE_CODE}"


def quoted(text: str) -> str:
    """Text as JSON, always in the same bytes: the engine compares escape sequences as they are written."""
    if len(text) > _LONG_TEXT:
        text = f"\0{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return encode_basestring_ascii(text)


def _absent(value: Any, expected: type, name: str) -> str:
    """The empty piece of a value that is not there. Raises EngineFault where there is one, since it was not accepted."""
    return "" if value is None or value is UNKNOWN else _refuse(value, expected, name)


def _refuse(value: Any, expected: type, name: str) -> NoReturn:
    if type(value) is expected:
        raise EngineFault(f"{name} lies beyond what the rules engine can count (2^59)", REMEDY)
    raise EngineFault(
        f"{name} should be of type {expected.__name__} but is of type {type(value).__name__}", REMEDY
    )
