"""Python source for an expression, for the case that nothing it meets is missing.

The source is made of the tree's own operators and of constants bound by name; texts of policies enter it only through
`repr`. Whatever is missing raises KeyError or TypeError where it is met; see `reference` for why that is enough.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from compliance.domain.values import UNKNOWN
from compliance.engine.exact import SAME_SCALE
from compliance.policy.expression.functions import FUNCTIONS
from compliance.policy.expression.implementations import day_after
from compliance.policy.expression.regexp import compiled
from compliance.policy.expression.tree import (
    And,
    Arith,
    Compare,
    Conditional,
    Const,
    Func,
    Has,
    In,
    IsNull,
    ListOf,
    Macro,
    Node,
    Not,
    Or,
    Ref,
    Select,
    scale_of,
)
from compliance.policy.model import Tables

_DEEPEST: Final = 40
"""CPython refuses source with more than 200 open parentheses; a node opens up to four."""
_FEW: Final = 3
"""Up to so many elements a tuple is searched as fast as a set."""


class Unsuitable(Exception):
    """The expression is better left to `exact`: it is nested too deeply, or compares a number with a list of another scale."""


@dataclass(frozen=True, slots=True)
class Code:
    """Lines that bind the roots, and one Python expression per node."""

    prelude: tuple[str, ...]
    expressions: tuple[str, ...]


def generate(
    nodes: tuple[Node, ...], tables: Tables, bound: Mapping[str, str], constants: dict[str, Any]
) -> Code:
    """Source for the nodes, which share one prelude. `bound` are roots that are locals already, by root; the constants that the source
    names are added to `constants`. Raises Unsuitable."""
    constants.update(KNOWN=_known, LOWERED=_lowered, UNKNOWN=UNKNOWN)
    writer = _Writer(tables, Counter(root for node in nodes for root in _roots(node)), bound, constants)
    expressions = tuple(writer.write(node) for node in nodes)
    return Code(tuple(writer.prelude), expressions)


def shared_roots(groups: Iterable[tuple[Node, ...]]) -> dict[str, str]:
    """The roots that more than one group of nodes names, each with the local that it is bound to for all of them."""
    times = Counter(root for nodes in groups for root in {root for node in nodes for root in _roots(node)})
    return {root: f"s{number}" for number, root in enumerate(sorted(times)) if times[root] > 1}


def _roots(node: Node) -> Iterator[str]:
    """The root of every mention of a value, as often as it is mentioned."""
    if isinstance(node, (Ref, IsNull)):
        yield node.root
    for field in fields(node):
        below = getattr(node, field.name)
        for part in below if isinstance(below, tuple) else (below,):
            if isinstance(part, Node):
                yield from _roots(part)


def _known(value: Any) -> Any:
    if value is UNKNOWN:
        raise KeyError
    return value


def _lowered(value: int, factor: int) -> int:
    whole, rest = divmod(value, factor)
    if rest:
        raise KeyError
    return whole


class _Writer:
    """Writes the expressions of one function."""

    def __init__(
        self, tables: Tables, mentions: Counter[str], bound: Mapping[str, str], constants: dict[str, Any]
    ) -> None:
        self._tables = tables
        self._mentions = mentions
        self._locals: dict[str, str] = dict(bound)
        self._guarded: set[tuple[str, str]] = set()
        self._variables: dict[str, str] = {}
        self._depth = 0
        self.prelude: list[str] = []
        self._constants = constants

    def write(self, node: Node) -> str:
        """The node as a Python expression that can stand anywhere."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unsuitable
        text = self._write(node)
        self._depth -= 1
        return text

    def _write(self, node: Node) -> str:
        match node:
            case Const():
                return f"({node.value!r})"
            case Ref(root=root, path=path):
                if not path:
                    return self._scalar(root)
                return self._place(root, path)
            case Has(ref=ref):
                return f"({ref.path[-1]!r} in {self._place(ref.root, ref.path[:-1])})"
            case IsNull(root=root):
                local = self._local(root)
                self._guard(f"{local} is UNKNOWN")
                return f"({local} is None)"
            case Not():
                return f"(not {self.write(node.operand)})"
            case And():
                return f"({' and '.join(self.write(operand) for operand in node.operands)})"
            case Or():
                return f"({' or '.join(self.write(operand) for operand in node.operands)})"
            case Conditional():
                scale = scale_of(node)
                then, otherwise = self._raised(node.then, scale), self._raised(node.otherwise, scale)
                return f"({then} if {self.write(node.condition)} else {otherwise})"
            case Compare():
                scale = max(scale_of(node.left), scale_of(node.right))
                return f"({self._raised(node.left, scale)} {node.op} {self._raised(node.right, scale)})"
            case In():
                return self._in(node)
            case ListOf():
                scale = node.type.element.scale if node.type.element is not None else 6
                return f"({''.join(self._raised(item, scale) + ', ' for item in node.items)})"
            case Arith():
                return self._arith(node)
            case Func():
                return self._func(node)
            case Select():
                return f"{self.write(node.base)}[{node.field!r}]"
            case Macro():
                return self._macro(node)
            case _:
                raise TypeError(type(node).__name__)

    # ---- names

    def _place(self, root: str, path: tuple[str, ...]) -> str:
        """A value below a root. A root that is mentioned once is not worth a local."""
        if root in self._variables:
            base = self._variables[root]
        elif root in self._locals or self._mentions[root] > 1:
            base = self._local(root)
        else:
            base = f"S[{root!r}]"
        return base + "".join(f"[{field!r}]" for field in path)

    def _scalar(self, root: str) -> str:
        """A root that is itself the value; a missing one would compare as unequal, so it is asked for beforehand."""
        if root in self._variables:
            return self._variables[root]
        local = self._local(root)
        self._guard(f"{local} is UNKNOWN or {local} is None")
        return local

    def _local(self, root: str) -> str:
        local = self._locals.get(root)
        if local is None:
            local = self._locals[root] = f"r{len(self._locals)}"
            self.prelude.append(f"{local} = S[{root!r}]")
        return local

    def _guard(self, condition: str) -> None:
        line = f"if {condition}: raise KeyError"
        if line not in self.prelude:
            self.prelude.append(line)

    def _constant(self, value: Any) -> str:
        name = f"c{len(self._constants)}"
        self._constants[name] = value
        return name

    # ---- values

    def _raised(self, node: Node, scale: int) -> str:
        factor = 10 ** (scale - scale_of(node))
        if isinstance(node, Const) and isinstance(node.value, int) and not isinstance(node.value, bool):
            return f"({node.value * factor})"
        return self.write(node) if factor == 1 else f"({self.write(node)} * {factor})"

    def _in(self, node: In) -> str:
        element = node.items.type.element
        scale = 6 if element is None else element.scale
        if scale_of(node.item) > scale:
            raise Unsuitable
        item = self._raised(node.item, scale)
        if (
            isinstance(node.items, Const)
            and isinstance(node.items.value, tuple)
            and len(node.items.value) > _FEW
        ):
            return f"({item} in {{{', '.join(map(repr, node.items.value))}}})"
        return f"({item} in {self.write(node.items)})"

    def _arith(self, node: Arith) -> str:
        if node.right.type.name == "period":
            step = self._constant(day_after)
            tables = self._constant(self._tables)
            sign = 1 if node.op == "+" else -1
            return f"KNOWN({step}({tables}, {self.write(node.left)}, {self.write(node.right)}, {sign}))"
        if node.op == "*":
            return f"({self.write(node.left)} * {self.write(node.right)})"
        return f"({self._raised(node.left, node.scale)} {node.op} {self._raised(node.right, node.scale)})"

    def _func(self, node: Func) -> str:
        if node.name == "now":
            return self._scalar("now")
        arguments = [self._argument(node, argument) for argument in node.args]
        match node.name:
            case "drug_info":
                return f"{self._constant(self._tables.drugs)}[{arguments[0]}]"
            case "size":
                return f"(len({arguments[0]}) * 1000000)"
            case "minutes":
                return f"({arguments[0]} * 60)"
            case "min" | "max" | "abs" | "sum":
                return f"{node.name}({', '.join(arguments)})"
            case "matches" if isinstance(node.args[1], Const):
                search = self._constant(compiled(str(node.args[1].value)).search)
                return f"({search}({arguments[0]}) is not None)"
        function = FUNCTIONS[node.name]
        given = {
            "tables": self._constant(self._tables),
            "zone": "S['zone']",
            "now": "S['now']",
            "day": "S['day']",
        }
        handed = [*(given[need] for need in function.needs), *arguments]
        return f"KNOWN({self._constant(function.run)}({', '.join(handed)}))"

    def _argument(self, node: Func, argument: Node) -> str:
        if node.name in SAME_SCALE:
            return self._raised(argument, scale_of(node))
        factor = 10 ** (scale_of(argument) - 6)
        return self.write(argument) if factor == 1 else f"LOWERED({self.write(argument)}, {factor})"

    def _macro(self, node: Macro) -> str:
        items = self.write(node.items)
        variable = f"v{self._depth}"
        shadowed = self._variables.get(node.variable)
        self._variables[node.variable] = variable
        body = self.write(node.body)
        if shadowed is None:
            del self._variables[node.variable]
        else:
            self._variables[node.variable] = shadowed
        over = f"for {variable} in {items}"
        return {
            "exists": f"any({body} {over})",
            "all": f"all({body} {over})",
            "exists_one": f"(sum(1 {over} if {body}) == 1)",
            "filter": f"tuple({variable} {over} if {body})",
            "map": f"tuple({body} {over})",
        }[node.name]
