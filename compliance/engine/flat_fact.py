"""The case as one flat fact: which fields the rules ask for, and how each is read from a scope and written as JSON.

durable_rules compares text with numbers, and ``1`` with ``true``, without complaint, and its integers overflow (engine.md). So every
value is of exactly its node's type and within bounds before it is written, or the evaluation fails.

A *value* field (number, instant, duration, date, text) is absent where the value is unknown. A *truth* field is a code that is
always there: 0 false, 1 unknown, 2 true (`normal_form`); so no boolean is ever written. What the engine cannot say natively
is computed exactly by the reference evaluator and enters as such a field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from json.encoder import encode_basestring_ascii
from typing import Any, Final

from compliance.domain.values import UNKNOWN
from compliance.engine.clause import Scope
from compliance.engine.normal_form import FALSE_CODE, TRUE_CODE, UNKNOWN_CODE
from compliance.engine.reference import compile_value
from compliance.errors import EngineFault
from compliance.policy.expression.tree import Has, IsNull, Node, Ref
from compliance.policy.model import Tables

INTEGERS: Final = frozenset({"number", "instant", "duration", "date"})
TEXTS: Final = frozenset({"text", "enum"})

BOUND: Final = 2**59
"""Integers lie strictly within: eight of them can be added in int64. Numbers stay below 10^15, instants below 10^18."""

_LONG_TEXT: Final = 1000
"""The engine keeps lengths of text in 16 bits; longer text is compared by its digest."""

_REMEDY: Final = "The event is decided as indeterminate. Report this as a fault of the software, with the bundle's digest."

_Group = tuple[str, tuple[str, ...]]  # where a record is: root, and the fields down to it


@dataclass(slots=True)
class _Fields:
    """What is read from one record; each with its index, its name, and its piece of JSON up to the value."""

    integers: list[tuple[int, str, str]] = field(default_factory=list)
    texts: list[tuple[int, str, str]] = field(default_factory=list)
    truths: list[tuple[int, str, tuple[str, str, str]]] = field(default_factory=list)
    presences: list[tuple[int, str, tuple[str, str, str]]] = field(default_factory=list)


class FlatFact:
    """The numbered fields of the fact. Ask for fields while compiling; then `pieces` writes a scope's values."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._size = 0
        self._known: dict[Node, int] = {}
        self._groups: dict[_Group, _Fields] = {}
        self._integers: list[tuple[int, str, Callable[[Scope], Any]]] = []
        self._texts: list[tuple[int, str, Callable[[Scope], Any]]] = []
        self._truths: list[tuple[int, tuple[str, str, str], Callable[[Scope], Any]]] = []

    def value(self, node: Node) -> int:
        """The field of a number, instant, duration, date or text; a `Ref` is read, anything else computed."""
        known = self._known.get(node)
        if known is not None:
            return known
        index = self._known[node] = self.reserve()
        prefix = f',"{field_name(index)}":'
        if isinstance(node, Ref) and node.path:
            fields = self._groups.setdefault((node.root, node.path[:-1]), _Fields())
            (fields.integers if node.type.name in INTEGERS else fields.texts).append((index, node.path[-1], prefix))
        else:
            computed = self._integers if node.type.name in INTEGERS else self._texts
            computed.append((index, prefix, compile_value(node, self._tables)))
        return index

    def truth(self, node: Node) -> int:
        """The code field of a condition: a boolean `Ref`, `Has` and `IsNull` are read, anything else computed."""
        known = self._known.get(node)
        if known is not None:
            return known
        index = self._known[node] = self.reserve()
        codes = code_pieces(index)
        match node:
            case Ref(root=root, path=(*parents, name)):
                self._groups.setdefault((root, tuple(parents)), _Fields()).truths.append((index, name, codes))
            case Has(ref=Ref(root=root, path=(*parents, name))):
                self._groups.setdefault((root, tuple(parents)), _Fields()).presences.append((index, name, codes))
            case IsNull(root=root):
                self._truths.append((index, codes, lambda scope: _is_null(scope, root)))
            case _:
                self._truths.append((index, codes, compile_value(node, self._tables)))
        return index

    def reserve(self) -> int:
        """A further field, that someone else will write."""
        self._size += 1
        return self._size - 1

    def pieces(self, scope: Scope) -> list[str]:
        """Every field as JSON with a comma before it, empty where it is absent; reserved fields are empty.

        Raises EngineFault for a value that is not of its type or not within bounds.
        """
        found = [""] * self._size
        value: Any
        for (root, parents), fields in self._groups.items():
            record = _record(scope, root, parents)
            if record is None:
                for index, _, codes in fields.truths:
                    found[index] = codes[UNKNOWN_CODE]
                for index, _, codes in fields.presences:
                    found[index] = codes[UNKNOWN_CODE]
                continue
            get = record.get
            for index, name, prefix in fields.integers:
                value = get(name)
                if type(value) is int and -BOUND < value < BOUND:
                    found[index] = f"{prefix}{value}"
                elif value is not None and value is not UNKNOWN:
                    raise _fault(f"{root}.{name}", int, value)
            for index, name, prefix in fields.texts:
                value = get(name)
                if type(value) is str:
                    found[index] = prefix + quoted(value)
                elif value is not None and value is not UNKNOWN:
                    raise _fault(f"{root}.{name}", str, value)
            for index, name, codes in fields.truths:
                found[index] = codes[_code(get(name), f"{root}.{name}")]
            for index, name, codes in fields.presences:
                found[index] = codes[TRUE_CODE if name in record else FALSE_CODE]
        for index, prefix, read in self._integers:
            value = read(scope)
            if type(value) is int and -BOUND < value < BOUND:
                found[index] = f"{prefix}{value}"
            elif value is not None and value is not UNKNOWN:
                raise _fault("a computed value", int, value)
        for index, prefix, read in self._texts:
            value = read(scope)
            if type(value) is str:
                found[index] = prefix + quoted(value)
            elif value is not None and value is not UNKNOWN:
                raise _fault("a computed value", str, value)
        for index, codes, read in self._truths:
            found[index] = codes[_code(read(scope), "a computed condition")]
        return found


def field_name(index: int) -> str:
    """A field's name. The engine knows fields by a 32-bit hash of their names only; those of a0, a1, ... do not collide."""
    return f"a{index}"


def code_pieces(index: int) -> tuple[str, str, str]:
    """A code field as JSON: false, unknown, true."""
    return tuple(f',"{field_name(index)}":{value}' for value in (FALSE_CODE, UNKNOWN_CODE, TRUE_CODE))  # type: ignore[return-value]


def quoted(text: str) -> str:
    """Text as JSON, always in the same bytes: the engine compares escape sequences as they are written."""
    if len(text) > _LONG_TEXT:
        text = f"\0{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return encode_basestring_ascii(text)


def _record(scope: Scope, root: str, parents: tuple[str, ...]) -> Mapping[str, Any] | None:
    value = scope.get(root)
    for name in parents:
        if value is None or value is UNKNOWN:
            return None
        value = value.get(name)
    if value is None or value is UNKNOWN:
        return None
    if not isinstance(value, dict):
        raise _fault(".".join((root, *parents)), dict, value)
    return value


def _is_null(scope: Scope, root: str) -> Any:
    value = scope.get(root, UNKNOWN)
    return UNKNOWN if value is UNKNOWN else value is None


def _code(value: Any, what: str) -> int:
    if value is True:
        return TRUE_CODE
    if value is False:
        return FALSE_CODE
    if value is None or value is UNKNOWN:
        return UNKNOWN_CODE
    raise _fault(what, bool, value)


def _fault(what: str, expected: type, value: Any) -> EngineFault:
    if type(value) is expected:
        return EngineFault(f"{what} lies beyond what the rules engine can count (2^59)", _REMEDY)
    return EngineFault(f"{what} should be of type {expected.__name__} but is of type {type(value).__name__}", _REMEDY)
