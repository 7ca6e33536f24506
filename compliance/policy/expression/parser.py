"""Tokens to an untyped tree, with CEL's precedence and associativity exactly.

From loosest to tightest: ``?:`` (its middle may not be another ``?:`` without parentheses, as in CEL), ``||``, ``&&``,
comparisons and ``in`` (left to right), ``+ -``, ``*``, then ``!``... or ``-``... before a member expression.
Source: CEL specification, "Syntax".
"""

from __future__ import annotations

from typing import NoReturn

from compliance.policy.expression import syntax
from compliance.policy.expression.lexer import Token, fail, tokens
from compliance.policy.expression.syntax import Syntax
from compliance.policy.expression.tree import Span

MAX_DEPTH = 64
"""How deep an expression may be nested. CEL's specification asks implementations for 12 at least (recursion limits)."""

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
_BINARY = {**dict.fromkeys(_COMPARISONS, 1), "+": 2, "-": 2, "*": 3}
_RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_WORDS = {"and": "&&", "or": "||", "not": "!", "AND": "&&", "OR": "||", "NOT": "!", "is": "==", "True": "true", "False": "false",
          "None": "null", "NULL": "null"}  # fmt: skip


def parse(text: str) -> Syntax:
    """The untyped tree of an expression. Raises ExpressionErrors with the first thing that cannot be read."""
    return _Parser(tokens(text)).whole()


class _Parser:
    """A position in the tokens; each method reads one construct and leaves the position behind it."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._open = 0

    def whole(self) -> Syntax:
        if self._peek().kind == "end":
            fail(0, self._peek().span.end, "The expression is empty.", "Write a condition or a value.")
        tree = self._expression()
        token = self._peek()
        if token.kind != "end":
            self._unexpected(token)
        return tree

    def _expression(self) -> Syntax:
        self._open += 1
        if self._open > MAX_DEPTH:
            self._too_deep(self._peek().span)
        condition = self._logical("||")
        if self._take("?"):
            then = self._logical("||")
            if self._peek().text == "?" and self._peek().kind == "operator":
                fail(
                    self._peek().span.start,
                    self._peek().span.end,
                    "A condition between '?' and ':' needs parentheses.",
                    "Write a ? (b ? x : y) : z.",
                )
            self._expect(
                ":", "'?' needs both values, with ':' between them.", "Write condition ? value : other value."
            )
            otherwise = self._expression()
            condition = syntax.Ternary(
                condition,
                then,
                otherwise,
                Span(condition.span.start, otherwise.span.end),
                self._depth(condition, then, otherwise),
            )
        self._open -= 1
        return condition

    def _logical(self, operator: str) -> Syntax:
        # One method for both levels: `||` holds chains of `&&`, which hold comparisons.
        operands = [self._logical("&&") if operator == "||" else self._binary(1)]
        while self._take(operator):
            operands.append(self._logical("&&") if operator == "||" else self._binary(1))
        if len(operands) == 1:
            return operands[0]
        span = Span(operands[0].span.start, operands[-1].span.end)
        return syntax.Logical(
            "||" if operator == "||" else "&&", tuple(operands), span, self._depth(*operands)
        )

    def _binary(self, level: int) -> Syntax:
        left = self._unary()
        while True:
            token = self._peek()
            strength = _BINARY.get(token.text, 0) if token.kind == "operator" or token.text == "in" else 0
            if strength < level:
                return left
            self._at += 1
            right = self._binary(strength + 1)
            left = syntax.Binary(
                token.text, left, right, Span(left.span.start, right.span.end), self._depth(left, right)
            )

    def _unary(self) -> Syntax:
        token = self._peek()
        if token.kind != "operator" or token.text not in "!-":
            return self._member()
        starts = []
        while self._take(token.text):
            starts.append(self._tokens[self._at - 1].span.start)
        other = self._peek()
        if other.kind == "operator" and other.text in ("!", "-"):
            fail(
                starts[0],
                other.span.end,
                "'!' and '-' cannot follow each other.",
                "Put the inner one in parentheses.",
            )
        operand = self._member()
        for start in reversed(starts):
            operand = syntax.Unary(
                "!" if token.text == "!" else "-",
                operand,
                Span(start, operand.span.end),
                self._depth(operand),
            )
        return operand

    def _member(self) -> Syntax:
        tree = self._primary()
        while True:
            if self._take("."):
                name = self._peek()
                if name.kind != "name" or name.text in ("in", "true", "false", "null"):
                    self._unexpected(name, "A field's name was expected after the point.")
                self._at += 1
                if self._peek().text == "(" and self._peek().kind == "operator":
                    tree = self._call(name, tree)
                else:
                    span = Span(tree.span.start, name.span.end)
                    tree = syntax.Member(tree, name.text, name.span, span, self._depth(tree))
            elif self._peek().text == "[" and self._peek().kind == "operator":
                bracket = self._peek().span
                fail(
                    bracket.start,
                    bracket.end,
                    "Elements of a list cannot be picked by number or name.",
                    "Ask with exists, all, filter or 'in': list.exists(x, x == 'value').",
                )
            else:
                return tree

    def _primary(self) -> Syntax:
        token = self._peek()
        self._at += 1
        if token.kind == "number" and isinstance(token.value, int):
            return syntax.NumberLiteral(token.value, token.span)
        if token.kind == "text" and isinstance(token.value, str):
            return syntax.TextLiteral(token.value, token.span)
        if token.kind == "name":
            return self._named(token)
        if token.kind == "operator" and token.text == "(":
            inner = self._expression()
            self._expect(")", "A parenthesis is not closed.", "Add ')'.", token)
            return inner
        if token.kind == "operator" and token.text == "[":
            items = self._list("]", token)
            return syntax.ListLiteral(items, self._since(token), self._depth(*items))
        self._at -= 1
        return self._unexpected(token)

    def _named(self, token: Token) -> Syntax:
        if token.text in ("true", "false"):
            return syntax.TruthLiteral(token.text == "true", token.span)
        if token.text == "null":
            return syntax.NullLiteral(token.span)
        if token.text == "in" or token.text in _RESERVED:
            self._at -= 1
            self._unexpected(token)
        if self._peek().text == "(" and self._peek().kind == "operator":
            return self._call(token, None)
        return syntax.Name(token.text, token.span)

    def _call(self, name: Token, receiver: Syntax | None) -> Syntax:
        bracket = self._peek()
        self._at += 1
        arguments = self._list(")", bracket)
        start = name.span.start if receiver is None else receiver.span.start
        below = arguments if receiver is None else (receiver, *arguments)
        span = Span(start, self._tokens[self._at - 1].span.end)
        return syntax.Call(name.text, receiver, arguments, name.span, span, self._depth(*below))

    def _list(self, closing: str, opening: Token) -> tuple[Syntax, ...]:
        items: list[Syntax] = []
        if self._take(closing):
            return ()
        while True:
            items.append(self._expression())
            if not self._take(","):
                break
        what = "parenthesis" if closing == ")" else "list"
        self._expect(
            closing,
            f"The {what} is not closed.",
            f"Add '{closing}', or a comma before the next value.",
            opening,
        )
        return tuple(items)

    def _peek(self) -> Token:
        return self._tokens[self._at]

    def _take(self, operator: str) -> bool:
        token = self._peek()
        if token.kind == "operator" and token.text == operator:
            self._at += 1
            return True
        return False

    def _expect(self, operator: str, message: str, remedy: str, opening: Token | None = None) -> None:
        if self._take(operator):
            return
        token = self._peek()
        if token.kind == "end":
            span = token.span if opening is None else opening.span
            fail(span.start, span.end, message, remedy)
        self._unexpected(token, message, remedy)

    def _since(self, token: Token) -> Span:
        return Span(token.span.start, self._tokens[self._at - 1].span.end)

    def _depth(self, *below: Syntax) -> int:
        depth = 1 + max((tree.depth for tree in below), default=0)
        if depth > MAX_DEPTH:
            self._too_deep(self._tokens[self._at - 1].span)
        return depth

    def _too_deep(self, span: Span) -> NoReturn:
        fail(
            span.start,
            span.end,
            f"The expression is nested more than {MAX_DEPTH} levels deep.",
            "Remove parentheses that are not needed, or split the rule into several.",
        )

    def _unexpected(self, token: Token, message: str = "", remedy: str = "") -> NoReturn:
        span = token.span
        if token.kind == "end":
            fail(
                span.start,
                span.end,
                message or "The expression ends too early: something is missing here.",
                remedy or "Complete it.",
            )
        if token.kind == "name" and token.text in _WORDS:
            fail(
                span.start,
                span.end,
                f"'{token.text}' is not a word of the policy language.",
                f"Write '{_WORDS[token.text]}'.",
            )
        if token.kind == "name" and token.text in _RESERVED:
            fail(span.start, span.end, f"'{token.text}' is a word that CEL reserves.", "Use another name.")
        before = self._tokens[self._at - 1] if self._at else None
        if before is not None and before.kind == "name" and before.text in _WORDS:
            self._unexpected(before)
        if not message:
            message, remedy = self._out_of_place(token, before)
        fail(span.start, span.end, message, remedy)

    @staticmethod
    def _out_of_place(token: Token, before: Token | None) -> tuple[str, str]:
        """What is wrong with a word that nothing asked for, as far as what stands before it tells."""
        if before is not None and before.kind == "number" and token.kind == "name":
            return (
                f"The unit '{token.text}' cannot stand behind a number.",
                "Write an elapsed time as duration('2h') or days(7); amounts are compared as numbers: dose_mg <= 84.",
            )
        if token.text in {")", "]", "}"}:
            return f"This {token.text} closes nothing.", "Delete it, or open it before."
        join = "Join conditions with '&&' or '||', and check that all parentheses and quotes are closed."
        return f"'{token.text}' was not expected here.", join
